//! Writes `docs/workshop.md`: a comparison of three orders for the deployment that the project was made for.
//!
//! Every number in it comes from a plan or a simulated run. The text is in `xtask/src/workshop.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xshell::{Shell, TempDir, cmd};

use crate::tasks::{STALE, build};

/// The variable with the folder of a collection of real assemblies. The workshop's assembly is in that collection, and not
/// in this repository.
const COLLECTION: &str = "PACELINE_ASSEMBLIES";
const ASSEMBLY: &str = "fis-workshop-multiregion/cdk.out";
const PAGE: &str = "docs/workshop.md";
const TEMPLATE: &str = include_str!("workshop.md");
/// The largest difference of two numbers that count as the same: one in the last digit.
const LAST_DIGIT: f64 = 0.15;
/// The most lines of advice on the page.
const ADVICE: usize = 3;

/// Writes or checks the page. Without the assembly, the check is skipped with a message.
pub(crate) fn workshop(sh: &Shell, check: bool) -> Result<ExitCode> {
    let Ok(collection) = std::env::var(COLLECTION) else {
        if check {
            eprintln!("SKIPPED: {PAGE} is not checked: {COLLECTION} names no folder with {ASSEMBLY}");
            return Ok(ExitCode::SUCCESS);
        }
        bail!("{PAGE} cannot be written: {COLLECTION} names no folder with {ASSEMBLY}");
    };
    let assembly = format!("{collection}/{ASSEMBLY}");
    build(sh)?;
    let page = page(sh, &assembly)?;
    let old = sh.read_file(PAGE).unwrap_or_default();
    let mut lines = page.lines().zip(old.lines().chain(std::iter::repeat("")));
    let changed = lines.position(|(new, old)| !is_same(new, old));
    if changed.is_none() && page.lines().count() == old.lines().count() {
        return Ok(ExitCode::SUCCESS);
    }
    if check {
        let line = changed.unwrap_or_else(|| page.lines().count()) + 1;
        eprintln!("error: {PAGE} is stale from line {line} on\n hint: cargo xtask workshop");
        return Ok(ExitCode::from(STALE));
    }
    let (folder, text) = (sh.create_temp_dir()?, page);
    let new = folder.path().join("page.md");
    sh.write_file(&new, text)?;
    sh.copy_file(&new, PAGE)?;
    eprintln!("{PAGE} is written");
    Ok(ExitCode::SUCCESS)
}

/// Whether two lines are the same but for the last digits of numbers. Simulated runs read files on threads, so the order
/// of events at the same simulated moment varies. That moves an end by about a second, which can change the last digit.
fn is_same(new: &str, old: &str) -> bool {
    let number = |word: &str| {
        let number = word.trim_matches(|c: char| !c.is_ascii_digit());
        number.contains('.').then(|| number.parse::<f64>().ok())?
    };
    let is_near = |(new, old): (&str, &str)| {
        let near = number(new).zip(number(old)).is_some_and(|(new, old)| (new - old).abs() < LAST_DIGIT);
        new == old || near
    };
    new.split(' ').count() == old.split(' ').count() && new.split(' ').zip(old.split(' ')).all(is_near)
}

fn page(sh: &Shell, app: &str) -> Result<String> {
    let _multi_region = sh.push_env("ENABLE_MULTI_REGION", "true");
    let designed = plan(sh, app, "as-designed", &[])?;
    let plan = plan(sh, app, "paceline", &["--advice"])?;
    let sequential = Simulated::run(sh, app, "paceline", &["--concurrency", "1"])?;
    let phases = Simulated::run(sh, app, "as-designed", &[])?;
    let graph = Simulated::run(sh, app, "paceline", &[])?;

    let mut rows = String::new();
    for phase in list(&plan["phases"]) {
        let stacks: Vec<&str> = list(&phase["stacks"]).filter_map(Value::as_str).collect();
        let [one, two] = [&sequential, &phases].map(|run| minutes(run.span(&stacks)));
        let three = format!("{} to {}", minutes(graph.start(&stacks)), minutes(graph.end(&stacks)));
        let names = stacks.iter().map(|stack| format!("`{stack}`")).collect::<Vec<_>>().join(", ");
        writeln!(rows, "| **{}**: {names} | {one} | {two} | {three} |", text(&phase["name"]))?;
    }
    let facts = Facts::of(&plan);
    let first = list(&plan["phases"]).next().context("the configuration has phases")?;
    let first: Vec<&str> = list(&first["stacks"]).filter_map(Value::as_str).collect();
    let words = [
        ("stacks", list(&plan["stacks"]).count().to_string()),
        (
            "resources",
            list(&plan["stacks"]).filter_map(|it| it["resources"].as_u64()).sum::<u64>().to_string(),
        ),
        ("regions", facts.regions.clone()),
        ("rows", rows.trim_end().to_owned()),
        ("sequential", minutes(sequential.total)),
        ("phases", minutes(phases.total)),
        ("graph", minutes(graph.total)),
        ("early", graph.started_before(graph.end(&first), &first).to_string()),
        ("ssm", facts.pairs_of("ssm").to_string()),
        ("between", facts.between_regions("ssm").to_string()),
        ("declared", facts.pairs_of("config").to_string()),
        ("external", external(&plan)),
        ("readers", readers(&plan)),
        ("path", path(&plan)),
        (
            "warning",
            list(&designed["warnings"]).filter_map(Value::as_str).collect::<Vec<_>>().join("\n>\n> "),
        ),
        ("parameters", list(&plan["relaxed"][0]["parameters"]).count().to_string()),
        ("redeployed", minutes(seconds(&plan["forecast"]["redeployed_s"])?)),
        ("advice", advice(&plan)?),
        ("missing", graph.assumptions.clone()),
    ];
    let mut page = TEMPLATE.to_owned();
    for (name, value) in words {
        let place = format!("{{{name}}}");
        if !page.contains(&place) || value.is_empty() {
            bail!("xtask/src/workshop.md has no place for `{name}`, or its value is empty");
        }
        page = page.replace(&place, &value);
    }
    Ok(page)
}

fn plan(sh: &Shell, app: &str, config: &str, more: &[&str]) -> Result<Value> {
    let config = format!("tests/workshop/{config}.yaml");
    let call = cmd!(
        sh,
        "cargo run --quiet --package paceline -- plan --format json --app {app} --config {config} {more...}"
    );
    Ok(serde_json::from_str(&call.quiet().read()?)?)
}

/// The result of a simulated deployment.
struct Simulated {
    /// The duration in seconds.
    total: f64,
    /// The start and the end of each stack, in seconds.
    stacks: BTreeMap<String, (f64, f64)>,
    /// Whether one stack ran at a time. Then the duration of a phase is the sum of its stacks.
    one_by_one: bool,
    /// What the simulation assumes: its warnings, as one sentence.
    assumptions: String,
}

impl Simulated {
    fn run(sh: &Shell, app: &str, config: &str, more: &[&str]) -> Result<Self> {
        let config = format!("tests/workshop/{config}.yaml");
        let folder: TempDir = sh.create_temp_dir()?;
        let events = folder.path().join("events.jsonl");
        let call = cmd!(
            sh,
            "cargo run --quiet --package paceline -- deploy --simulate --quiet --events {events} --app {app} --config {config} {more...}"
        );
        let said = call.quiet().ignore_stdout().read_stderr()?;
        let warnings = said.lines().filter_map(|line| line.strip_prefix("warning: "));
        // Another part of the page has the plan's warnings. The number of missing sources depends on this machine.
        let is_told = |line: &&str| !line.starts_with("phase ") && !line.starts_with("the source");
        let assumptions: Vec<&str> = warnings.filter(is_told).collect();
        let mut run = Self {
            total: 0.0,
            stacks: BTreeMap::new(),
            one_by_one: more.contains(&"--concurrency"),
            assumptions: format!(
                "The simulation pretends the assets whose sources are not on its machine, and this: {}.",
                assumptions.join("; ")
            ),
        };
        for line in sh.read_file(&events)?.lines() {
            let event: Value = serde_json::from_str(line)?;
            let of_stack = event["kind"] == "deploy";
            match event["event"].as_str() {
                Some("step.finished") if of_stack => {
                    let (end, took) = (time_of_day(&event["at"])?, seconds(&event["duration_s"])?);
                    run.stacks.insert(text(&event["stack"]).to_owned(), (end - took, end));
                }
                Some("run.finished") => run.total = seconds(&event["duration_s"])?,
                _ => {}
            }
        }
        Ok(run)
    }

    /// The duration of these stacks, from the first start to the last end.
    fn span(&self, stacks: &[&str]) -> f64 {
        let times = || stacks.iter().filter_map(|stack| self.stacks.get(*stack));
        if self.one_by_one {
            return times().map(|(start, end)| end - start).sum();
        }
        self.end(stacks) - self.start(stacks)
    }

    fn start(&self, stacks: &[&str]) -> f64 {
        let times = stacks.iter().filter_map(|stack| self.stacks.get(*stack));
        times.map(|(start, _)| *start).fold(f64::INFINITY, f64::min)
    }

    fn end(&self, stacks: &[&str]) -> f64 {
        stacks.iter().filter_map(|stack| self.stacks.get(*stack)).map(|(_, end)| *end).fold(0.0, f64::max)
    }

    /// The number of other stacks that started before a time.
    fn started_before(&self, time: f64, others_than: &[&str]) -> usize {
        let others = self.stacks.iter().filter(|(stack, _)| !others_than.contains(&stack.as_str()));
        others.filter(|(_, (start, _))| *start < time).count()
    }
}

/// The facts of a plan that the page needs.
struct Facts {
    regions: String,
    region_of: BTreeMap<String, String>,
    /// The kind of edge, the stack that waits, and the one it waits for.
    pairs: BTreeSet<(String, String, String)>,
}

impl Facts {
    fn of(plan: &Value) -> Self {
        let regions: BTreeSet<&str> = list(&plan["stacks"]).map(|stack| text(&stack["region"])).collect();
        let pairs = list(&plan["stacks"]).flat_map(|stack| {
            let edges = list(&stack["depends_on"]);
            edges.map(|edge| {
                [&edge["reason"], &stack["id"], &edge["stack"]].map(|it| text(it).to_owned()).into()
            })
        });
        let region_of =
            list(&plan["stacks"]).map(|it| [&it["id"], &it["region"]].map(|it| text(it).to_owned()).into());
        Self {
            regions: regions.into_iter().collect::<Vec<_>>().join(" and "),
            region_of: region_of.collect(),
            pairs: pairs.collect(),
        }
    }

    /// The number of these pairs whose stacks are in different regions.
    fn between_regions(&self, reason: &str) -> usize {
        let pairs = self.pairs.iter().filter(|(of, ..)| of == reason);
        pairs.filter(|(_, from, to)| self.region_of.get(from) != self.region_of.get(to)).count()
    }

    fn pairs_of(&self, reason: &str) -> usize {
        self.pairs.iter().filter(|(of, ..)| of == reason).count()
    }
}

fn external(plan: &Value) -> String {
    let names: BTreeSet<&str> = list(&plan["external"]).map(|it| text(&it["name"])).collect();
    names.into_iter().map(|name| format!("The parameter `{name}`")).collect::<Vec<_>>().join(", ")
}

fn readers(plan: &Value) -> String {
    let stacks: BTreeSet<&str> = list(&plan["external"]).map(|it| text(&it["stack"])).collect();
    stacks.into_iter().map(|stack| format!("`{stack}`")).collect::<Vec<_>>().join(" and ")
}

/// The stacks of the critical path, with the minutes of each.
fn path(plan: &Value) -> String {
    let stack = |id: &Value| {
        let expected = list(&plan["stacks"]).find(|stack| stack["id"] == *id)?["expected_s"].as_f64()?;
        Some(format!("`{}` ({})", text(id), minutes(expected)))
    };
    let stacks: Vec<String> = list(&plan["critical_path"]).filter_map(stack).collect();
    format!("{}, in minutes", stacks.join(" → "))
}

fn advice(plan: &Value) -> Result<String> {
    let mut lines = String::new();
    for (number, it) in list(&plan["advice"]).take(ADVICE).enumerate() {
        let most = if it["at_most"] == true { "at most " } else { "" };
        let saves = minutes(seconds(&it["saves_s"])?);
        let stack = it["stack"].as_str().map_or_else(String::new, |stack| format!("`{stack}`: "));
        writeln!(lines, "{}. {most}{saves} minutes less: {stack}{}", number + 1, text(&it["what"]))?;
    }
    Ok(lines.trim_end().to_owned())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn seconds(value: &Value) -> Result<f64> {
    value.as_f64().with_context(|| format!("{value} is no number of seconds"))
}

fn minutes(seconds: f64) -> String {
    format!("{:.1}", seconds / 60.0)
}

/// The seconds since midnight of a time such as `2026-01-01T00:46:13.123Z`: simulated runs begin at midnight.
fn time_of_day(at: &Value) -> Result<f64> {
    let parse = || {
        let (_, time) = at.as_str()?.trim_end_matches('Z').split_once('T')?;
        let mut seconds = 0.0;
        for part in time.split(':') {
            seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
        }
        Some(seconds)
    };
    parse().with_context(|| format!("{at} is no time"))
}

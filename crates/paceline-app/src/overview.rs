//! `paceline` without a command, in the folder of a CDK app that has no configuration: what is there, and what to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use camino::Utf8Path;
use paceline_config::{FILE_NAME, Reason};
use paceline_engine::ExitCode;
use paceline_plan::Plan;
use paceline_text::{count, duration, list, wrap};

use crate::app::configured;
use crate::failure::Failure;
use crate::settings::AppPaths;
use crate::{forecast, terminal};

/// The most regions that are named.
const REGIONS: usize = 4;

/// Whether this folder has a CDK app and no configuration of Paceline.
pub fn is_new_app() -> bool {
    Utf8Path::new("cdk.json").is_file() && !Utf8Path::new(FILE_NAME).exists()
}

/// Says what the app has, what Paceline would save, and which commands are next.
pub fn overview() -> Result<ExitCode, Failure> {
    let paths = AppPaths::default();
    let app = configured(&paths)?.app(&paths)?;
    app.warn_of_newer_sources(&[]);
    let plan = app.plan(&app.options(None, false))?;
    let mut lines = vec![found(&plan)];
    if plan.stacks.len() > 1 {
        lines.push(dependencies(&plan));
        lines.push(times(&plan)?);
    }
    let width = usize::from(terminal::page_width());
    let mut text: String = lines.iter().flat_map(|line| wrap(line, width)).map(|line| line + "\n").collect();
    let command = command();
    text.push_str("next:\n");
    for (arguments, what) in [
        ("plan", "the order of the stacks, with its reasons"),
        ("deploy --simulate", "deploys to the embedded AWS, not to yours"),
        ("init", "writes paceline.yaml"),
    ] {
        let _ = writeln!(text, "  {command} {arguments:<18} # {what}");
    }
    terminal::print(&text);
    Ok(ExitCode::Done)
}

fn found(plan: &Plan) -> String {
    let regions: BTreeSet<&str> = plan
        .stacks
        .iter()
        .map(|stack| stack.region.as_deref().unwrap_or("the region of the credentials"))
        .collect();
    let named = if regions.len() > REGIONS { String::new() } else { format!(" ({})", list(&regions)) };
    let resources = plan.stacks.iter().map(|stack| stack.resources).sum();
    let mut parts = vec![count(resources, "resource")];
    match plan.images() {
        0 => {}
        images => parts.push(count(images, "image")),
    }
    format!(
        "A CDK app with {} in {}{named}: {}.",
        count(plan.stacks.len(), "stack"),
        count(regions.len(), "region"),
        list(&parts)
    )
}

/// The pairs of stacks of which one waits for the other, and those of them that the manifest does not have.
fn dependencies(plan: &Plan) -> String {
    let mut pairs: BTreeMap<(&str, &str), BTreeSet<Reason>> = BTreeMap::new();
    for edge in plan.stacks.iter().flat_map(|stack| &stack.depends_on) {
        pairs.entry((&edge.from, &edge.to)).or_default().insert(edge.reason);
    }
    let hidden: Vec<_> = pairs.values().filter(|reasons| !reasons.contains(&Reason::Manifest)).collect();
    let reasons: BTreeSet<&str> =
        hidden.iter().flat_map(|it| it.iter()).map(|reason| reason.as_str()).collect();
    let waits = count(pairs.len(), "dependency");
    match hidden.len() {
        0 => format!("{waits} between stacks, all of them in the manifest of the CDK."),
        some => format!(
            "{waits} between stacks. The manifest of the CDK does not have {some} of them ({}).",
            list(&reasons)
        ),
    }
}

fn times(plan: &Plan) -> Result<String, Failure> {
    let (alone, together) = forecast::with_and_without(plan)?;
    let saved = alone.saturating_sub(together);
    Ok(format!(
        "Deployed one after another: {}. With Paceline: {}, which is {} less. Both are estimates, from the usual \
         durations of resources.",
        duration(alone),
        duration(together),
        duration(saved)
    ))
}

/// The command as a person types it here.
fn command() -> &'static str {
    // npm sets it for what it runs.
    if std::env::var_os("npm_config_user_agent").is_some() { "npx paceline" } else { "paceline" }
}

//! The scripts between deployments, and the signal at the end.

use std::collections::BTreeSet;

use paceline_buildspec::understand::{ExistingPipeline, Script};
use paceline_plan::Plan;
use paceline_plan::graph::Graph;
use paceline_text::{free_name, shell_word};
use paceline_yaml::inline;

use crate::order::Order;
use crate::out::Out;
use crate::{apps, regions};

/// Writes the scripts. What comes after one waits for it if `scripts_order`.
pub(crate) fn write(
    out: &mut Out,
    build: &ExistingPipeline,
    order: &Order,
    plan: Option<&Plan>,
    scripts_order: bool,
) {
    conditions(out, build);
    if build.scripts.is_empty() {
        return;
    }
    out.blank();
    out.comment("Scripts of the build, each between the stacks it was between.");
    out.line("commands:");
    let mut taken = BTreeSet::new();
    let mut scripts: Vec<Script> = Vec::new();
    for script in &build.scripts {
        match scripts.last_mut().filter(|last| goes_with(last, script)) {
            Some(last) => {
                last.text = format!("{}\n{}", last.text, script.text);
                last.env.extend(script.env.clone());
            }
            None => scripts.push(script.clone()),
        }
    }
    for script in &scripts {
        let Some((after, before)) = around(build, order, script) else {
            out.note(script.line, "it follows no stack of the assembly, and is left out");
            continue;
        };
        let before = before.filter(|before| scripts_order && is_possible(plan, after, before));
        command(out, script, after, before, &mut taken);
    }
}

/// Whether two scripts are one: nothing is between them, and both run in the same place.
fn goes_with(first: &Script, second: &Script) -> bool {
    first.after == second.after
        && first.dir == second.dir
        && first.when == second.when
        && first.always == second.always
}

/// The nearest deployment with stacks before a script, and the one after it.
fn around<'a>(
    build: &ExistingPipeline,
    order: &'a Order,
    script: &Script,
) -> Option<(&'a [String], Option<&'a [String]>)> {
    let before = (0..script.after).rev().map(|number| order.stacks_of(number)).find(|it| !it.is_empty())?;
    let mut after = (script.after..build.deployments.len()).map(|number| order.stacks_of(number));
    Some((before, after.find(|it| !it.is_empty())))
}

fn command(
    out: &mut Out,
    script: &Script,
    after: &[String],
    before: Option<&[String]>,
    taken: &mut BTreeSet<String>,
) {
    out.line(&format!("  - name: {} # line {}", inline::word(&free_name(&name(script), taken)), script.line));
    out.line(&format!("    after: {}", one_or_list(after)));
    if let Some(before) = before {
        out.line(&format!("    before: {}", one_or_list(before)));
    }
    if !script.dir.is_empty() {
        out.line(&format!("    dir: {}", inline::word(&script.dir)));
    }
    let mut text = script.text.clone();
    if let Some(when) = &script.when {
        if let Some(variable) = &when.variable {
            let operator = if when.equals { "=" } else { "!=" };
            let value = shell_word(&when.value);
            text = format!("[ \"${{{variable}:-}}\" {operator} {value} ] || exit 0\n{text}");
        } else {
            let condition = apps::one_line(&when.text);
            out.indented(4, &format!("Only when {condition}: that is not taken over."));
            out.note(script.line, format!("the script ran only when {condition}: it always runs now"));
        }
    }
    if text.contains('\n') {
        text = format!("set -e\n{text}");
    }
    out.line(&format!("    run: {}", inline::script(&text, 6)));
    if script.needs_bash() {
        out.line("    shell: bash");
    }
    if !script.env.is_empty() {
        let pairs: Vec<String> = script
            .env
            .iter()
            .map(|(name, value)| format!("{}: {}", inline::word(name), inline::quoted(value)))
            .collect();
        out.line(&format!("    env: {{ {} }}", pairs.join(", ")));
    }
    if script.always {
        out.note(
            script.line,
            "it ran after failures too; as a command it runs when the stacks before it are done",
        );
    }
}

fn one_or_list(stacks: &[String]) -> String {
    match stacks {
        [only] => inline::word(only),
        several => inline::list(several),
    }
}

/// Whether what follows a script can wait for what is before it: not if the graph says the opposite.
fn is_possible(plan: Option<&Plan>, after: &[String], before: &[String]) -> bool {
    let Some(plan) = plan else { return !before.iter().any(|name| name.ends_with('*')) };
    let at = |id: &String| plan.stacks.iter().position(|stack| stack.id == *id);
    let mut graph = Graph::new(plan.stacks.len());
    for (from, stack) in plan.stacks.iter().enumerate() {
        stack.depends_on.iter().filter_map(|edge| at(&edge.to)).for_each(|to| graph.add(from, to));
    }
    let level = |id: &String| at(id).map(|at| plan.stacks[at].level);
    let waits = |first: &String, then: &String| match (at(first), at(then)) {
        (Some(first), Some(then)) => first == then || graph.all_needs(first)[then],
        _ => true,
    };
    // A phase before that of what it follows would contradict it.
    let fits = |first: &String, then: &String| !waits(first, then) && level(first) <= level(then);
    after.iter().all(|first| before.iter().all(|then| fits(first, then)))
}

fn is_script(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(_, ending)| ["sh", "py", "js"].contains(&ending))
}

/// After the file that it runs, or after its program.
fn name(script: &Script) -> String {
    let words: Vec<&str> = script.text.split_whitespace().collect();
    let file = words.iter().find(|word| is_script(word));
    let own = match file {
        Some(file) => file
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .rsplit_once('.')
            .map_or("", |(stem, _)| stem)
            .to_owned(),
        None => words
            .iter()
            .take_while(|word| !word.starts_with('-'))
            .take(3)
            .copied()
            .collect::<Vec<_>>()
            .join("-"),
    };
    let keep = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let own: String = own.chars().map(keep).collect();
    let parts: Vec<&str> = own.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { format!("script-{}", script.line) } else { parts.join("-") }
}

fn named(stacks: &[String]) -> String {
    if stacks.is_empty() { "the app".to_owned() } else { stacks.join(", ") }
}

/// Conditions that no configuration can say.
fn conditions(out: &mut Out, build: &ExistingPipeline) {
    let switch = regions::variable(build);
    for it in &build.deployments {
        let is_region = switch.as_ref().is_some_and(|name| regions::is_switched(it, name))
            && out.text.contains("\nmulti-region:");
        if let Some(when) = it.when.as_ref().filter(|_| !is_region) {
            let (stacks, condition) = (named(&it.stacks), apps::one_line(&when.text));
            out.note(
                it.line,
                format!(
                    "{stacks} was deployed only when {condition}; it always is now: --exclude leaves it out"
                ),
            );
        }
        if it.may_fail {
            let stacks = named(&it.stacks);
            out.note(it.line, format!("{stacks} was allowed to fail; now its failure fails the run, and skips only what depends on it"));
        }
    }
}

pub(crate) fn write_signal(out: &mut Out, build: &ExistingPipeline) {
    let Some(signal) = &build.signal else { return };
    out.blank();
    out.comment(&format!(
        "Line {} tells a wait condition that the build ended. The run tells it once, with the reason, and also \
         when it fails, so that nobody waits for a timeout.",
        signal.line
    ));
    out.line(&format!("signal: {{ wait-handle: {} }}", inline::word(&signal.variable)));
}

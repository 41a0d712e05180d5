//! The phases that a graph suggests: its levels.

use std::collections::{BTreeMap, BTreeSet};

use paceline_plan::Plan;
use paceline_text::free_name;
use paceline_yaml::inline;

use crate::group_names;
use crate::out::Out;

/// More stacks than this on one line nobody reads.
const ON_A_LINE: usize = 6;

pub(crate) fn write(out: &mut Out, plan: &Plan) {
    let mut levels: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for stack in &plan.stacks {
        levels.entry(stack.level).or_default().push(&stack.id);
    }
    out.blank();
    if levels.len() < 2 {
        match plan.stacks.len() {
            1 => out.comment("There is one stack, so there are no phases."),
            n => out.comment(&format!(
                "None of the {n} stacks waits for another, so there are no phases: all start at once."
            )),
        }
        return;
    }
    out.comment(
        "Phases name groups of stacks, for plans and reports. These are the levels of the graph: what is in a phase \
         waits for something in the phase before. They are no barriers: a stack starts as soon as everything it \
         needs is there. Rename and regroup them as you like.",
    );
    out.line("phases:");
    let mut taken = BTreeSet::new();
    for (level, stacks) in levels {
        let name =
            group_names::for_group(stacks.iter().copied()).unwrap_or_else(|| format!("level-{}", level + 1));
        phase(out, &free_name(&name, &mut taken), &stacks, &regions(plan, &stacks));
    }
}

/// A phase, with a remark.
pub(crate) fn phase(out: &mut Out, name: &str, stacks: &[&str], remark: &str) {
    out.line(&format!("  - name: {}", inline::word(name)));
    if !remark.is_empty() {
        out.indented(4, remark);
    }
    if stacks.len() <= ON_A_LINE && stacks.iter().map(|stack| stack.len() + 2).sum::<usize>() < 90 {
        return out.line(&format!("    stacks: {}", inline::list(stacks)));
    }
    out.line("    stacks:");
    for stack in stacks {
        out.line(&format!("      - {}", inline::word(stack)));
    }
}

/// Where the stacks go, if there is more than one region.
fn regions(plan: &Plan, stacks: &[&str]) -> String {
    let all: BTreeSet<Option<&str>> = plan.stacks.iter().map(|stack| stack.region.as_deref()).collect();
    if all.len() < 2 {
        return String::new();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for stack in plan.stacks.iter().filter(|stack| stacks.contains(&stack.id.as_str())) {
        *counts.entry(stack.region.as_deref().unwrap_or("wherever it is deployed from")).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(region, n)| format!("{n} in {region}")).collect();
    counts.join(", ")
}

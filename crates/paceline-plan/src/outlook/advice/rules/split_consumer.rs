//! A stack all of which waits for others, though only a part of it needs them.

use std::collections::BTreeSet;

use super::{Bar, Proposal, Scene};
use crate::show::show_duration;

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    scene.path_and_twins().into_iter().filter_map(|stack| split(scene, stack)).collect()
}

fn split<'s>(scene: &'s Scene<'_>, stack: usize) -> Option<Proposal<'s>> {
    let inside = scene.inside(stack)?;
    let (mut on, mut reading) = (Vec::new(), BTreeSet::new());
    for needed in scene.dependencies(stack) {
        // What is needed of another, the templates may not show: then the whole stack goes on waiting for that.
        if let Some(some) = scene.reading(stack, needed) {
            on.push(needed);
            reading.extend(some);
        }
    }
    let waiting = inside.with_dependents(&reading);
    let free = inside.without(&waiting);
    let (early, rest) = (inside.time_of(&free), inside.time_of(&waiting));
    if free.is_empty() || waiting.is_empty() || rest >= scene.plan.stacks[stack].expected {
        return None;
    }
    let names: Vec<&str> = on.iter().map(|&stack| scene.id(stack)).collect();
    let what = format!(
        "split it: only {} ({}) need {}; {} ({}) could be made meanwhile",
        inside.named(&waiting),
        show_duration(rest),
        names.join(", "),
        inside.named(&free),
        show_duration(early),
    );
    let cost = "one stack more; resources that hold data move by `cdk import` or are made anew".to_owned();
    let proposal = scene.propose("split-consumer", stack, None, [what, cost], move |plan| {
        plan.start_part_early(stack, &on, early, rest);
    });
    Some(proposal.with_bar(Bar::High))
}

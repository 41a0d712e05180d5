//! A stack whose dependents wait for all of it, though what they take from it is there early.

use std::collections::BTreeSet;

use super::{Bar, Proposal, Scene, Split};
use crate::show::show_duration;

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    // Only what waits for it on the critical path makes it matter, or the twin of that.
    let mut found = Vec::new();
    for pair in scene.path.windows(2) {
        for stack in scene.path_and_twins() {
            let is_meant = |&next: &usize| next == pair[1] || scene.are_twins(next, pair[1]);
            if stack == pair[0] || scene.are_twins(stack, pair[0]) {
                let next = scene.dependents(stack).into_iter().find(is_meant);
                found.extend(next.and_then(|next| split(scene, stack, next)));
            }
        }
    }
    found
}

fn split<'s>(scene: &'s Scene<'_>, stack: usize, next: usize) -> Option<Proposal<'s>> {
    let inside = scene.inside(stack)?;
    let mut early = inside.usable(&scene.provided(stack, next)?);
    let mut wait_for_both = Vec::new();
    // What others take goes with it where that makes it take no longer.
    for other in scene.dependents(stack).into_iter().filter(|&other| other != next) {
        match scene.provided(stack, other).map(|taken| inside.usable(&taken)) {
            Some(taken) if inside.time_of(&taken) <= inside.time_of(&early) => early.extend(taken),
            _ => wait_for_both.push(other),
        }
    }
    let late: BTreeSet<usize> = inside.without(&early);
    let (kept, off) = (inside.time_of(&early), inside.time_of(&late));
    if early.is_empty() || late.is_empty() || kept >= scene.plan.stacks[stack].expected {
        return None;
    }
    let off_waits = inside.waits(&late, &early);
    let (code, how) = if off_waits {
        ("early-resource", "what others need of it is there early")
    } else {
        ("split-stack", "it falls apart into two that do not refer to each other")
    };
    let what = format!(
        "split it, as {how}: {} ({}) for {}, and {} ({}), which then holds up nothing on this path",
        inside.named(&early),
        show_duration(kept),
        scene.id(next),
        inside.named(&late),
        show_duration(off),
    );
    let cost = "one stack more; resources that hold data move by `cdk import` or are made anew".to_owned();
    let proposal = scene.propose(code, stack, None, [what, cost], move |plan| {
        plan.split_off(&Split { stack, kept, off, off_waits, wait_for_both: &wait_for_both });
    });
    Some(proposal.with_bar(Bar::High))
}

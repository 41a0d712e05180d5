//! A stack whose dependents wait for all of it, though the part that they need is complete early.

use std::collections::BTreeSet;

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::{Bar, Proposal};
use crate::outlook::advice::remedy::Remedy;
use crate::outlook::advice::split::Split;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    // Only the next stack on the critical path, or a twin of it, makes the part matter.
    let mut found = Vec::new();
    for pair in input.path.windows(2) {
        for stack in input.path_and_twins() {
            let is_meant = |&next: &usize| next == pair[1] || input.are_twins(next, pair[1]);
            if stack == pair[0] || input.are_twins(stack, pair[0]) {
                let next = input.dependents(stack).into_iter().find(is_meant);
                found.extend(next.and_then(|next| split(input, stack, next)));
            }
        }
    }
    found
}

fn split<'s>(input: &'s AdviceInput<'_>, stack: usize, next: usize) -> Option<Proposal<'s>> {
    let inside = input.inside(stack)?;
    let mut early = inside.usable(&input.provided(stack, next)?);
    let mut wait_for_both = Vec::new();
    // The needs of others are added where that makes the part take no longer.
    for other in input.dependents(stack).into_iter().filter(|&other| other != next) {
        match input.provided(stack, other).map(|taken| inside.usable(&taken)) {
            Some(taken) if inside.time_of(&taken) <= inside.time_of(&early) => early.extend(taken),
            _ => wait_for_both.push(other),
        }
    }
    let late: BTreeSet<usize> = inside.without(&early);
    let (kept, off) = (inside.time_of(&early), inside.time_of(&late));
    if early.is_empty() || late.is_empty() || kept >= input.plan.stacks[stack].expected {
        return None;
    }
    let off_waits = inside.waits(&late, &early);
    let remedy = Remedy::SplitProvider {
        early: inside.part(&early),
        needed_by: input.id(next).to_owned(),
        late: inside.part(&late),
        late_waits: off_waits,
    };
    let proposal = Proposal::about(input, stack, remedy, move |plan| {
        plan.split_off(&Split { stack, kept, off, off_waits, wait_for_both: &wait_for_both });
    });
    Some(proposal.with_bar(Bar::High))
}

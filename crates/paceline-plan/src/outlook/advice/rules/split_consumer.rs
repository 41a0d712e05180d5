//! A stack all of which waits for others, though only a part of it needs them.

use std::collections::BTreeSet;

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::{Bar, Proposal};
use crate::outlook::advice::remedy::Remedy;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    input.path_and_twins().into_iter().filter_map(|stack| split(input, stack)).collect()
}

fn split<'s>(input: &'s AdviceInput<'_>, stack: usize) -> Option<Proposal<'s>> {
    let inside = input.inside(stack)?;
    let (mut on, mut reading) = (Vec::new(), BTreeSet::new());
    for needed in input.dependencies(stack) {
        // Where templates do not show what it needs of another stack, the whole stack goes on waiting for that one.
        if let Some(some) = input.reading(stack, needed) {
            on.push(needed);
            reading.extend(some);
        }
    }
    let waiting = inside.with_dependents(&reading);
    let free = inside.without(&waiting);
    let (early, rest) = (inside.time_of(&free), inside.time_of(&waiting));
    if free.is_empty() || waiting.is_empty() || rest >= input.plan.stacks[stack].expected {
        return None;
    }
    let remedy = Remedy::SplitConsumer {
        waiting: inside.part(&waiting),
        needs: on.iter().map(|&stack| input.id(stack).to_owned()).collect(),
        free: inside.part(&free),
    };
    let proposal = Proposal::about(input, stack, remedy, move |plan| {
        plan.start_part_early(stack, &on, early, rest);
    });
    Some(proposal.with_bar(Bar::High))
}

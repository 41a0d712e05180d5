//! Readers of a database cluster, which are only created when its writer exists.

use std::collections::BTreeSet;

use crate::outlook::advice::input::{AdviceInput, INSTANCES};
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;
use crate::outlook::advice::split::Split;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in input.insides() {
        let instances = inside.of_type(|kind| INSTANCES.contains(&kind));
        // CDK lets a reader depend on the writer, so that the writer is the first.
        let readers = instances.iter().copied().filter(|&instance| inside.follows_instance(instance));
        let readers: BTreeSet<usize> = readers.collect();
        let Some(&first) = readers.first() else { continue };
        let late = inside.with_dependents(&readers);
        let users: Vec<usize> = input
            .dependents(stack)
            .into_iter()
            .filter(|&other| input.provided(stack, other).is_some_and(|taken| !taken.is_disjoint(&late)))
            .collect();
        let (kept, off) = (inside.time_if_instant(&late), inside.time_of(&late));
        let remedy = Remedy::MoveReader { takes: inside.time_of_one(first) };
        let proposal = Proposal::about(input, stack, remedy, move |plan| {
            plan.split_off(&Split { stack, kept, off, off_waits: true, wait_for_both: &users });
        });
        found.push(proposal.of_resource(inside.resources.ids[first]));
    }
    found
}

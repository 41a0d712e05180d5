//! A gate that stacks on the critical path wait at.

use std::time::Duration;

use crate::model::Work;
use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for stack in input.path_and_twins() {
        for step in input.plan.steps_of(stack) {
            let Work::Gate { gate, .. } = &input.plan.steps[step].work else { continue };
            let remedy = Remedy::NarrowGate {
                takes: input.plan.steps[step].expected,
                all_roles: gate.waits_for_all(),
            };
            let proposal = Proposal::about(input, stack, remedy, move |plan| {
                plan.steps[step].expected = Duration::ZERO;
            });
            found.push(proposal.at_most());
        }
    }
    found
}

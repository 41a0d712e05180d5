//! Phases that put stacks in an order that nothing needs.

use crate::model::{Plan, Reason};
use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;
use paceline_config::Strategy;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let propose = |phase: Option<&'s str>| {
        let remedy = Remedy::OrderByEdges { phase: phase.map(str::to_owned) };
        Proposal::about_all(remedy, move |plan: &mut Plan| plan.drop_phase_edges(phase))
    };
    if input.plan.strategy == Strategy::Phases {
        return vec![propose(None)];
    }
    let orders = |phase: &str| {
        let of_phase = input.plan.stacks.iter().filter(|stack| stack.phase.as_deref() == Some(phase));
        of_phase.flat_map(|stack| &stack.depends_on).any(|edge| edge.reason == Reason::Phase)
    };
    let phases = input.plan.phases.iter().filter(|phase| orders(&phase.name));
    phases.map(|phase| propose(Some(&phase.name))).collect()
}

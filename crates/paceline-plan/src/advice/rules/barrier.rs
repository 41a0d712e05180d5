//! Phases that put stacks in an order that nothing needs.

use std::time::Duration;

use super::{Advice, Bar, Proposal, Scene};
use crate::config::Strategy;
use crate::edges::Reason;

pub(super) fn find(scene: &Scene<'_>) -> Vec<Proposal> {
    let held = |phase: &str| {
        let of_phase = scene.plan.stacks.iter().filter(|stack| stack.phase.as_deref() == Some(phase));
        of_phase.flat_map(|stack| &stack.depends_on).any(|edge| edge.reason == Reason::Phase)
    };
    let mut found = Vec::new();
    let cost = "nothing, if every dependency is an edge: what no file shows has to be declared under `edges`";
    let mut propose = |phase: Option<&str>, what: String| {
        let mut plan = scene.plan.clone();
        plan.drop_phase_edges(phase);
        let (stack, logical_id, cost) = (None, None, cost.to_owned());
        let advice =
            Advice { code: "barrier", saves: Duration::ZERO, at_most: false, stack, logical_id, what, cost };
        found.push(Proposal { advice, plan, bar: Bar::Low });
    };
    if scene.plan.strategy == Strategy::Phases {
        propose(None, "let only edges order the stacks: `strategy: graph`".to_owned());
        return found;
    }
    for phase in scene.plan.phases.iter().filter(|phase| held(&phase.name)) {
        let name = &phase.name;
        propose(
            Some(name),
            format!("let phase `{name}` be neither `barrier` nor `sequential`: edges are enough"),
        );
    }
    found
}

//! Phases that put stacks in an order that nothing needs.

use super::{Proposal, Scene};
use crate::build::edges::Reason;
use crate::config::Strategy;
use crate::model::plan::Plan;

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let held = |phase: &str| {
        let of_phase = scene.plan.stacks.iter().filter(|stack| stack.phase.as_deref() == Some(phase));
        of_phase.flat_map(|stack| &stack.depends_on).any(|edge| edge.reason == Reason::Phase)
    };
    let mut found = Vec::new();
    let cost = "nothing, if every dependency is an edge: what no file shows has to be declared under `edges`";
    let mut propose = |phase: Option<&'s str>, what: String| {
        let change = move |plan: &mut Plan| plan.drop_phase_edges(phase);
        found.push(Scene::propose_for_all("barrier", [what, cost.to_owned()], change));
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

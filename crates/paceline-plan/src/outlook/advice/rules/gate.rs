//! A gate that stacks on the critical path wait at.

use std::time::Duration;

use super::{Proposal, Scene};
use crate::config::IamRoles;
use crate::model::plan::Work;
use crate::show::show_duration;

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for stack in scene.path_and_twins() {
        for step in scene.plan.steps_of(stack) {
            let Work::Gate { roles, .. } = &scene.plan.steps[step].work else { continue };
            let all = if *roles == IamRoles::All {
                " Name the roles that others assume instead of `all`"
            } else {
                ""
            };
            let what = format!(
                "the gate after it takes {}: wait only for roles that what follows uses at once.{all}",
                show_duration(scene.plan.steps[step].expected)
            );
            let cost = "a role that is not usable yet fails what uses it".to_owned();
            let proposal = scene.propose("gate", stack, None, [what, cost], move |plan| {
                plan.steps[step].expected = Duration::ZERO;
            });
            found.push(proposal.at_most());
        }
    }
    found
}

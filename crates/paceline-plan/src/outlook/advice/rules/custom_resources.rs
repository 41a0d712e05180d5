//! Custom resources that take most of a stack's time.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Proposal, Scene};
use crate::show::show_duration;

/// What the functions behind them take on a stack's longest chain, from which on it is worth a look.
const LONG: Duration = Duration::from_mins(2);

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in scene.insides() {
        let is_custom =
            |kind: &str| kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource";
        // The clusters of an older CDK are custom resources too, and have a rule of their own.
        let custom = inside.of_type(|kind| is_custom(kind) && !kind.contains("EKS-Cluster"));
        let chain: BTreeSet<usize> = inside.resources.longest_chain().into_iter().collect();
        let on_chain: BTreeSet<usize> = custom.intersection(&chain).copied().collect();
        let time: Duration = on_chain.iter().map(|&number| inside.time_of_one(number)).sum();
        if time < LONG || time * 2 < scene.plan.stacks[stack].expected {
            continue;
        }
        let what = format!(
            "custom resources take {} of the {} on the longest chain ({}): look at what their functions wait for, \
             and whether one has to follow the other",
            show_duration(time),
            show_duration(scene.plan.stacks[stack].expected),
            inside.named(&on_chain),
        );
        let without = inside.time_if_instant(&on_chain);
        let proposal = scene.propose(
            "custom-resources",
            stack,
            None,
            [what, "work on the functions".to_owned()],
            move |plan| {
                plan.set_expected(stack, without);
            },
        );
        found.push(proposal.at_most());
    }
    found
}

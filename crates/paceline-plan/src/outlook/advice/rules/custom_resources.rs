//! Custom resources that take most of a stack's time.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_assembly::is_custom;

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;

/// Custom resources that take less than this on a stack's longest chain are not worth a look.
const LONG: Duration = Duration::from_mins(2);

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in input.insides() {
        // The clusters of an older CDK are custom resources too, and have a rule of their own.
        let custom = inside.of_type(|kind| is_custom(kind) && !kind.contains("EKS-Cluster"));
        let chain: BTreeSet<usize> = inside.resources.longest_chain().into_iter().collect();
        let on_chain: BTreeSet<usize> = custom.intersection(&chain).copied().collect();
        let takes: Duration = on_chain.iter().map(|&number| inside.time_of_one(number)).sum();
        let of = input.plan.stacks[stack].expected;
        if takes < LONG || takes * 2 < of {
            continue;
        }
        let remedy = Remedy::ShortenCustomResources { resources: inside.listed(&on_chain), takes, of };
        let without = inside.time_if_instant(&on_chain);
        let proposal = Proposal::about(input, stack, remedy, move |plan| plan.set_expected(stack, without));
        found.push(proposal.at_most());
    }
    found
}

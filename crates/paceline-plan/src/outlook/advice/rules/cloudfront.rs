//! A distribution in a stack, where none of the stacks that wait for it uses the distribution.

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;
use crate::outlook::advice::split::Split;

const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in input.insides() {
        let distributions = inside.of_type(|kind| kind == DISTRIBUTION);
        let Some(&first) = distributions.first() else { continue };
        let late = inside.with_dependents(&distributions);
        // The team may have put stacks in order for a reason that no template shows.
        let by_team =
            |other: usize| input.edges(other, stack).iter().any(|it| it.reason.is_ordered_by_the_team());
        let uses_it = |other: &usize| {
            by_team(*other) || input.provided(stack, *other).is_some_and(|taken| !taken.is_disjoint(&late))
        };
        let dependents = input.dependents(stack);
        let users: Vec<usize> = dependents.iter().copied().filter(uses_it).collect();
        if users.len() == dependents.len() || inside.without(&late).is_empty() {
            continue;
        }
        let (kept, off) = (inside.time_if_instant(&late), inside.time_of(&late));
        let remedy = Remedy::MoveDistribution { takes: inside.time_of_one(first) };
        let proposal = Proposal::about(input, stack, remedy, move |plan| {
            plan.split_off(&Split { stack, kept, off, off_waits: true, wait_for_both: &users });
        });
        found.push(proposal.of_resource(inside.resources.ids[first]));
    }
    found
}

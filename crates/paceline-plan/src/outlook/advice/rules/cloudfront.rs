//! A distribution in a stack that others wait for, who take nothing of it.

use super::{Proposal, Scene, Split};
use crate::show::show_duration;

const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in scene.insides() {
        let distributions = inside.of_type(|kind| kind == DISTRIBUTION);
        let Some(&first) = distributions.first() else { continue };
        let late = inside.with_dependents(&distributions);
        // What the team has put in order may be there for a reason that no template shows.
        let by_team =
            |other: usize| scene.edges(other, stack).iter().any(|it| it.reason.is_ordered_by_the_team());
        let uses_it = |other: &usize| {
            by_team(*other) || scene.provided(stack, *other).is_some_and(|taken| !taken.is_disjoint(&late))
        };
        let dependents = scene.dependents(stack);
        let users: Vec<usize> = dependents.iter().copied().filter(uses_it).collect();
        if users.len() == dependents.len() || inside.without(&late).is_empty() {
            continue;
        }
        let (kept, off) = (inside.time_if_instant(&late), inside.time_of(&late));
        let what = format!(
            "move the CloudFront distribution ({}) to a stack of its own: nothing that its templates show uses it \
             among the stacks that wait for {}",
            show_duration(inside.time_of_one(first)),
            scene.id(stack)
        );
        let cost = "one stack more; its domain name changes if it is made anew".to_owned();
        let id = inside.resources.ids[first];
        found.push(scene.propose("cloudfront-first", stack, Some(id), [what, cost], move |plan| {
            plan.split_off(&Split { stack, kept, off, off_waits: true, wait_for_both: &users });
        }));
    }
    found
}

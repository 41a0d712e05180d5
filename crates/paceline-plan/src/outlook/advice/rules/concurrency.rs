//! Limits that let steps wait which could go on.

use std::num::NonZeroUsize;

use super::{Bar, Proposal, Scene};
use crate::model::plan::{Plan, Work};

/// A limit, and what raising it would mean.
struct Limit {
    key: &'static str,
    now: usize,
    /// How many steps it is for.
    steps: usize,
    /// The most that is proposed.
    most: usize,
    set: fn(&mut Plan, NonZeroUsize),
    cost: &'static str,
}

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let limits = scene.plan.concurrency;
    let count = |is_it: fn(&Work) -> bool| scene.plan.steps.iter().filter(|step| is_it(&step.work)).count();
    let limits = [
        Limit {
            key: "stacks",
            now: limits.stacks.get(),
            steps: count(|work| matches!(work, Work::Deploy { .. })),
            most: 200,
            set: |plan, number| plan.concurrency.stacks = number,
            cost: "more calls at once, which stay within the documented rates; quotas of services may be reached",
        },
        Limit {
            key: "images",
            now: limits.images.get(),
            steps: count(|work| matches!(work, Work::Publish(publish) if publish.image)),
            most: 16,
            set: |plan, number| plan.concurrency.images = number,
            cost: "the build needs the processors, the memory and the disk for it",
        },
    ];
    limits.iter().flat_map(proposals).collect()
}

/// Twice as many, and as many as there are.
fn proposals<'s>(limit: &Limit) -> Vec<Proposal<'s>> {
    let Limit { key, now, steps, most, set, cost } = *limit;
    let most = steps.min(most);
    let higher = [now * 2, most].into_iter().filter(|to| *to > now && *to <= most);
    let propose = |to: NonZeroUsize| {
        let what =
            format!("let {to} {key} go on at once instead of {now} (`concurrency: {{ {key}: {to} }}`)");
        let change = move |plan: &mut Plan| set(plan, to);
        Scene::propose_for_all("concurrency", [what, cost.to_owned()], change).with_bar(Bar::BeyondItsRule)
    };
    higher.filter_map(NonZeroUsize::new).map(propose).collect()
}

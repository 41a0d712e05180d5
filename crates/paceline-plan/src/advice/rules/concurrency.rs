//! Limits that let steps wait which could go on.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::{Advice, Bar, Proposal, Scene};
use crate::plan::{Plan, Work};

/// The most stack operations at once that are proposed, and the most image builds.
const MOST: [usize; 2] = [200, 16];

pub(super) fn find(scene: &Scene<'_>) -> Vec<Proposal> {
    let limits = scene.plan.concurrency;
    let builds = |images: bool| {
        let is_it = |work: &Work| match work {
            Work::Deploy { .. } => !images,
            Work::Publish(publish) => images && publish.image,
            Work::Delete { .. } | Work::Gate { .. } | Work::Command(_) => false,
        };
        scene.plan.steps.iter().filter(|step| is_it(&step.work)).count()
    };
    let mut found = Vec::new();
    let mut propose =
        |now: usize, there: usize, most: usize, key: &str, set: fn(&mut Plan, NonZeroUsize), cost: &str| {
            // Twice as many, and as many as there are.
            for to in [now * 2, most.min(there)] {
                let Some(number) = NonZeroUsize::new(to).filter(|_| to > now && to <= there.min(most)) else {
                    continue;
                };
                let mut plan = scene.plan.clone();
                set(&mut plan, number);
                let what = format!(
                    "let {to} {key} go on at once instead of {now} (`concurrency: {{ {key}: {to} }}`)"
                );
                let (stack, logical_id, cost) = (None, None, cost.to_owned());
                let advice = Advice {
                    code: "concurrency",
                    saves: Duration::ZERO,
                    at_most: false,
                    stack,
                    logical_id,
                    what,
                    cost,
                };
                found.push(Proposal { advice, plan, bar: Bar::BeyondItsRule });
            }
        };
    let of_stacks =
        "more calls at once, which stay within the documented rates; quotas of services may be reached";
    let of_images = "the build needs the processors, the memory and the disk for it";
    propose(
        limits.stacks.get(),
        builds(false),
        MOST[0],
        "stacks",
        |plan, n| plan.concurrency.stacks = n,
        of_stacks,
    );
    propose(
        limits.images.get(),
        builds(true),
        MOST[1],
        "images",
        |plan, n| plan.concurrency.images = n,
        of_images,
    );
    found
}

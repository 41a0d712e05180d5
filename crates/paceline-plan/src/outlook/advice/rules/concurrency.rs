//! Limits that make steps wait although nothing else does.

use std::num::NonZeroUsize;

use crate::model::{Plan, Work};
use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::{Bar, Proposal};
use crate::outlook::advice::remedy::{Limit, Remedy};

/// The use of a limit.
struct Use {
    limit: Limit,
    now: usize,
    /// How many steps it is for.
    steps: usize,
    /// The most that is proposed.
    most: usize,
}

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let limits = input.plan.concurrency;
    let count = |is_it: fn(&Work) -> bool| input.plan.steps.iter().filter(|step| is_it(&step.work)).count();
    let uses = [
        Use {
            limit: Limit::Stacks,
            now: limits.stacks.get(),
            steps: count(|work| matches!(work, Work::Deploy { .. })),
            most: 200,
        },
        Use {
            limit: Limit::Images,
            now: limits.images.get(),
            steps: count(|work| matches!(work, Work::Publish(publish) if publish.image)),
            most: 16,
        },
    ];
    uses.iter().flat_map(proposals).collect()
}

/// Twice as many, and as many as there are.
fn proposals<'s>(of: &Use) -> Vec<Proposal<'s>> {
    let Use { limit, now, steps, most } = *of;
    let most = steps.min(most);
    let higher = [now * 2, most].into_iter().filter(|to| *to > now && *to <= most);
    let propose = |to: NonZeroUsize| {
        let change = move |plan: &mut Plan| match limit {
            Limit::Stacks => plan.concurrency.stacks = to,
            Limit::Images => plan.concurrency.images = to,
        };
        Proposal::about_all(Remedy::RaiseLimit { limit, now, to }, change).with_bar(Bar::BeyondItsRule)
    };
    higher.filter_map(NonZeroUsize::new).map(propose).collect()
}

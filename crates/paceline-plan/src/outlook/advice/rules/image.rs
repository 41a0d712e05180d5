//! An image whose build decides when the stacks behind it can start.

use crate::model::{Plan, Publish, Step, Work};
use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;
use crate::outlook::expect::PUSH_TIME;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let critical = input.plan.critical_steps();
    let images = critical.iter().filter_map(|&step| {
        let step = &input.plan.steps[step];
        Some((step.expected, image(step)?))
    });
    let Some((takes, publish)) = images.max_by_key(|(takes, _)| *takes) else { return Vec::new() };
    let remedy =
        Remedy::CacheImages { stack: input.id(publish.stack).to_owned(), image: publish.named(), takes };
    // The other images become quicker too: else the next slowest would take the place of this one.
    let change = |plan: &mut Plan| {
        for step in plan.steps.iter_mut().filter(|step| image(step).is_some()) {
            step.expected = step.expected.min(PUSH_TIME);
        }
    };
    vec![Proposal::about_all(remedy, change).at_most()]
}

fn image(step: &Step) -> Option<&Publish> {
    match &step.work {
        Work::Publish(publish) if publish.image => Some(publish),
        _ => None,
    }
}

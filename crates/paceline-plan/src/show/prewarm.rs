//! What a run creates at its start, as text and as JSON.

use serde::Serialize;

use crate::model::{Plan, Prewarm, Step, Work};

/// A repository of images that the run creates unless it exists, and the stacks that wait for it.
#[derive(Serialize)]
pub(super) struct Prewarmed<'a> {
    repository: &'a str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    stacks: Vec<&'a str>,
}

impl<'a> Prewarmed<'a> {
    pub(super) fn of(plan: &'a Plan, step: &'a Step) -> Option<Self> {
        let Work::Prewarm(work) = &step.work else { return None };
        let at = plan.steps.iter().position(|it| it.id == step.id)?;
        let waits = plan.steps.iter().filter(|it| it.needs.contains(&at));
        let waits = waits.filter_map(|it| Some(plan.stacks.get(it.work.changes()?)?.id.as_str()));
        let stack = plan.stack_of(step);
        Some(Self {
            repository: &work.repository,
            account: work.account.as_deref().or(stack.account.as_deref()),
            region: work.region.as_deref().or(stack.region.as_deref()),
            stacks: waits.collect(),
        })
    }
}

/// A repository, and where it is.
pub(super) fn prewarmed(plan: &Plan, prewarm: &Prewarm) -> String {
    let stack = plan.stacks.get(prewarm.stack);
    let own = stack.and_then(|stack| stack.region.as_deref());
    match prewarm.region.as_deref().or(own) {
        Some(region) => format!("{} in {region}", prewarm.repository),
        None => prewarm.repository.clone(),
    }
}

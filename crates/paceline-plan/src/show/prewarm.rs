//! What a run creates at its start, as text and as JSON.

use paceline_text::{Nullable, documented};

use crate::model::{Plan, Prewarm, Step, Work};

documented! {
    /// A repository of images that the run creates unless it exists.
    struct Prewarmed<'a> {
        /// Its name.
        repository: &'a str,
        /// Its account, if it is known.
        account: Nullable<&'a str>,
        /// Its region, if it is known.
        region: Nullable<&'a str>,
        /// The ids of the stacks that wait for it.
        stacks: Vec<&'a str>,
    }
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
            account: Nullable(work.account.as_deref().or(stack.account.as_deref())),
            region: Nullable(work.region.as_deref().or(stack.region.as_deref())),
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

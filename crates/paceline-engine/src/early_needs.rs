//! Needs that end early: they wait for the listed resources of a stack and not for the whole stack.
//!
//! A resource counts only as long as the operation that made it goes well. When the stack fails, is rolled
//! back, is deleted or is tried again, everything that was complete is missing again.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::ResourceStatus;
use paceline_plan::Plan;

use crate::event::{Fact, StackCall, StackProgress, StackSubmitted};

/// The missing resources, by the needed step and the step that waits.
#[derive(Debug)]
pub(crate) struct EarlyNeeds {
    waits: BTreeMap<(usize, usize), Wait>,
    /// The error of each needed step that fails. An entry is removed when its step is tried again.
    troubles: BTreeMap<usize, String>,
}

#[derive(Debug)]
struct Wait {
    resources: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// The consequence of a report for the steps that wait for resources of a stack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// All resources that these steps need from this stack exist.
    Complete(Vec<usize>),
    /// The operation fails, so its resources do not count.
    Trouble(String),
    /// Another operation on the stack begins: the resources that were complete are missing again.
    StartsOver,
}

impl EarlyNeeds {
    pub(crate) fn new(plan: &Plan) -> Self {
        let waits = plan.steps.iter().enumerate().flat_map(|(step, it)| {
            it.early_needs.iter().map(move |early| {
                let resources = early.resources.clone();
                ((early.need, step), Wait { missing: resources.clone(), resources })
            })
        });
        Self { waits: waits.collect(), troubles: BTreeMap::new() }
    }

    /// Applies a report about a needed step.
    ///
    /// CloudFormation sends no event for a resource that an update does not change. Only the end of the stack
    /// shows that such a resource is unchanged, so the need is met at the end of the stack.
    pub(crate) fn hears(&mut self, step: usize, fact: &Fact) -> Option<News> {
        if !self.is_awaited(step) {
            return None;
        }
        match fact {
            Fact::StackProgress(progress) => match trouble(progress) {
                Some(trouble) => self.fails(step, trouble),
                None => self.progress(step, progress),
            },
            Fact::StackSubmitted(submitted) => self.submitted(step, submitted),
            _ => None,
        }
    }

    /// Marks the step as failing. Returns nothing if it was marked before.
    pub(crate) fn fails(&mut self, step: usize, trouble: String) -> Option<News> {
        if !self.is_awaited(step) || self.troubles.contains_key(&step) {
            return None;
        }
        self.troubles.insert(step, trouble.clone());
        Some(News::Trouble(trouble))
    }

    /// Removes the mark that the step is failing. Returns whether the step had that mark.
    pub(crate) fn recovers(&mut self, step: usize) -> bool {
        self.troubles.remove(&step).is_some()
    }

    /// Marks every resource of the step as missing again. Returns the steps that had all the resources they
    /// need.
    pub(crate) fn take_back(&mut self, need: usize) -> Vec<usize> {
        let waits = self.waits.range_mut((need, 0)..=(need, usize::MAX));
        let had_all = waits.filter_map(|(&(_, step), wait)| {
            let had_all = wait.missing.is_empty();
            wait.missing.clone_from(&wait.resources);
            had_all.then_some(step)
        });
        had_all.collect()
    }

    /// Returns whether all resources that `step` needs from `need` exist, although `need` has not ended.
    pub(crate) fn is_met(&self, need: usize, step: usize) -> bool {
        self.waits.get(&(need, step)).is_some_and(|wait| wait.missing.is_empty())
    }

    /// Returns whether a step waits for resources of this one that do not exist yet.
    pub(crate) fn has_missing(&self, need: usize) -> bool {
        self.waits.range((need, 0)..=(need, usize::MAX)).any(|(_, wait)| !wait.missing.is_empty())
    }

    fn is_awaited(&self, step: usize) -> bool {
        self.waits.range((step, 0)..=(step, usize::MAX)).next().is_some()
    }

    fn progress(&mut self, step: usize, progress: &StackProgress) -> Option<News> {
        let is_complete =
            matches!(progress.status, ResourceStatus::CreateComplete | ResourceStatus::UpdateComplete);
        if !is_complete || progress.unconfirmed || self.troubles.contains_key(&step) {
            return None;
        }
        let waiting = self.waits.range_mut((step, 0)..=(step, usize::MAX));
        let met = waiting.filter_map(|(&(_, waits), wait)| {
            (wait.missing.remove(&progress.logical_id) && wait.missing.is_empty()).then_some(waits)
        });
        let met: Vec<usize> = met.collect();
        (!met.is_empty()).then_some(News::Complete(met))
    }

    fn submitted(&mut self, step: usize, submitted: &StackSubmitted) -> Option<News> {
        match submitted.operation {
            // Creating a change set changes no resource.
            StackCall::CreateChangeSet => None,
            StackCall::Create | StackCall::Update | StackCall::ExecuteChangeSet => Some(News::StartsOver),
            StackCall::Delete => self.fails(step, "is being deleted".to_owned()),
            _ => self.fails(step, "is being rolled back".to_owned()),
        }
    }
}

/// The reason why the operation fails or is rolled back, if this event gives one.
fn trouble(progress: &StackProgress) -> Option<String> {
    if let Some(status) = progress.stack_status() {
        return match status {
            status if status.is_rollback() => Some(format!("is being rolled back ({status})")),
            status if status.is_deletion() => Some(format!("is being deleted ({status})")),
            status if status.failed() => Some(format!("has failed ({status})")),
            _ => None,
        };
    }
    let StackProgress { logical_id, status, .. } = progress;
    // An update succeeds even if the cleanup after it cannot delete a resource.
    let fails = status.is_rollback() || status.failed() && *status != ResourceStatus::DeleteFailed;
    fails.then(|| format!("has failed ({logical_id} is in {status})"))
}

//! Steps that wait for resources of a stack and not for the whole of it.
//!
//! A resource counts only as long as the operation that made it goes well. When the stack fails, is rolled back,
//! is deleted or is tried again, everything that was complete is missing again.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::ResourceStatus;
use paceline_plan::Plan;

use crate::event::{Fact, StackCall, StackProgress, StackSubmitted};

/// What is still missing, by the step that is waited for and the one that waits.
#[derive(Debug)]
pub(crate) struct Early {
    waits: BTreeMap<(usize, usize), Wait>,
    /// What went wrong with the steps that are waited for, until they are tried again.
    troubles: BTreeMap<usize, String>,
}

#[derive(Debug)]
struct Wait {
    resources: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// What a report means for those who wait for resources of a stack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// These steps now have all they wait for of this stack.
    Complete(Vec<usize>),
    /// The operation goes wrong: nothing of it counts.
    Trouble(String),
    /// The stack is deployed anew: what was complete before is missing again.
    Anew,
}

impl Early {
    pub(crate) fn new(plan: &Plan) -> Self {
        let waits = plan.steps.iter().enumerate().flat_map(|(step, it)| {
            it.early_needs.iter().map(move |early| {
                let resources = early.resources.clone();
                ((early.need, step), Wait { missing: resources.clone(), resources })
            })
        });
        Self { waits: waits.collect(), troubles: BTreeMap::new() }
    }

    /// Takes in what is reported of a step that is waited for. A resource that an update leaves alone is never
    /// heard of, and whether it will be left alone is known at the end only: then the end of the stack counts.
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

    /// The step goes wrong, unless that is known already.
    pub(crate) fn fails(&mut self, step: usize, trouble: String) -> Option<News> {
        if !self.is_awaited(step) || self.troubles.contains_key(&step) {
            return None;
        }
        self.troubles.insert(step, trouble.clone());
        Some(News::Trouble(trouble))
    }

    /// Whether the step was going wrong, which counts no more.
    pub(crate) fn recovers(&mut self, step: usize) -> bool {
        self.troubles.remove(&step).is_some()
    }

    /// Everything that was complete is missing again. Returns the steps that had all they wait for.
    pub(crate) fn take_back(&mut self, need: usize) -> Vec<usize> {
        let waits = self.waits.range_mut((need, 0)..=(need, usize::MAX));
        let had_all = waits.filter_map(|(&(_, step), wait)| {
            let had_all = wait.missing.is_empty();
            wait.missing.clone_from(&wait.resources);
            had_all.then_some(step)
        });
        had_all.collect()
    }

    /// Whether a step has had all that it waits for of another before that has ended.
    pub(crate) fn is_met(&self, need: usize, step: usize) -> bool {
        self.waits.get(&(need, step)).is_some_and(|wait| wait.missing.is_empty())
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
            // It changes nothing yet.
            StackCall::CreateChangeSet => None,
            StackCall::Create | StackCall::Update | StackCall::ExecuteChangeSet => Some(News::Anew),
            StackCall::Delete => self.fails(step, "is being deleted".to_owned()),
            _ => self.fails(step, "is being rolled back".to_owned()),
        }
    }
}

/// What a change says of an operation that goes wrong, or is undone.
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
    // What cannot be cleaned up after an update is left behind, and the update has succeeded all the same.
    let fails = status.is_rollback() || status.failed() && *status != ResourceStatus::DeleteFailed;
    fails.then(|| format!("has failed ({logical_id} is in {status})"))
}

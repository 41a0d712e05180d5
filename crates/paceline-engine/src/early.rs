//! Steps that wait for resources of a stack and not for the whole of it.
//!
//! A resource counts only as long as the operation that made it goes well. When the stack fails, is rolled back,
//! is deleted or is tried again, everything that was complete is missing again.

use std::collections::{BTreeMap, BTreeSet};

use paceline_plan::Plan;

use crate::event::{Fact, StackProgress, StackSubmitted, StepRef};

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
        let is_complete = matches!(progress.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE");
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
        match submitted.operation.as_str() {
            // It changes nothing yet.
            "create-change-set" => None,
            "create" | "update" | "execute-change-set" => Some(News::Anew),
            "delete" => self.fails(step, "is being deleted".to_owned()),
            _ => self.fails(step, "is being rolled back".to_owned()),
        }
    }
}

/// What a change says of an operation that goes wrong, or is undone.
fn trouble(progress: &StackProgress) -> Option<String> {
    let StackProgress { logical_id, status, .. } = progress;
    if is_of_stack(progress) {
        return match status.as_str() {
            status if status.contains("ROLLBACK") => Some(format!("is being rolled back ({status})")),
            status if status.starts_with("DELETE") => Some(format!("is being deleted ({status})")),
            status if status.ends_with("_FAILED") => Some(format!("has failed ({status})")),
            _ => None,
        };
    }
    // What cannot be cleaned up after an update is left behind, and the update has succeeded all the same.
    let fails = status.contains("ROLLBACK") || status.ends_with("_FAILED") && status != "DELETE_FAILED";
    fails.then(|| format!("has failed ({logical_id} is in {status})"))
}

fn is_of_stack(progress: &StackProgress) -> bool {
    let StepRef { stack_name, .. } = &progress.step;
    progress.resource_type == "AWS::CloudFormation::Stack"
        && stack_name.as_ref() == Some(&progress.logical_id)
}

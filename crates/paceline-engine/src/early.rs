//! Steps that wait for resources of a stack and not for the whole of it.

use std::collections::{BTreeMap, BTreeSet};

use paceline_plan::Plan;

use crate::event::StackProgress;

/// What is still missing, by the step that is waited for and the one that waits.
#[derive(Debug)]
pub(crate) struct Early {
    missing: BTreeMap<(usize, usize), BTreeSet<String>>,
}

impl Early {
    pub(crate) fn new(plan: &Plan) -> Self {
        let waits = plan.steps.iter().enumerate().flat_map(|(step, it)| {
            it.early.iter().map(move |early| ((early.need, step), early.resources.clone()))
        });
        Self { missing: waits.collect() }
    }

    /// A resource of the stack that a step deploys has changed state. Returns the steps that now have all they
    /// wait for of this stack. A resource that does not change is never heard of: then the end of the stack
    /// counts.
    pub(crate) fn progress(&mut self, step: usize, progress: &StackProgress) -> Vec<usize> {
        if !matches!(progress.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
            return Vec::new();
        }
        let waiting = self.missing.range_mut((step, 0)..=(step, usize::MAX));
        let met = waiting.filter_map(|(&(_, waits), missing)| {
            (missing.remove(&progress.logical_id) && missing.is_empty()).then_some(waits)
        });
        met.collect()
    }

    /// Whether a step has had all that it waits for of another before that has ended.
    pub(crate) fn is_met(&self, need: usize, step: usize) -> bool {
        self.missing.get(&(need, step)).is_some_and(BTreeSet::is_empty)
    }
}

//! Measures how long the operations on the resources of a stack took, by CloudFormation's clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use paceline_engine::event::StackProgress;
use paceline_engine::{STACK_TYPE, StackOperation};
use paceline_plan::durations::ResourceOperation;
use paceline_plan::history::{ResourceTime, resources_to_keep};

use super::performed::between;

/// The logical id of a resource, and what is done with it.
type Operation = (String, ResourceOperation);

/// The times of the resources of a stack in its last operation.
#[derive(Debug, Clone, Default)]
pub(super) struct ResourceTimes {
    /// When each operation on a resource began.
    began: BTreeMap<Operation, Timestamp>,
    took: BTreeMap<Operation, ResourceTime>,
}

impl ResourceTimes {
    /// Forgets the times of an operation that another follows, or that is rolled back.
    pub(super) fn clear(&mut self) {
        self.began.clear();
        self.took.clear();
    }

    /// Applies a change of a resource.
    pub(super) fn hears(&mut self, progress: &StackProgress) {
        let operation = match progress.status.operation() {
            Some(StackOperation::Create) => ResourceOperation::Create,
            Some(StackOperation::Update) => ResourceOperation::Update,
            Some(StackOperation::Delete | StackOperation::Import) | None => return,
        };
        // A nested stack takes as long as its resources, so its time says nothing about it.
        if progress.resource_type == STACK_TYPE {
            return;
        }
        let key = (progress.logical_id.clone(), operation);
        if progress.status.is_in_progress() {
            self.began.entry(key).or_insert(progress.happened_at);
            return;
        }
        // An event that was not read leaves the start of an operation unknown.
        let Some(began) = self.began.remove(&key) else { return };
        if progress.status.is_complete() {
            let (logical_id, resource_type) = (progress.logical_id.clone(), progress.resource_type.clone());
            let seconds = between(began, progress.happened_at).as_secs_f64();
            self.took.insert(key, ResourceTime { logical_id, resource_type, operation, seconds });
        }
    }

    /// The times that the history keeps.
    pub(super) fn to_keep(&self) -> Vec<ResourceTime> {
        resources_to_keep(self.took.values().cloned())
    }
}

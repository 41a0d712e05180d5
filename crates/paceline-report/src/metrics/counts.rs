//! What is counted event by event.

use std::collections::BTreeMap;

use paceline_engine::event::{Event, Fact, RetryClass, StackProgress};

/// How often things happened in one process of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Retries by their class.
    pub(super) retries: BTreeMap<RetryClass, u64>,
    /// How often AWS asked for fewer calls, by operation.
    pub(super) throttles: BTreeMap<String, u64>,
    /// Events of stacks and of their resources, by resource type.
    pub(super) stack_events: BTreeMap<String, u64>,
    /// Resources that failed because a role, a policy or an instance profile was too new.
    pub(super) iam_failures: u64,
    /// Resources that failed because they took longer than they may.
    pub(super) timeouts: u64,
}

impl Counts {
    /// Counts the next event. A process that continues a run counts from zero.
    pub fn apply(&mut self, event: &Event) {
        match &event.fact {
            Fact::RunStarted(_) => *self = Self::default(),
            Fact::StepRetried(retried) => {
                let class = retried.class.clone().unwrap_or_else(|| RetryClass::from("unknown"));
                *self.retries.entry(class).or_default() += 1;
            }
            Fact::CallsThrottled { operations } => {
                for (operation, times) in operations {
                    *self.throttles.entry(operation.clone()).or_default() += times;
                }
            }
            Fact::StackProgress(progress) => self.progress(progress),
            _ => {}
        }
    }

    fn progress(&mut self, progress: &StackProgress) {
        *self.stack_events.entry(progress.resource_type.clone()).or_default() += 1;
        self.iam_failures += u64::from(progress.failed_by_iam());
        self.timeouts += u64::from(progress.timed_out());
    }
}

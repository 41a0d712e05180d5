//! Measures how long a step took.
//!
//! Usually that is the time from its start to its end. It is not if the process was interrupted, if the step first waited
//! for somebody else's operation, or if it was tried again. Then the time of the stack's last operation counts, by
//! CloudFormation's clock.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Event, Fact, Outcome, StackCall, StepFinished};
use paceline_engine::{StackOperation, StackStatus};
use paceline_plan::StepOperation;
use paceline_plan::history::HistoryKind;

use super::resources::ResourceTimes;
use crate::figures::seconds;

/// The times and operations of a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Performed {
    /// The operation, as the stack's status or the sent call says.
    pub(super) operation: Option<StepOperation>,
    /// How many parts of the run have started it.
    parts: u32,
    started: Option<Timestamp>,
    /// When the operation that counts was sent, and the time from the start of the step to its first call.
    sent: Option<Timestamp>,
    before: Option<Duration>,
    /// Whether there was more than one operation, or an operation that this run did not send.
    several: bool,
    /// When the last operation began and ended, by the events of the stack.
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// When the last attempt of a command began.
    attempt: Option<Timestamp>,
    /// Whether the last operation continued a failed one, so that its time is not that of the whole work.
    continued: bool,
    /// How long the resources of the last operation took.
    pub(super) resources: ResourceTimes,
    /// Whether the step has its line in the history.
    pub(super) recorded: bool,
}

impl Performed {
    /// Applies an event of the step, except its end.
    pub(super) fn hears(&mut self, event: &Event) {
        match &event.fact {
            Fact::StepStarted(_) => {
                self.parts += 1;
                self.started = Some(event.at);
                self.attempt = None;
            }
            Fact::StackSubmitted(submitted) => {
                let operation = match submitted.operation {
                    StackCall::Create => Some(StepOperation::Create),
                    StackCall::Update => Some(StepOperation::Update),
                    StackCall::Delete => Some(StepOperation::Delete),
                    _ => None,
                };
                self.operation = operation.or(self.operation);
                if submitted.operation.begins_operation() {
                    self.several |= self.sent.is_some() || self.began.is_some();
                    let waited_for_another = self.sent.is_none() && self.began.is_some();
                    self.before = self.before.or_else(|| {
                        if waited_for_another {
                            Some(Duration::ZERO)
                        } else {
                            Some(between(self.started?, event.at))
                        }
                    });
                    self.sent = Some(event.at);
                    self.resources.clear();
                    (self.began, self.ended) = (None, None);
                }
            }
            // With a change set, only the status of the stack tells whether it is created or updated.
            Fact::StackProgress(progress) => match progress.stack_status() {
                Some(status) => self.stack_is(&status, progress.happened_at),
                None => self.resources.hears(progress),
            },
            Fact::StepRetried(retried) => {
                self.continued = retried.kept.is_some();
                self.attempt = event.at.checked_add(seconds(retried.wait_s)).ok();
            }
            _ => {}
        }
    }

    /// Applies a new status of the stack.
    fn stack_is(&mut self, status: &StackStatus, at: Timestamp) {
        let operation = match status.operation() {
            Some(StackOperation::Create) => Some(StepOperation::Create),
            Some(StackOperation::Update) => Some(StepOperation::Update),
            Some(StackOperation::Delete) => Some(StepOperation::Delete),
            Some(StackOperation::Import) | None => None,
        };
        self.operation = operation.or(self.operation);
        if status.rolling_back() {
            self.resources.clear();
        }
        match status {
            StackStatus::CreateInProgress | StackStatus::UpdateInProgress | StackStatus::DeleteInProgress => {
                (self.began, self.ended) = (Some(at), None);
            }
            StackStatus::CreateComplete
            | StackStatus::UpdateCompleteCleanupInProgress
            | StackStatus::UpdateComplete
            | StackStatus::DeleteComplete => {
                // The stack is complete a second time after the cleanup: the first time counts.
                self.ended = self.ended.or(Some(at));
            }
            _ => {}
        }
    }

    /// How long the step took, if that is known. The time for which its first operation was held back for the APIs that
    /// others use does not count.
    pub(super) fn seconds(&self, event: &Event, finished: &StepFinished, kind: HistoryKind) -> Option<f64> {
        let held_back = finished.staggered_s();
        let before = self.before.unwrap_or_default().saturating_sub(seconds(held_back));
        let own = || Some((before + between(self.began?, self.ended?)).as_secs_f64());
        match (kind, finished.outcome) {
            (HistoryKind::Stack, _) if self.continued => None,
            // The step may have waited for somebody else's operation.
            (HistoryKind::Stack, Outcome::Unchanged) => {
                let has_only_looked = self.parts <= 1 && self.began.is_none() && !self.several;
                has_only_looked.then_some(finished.duration_s)
            }
            (HistoryKind::Stack, _) if finished.resumed || self.parts > 1 || self.sent.is_none() => own(),
            (HistoryKind::Stack, _) if self.several => {
                own().or_else(|| Some((before + between(self.sent?, event.at)).as_secs_f64()))
            }
            // The time that it waited before the interruption is unknown.
            (HistoryKind::Gate, _) if self.parts > 1 => None,
            (HistoryKind::Command, Outcome::Deployed) if !finished.resumed => match self.attempt {
                Some(attempt) => Some(between(attempt, event.at).as_secs_f64()),
                None => Some(finished.duration_s),
            },
            _ if finished.resumed || finished.outcome == Outcome::Unchanged && self.parts > 1 => None,
            _ => Some((finished.duration_s - held_back).max(0.0)),
        }
    }
}

/// Zero if a clock was set back.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

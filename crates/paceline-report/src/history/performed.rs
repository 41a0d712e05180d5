//! How a step was performed, as far as that tells how long it takes.
//!
//! Mostly that is the time from its start to its end. Where a process was interrupted meanwhile, where somebody else's
//! operation was waited for first, or where it was tried again, it is not: then the time of the stack's own last
//! operation counts, by CloudFormation's clock.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Event, Fact, Outcome, StackCall, StepFinished};
use paceline_engine::{StackOperation, StackStatus};
use paceline_plan::StepOperation;
use paceline_plan::history::HistoryKind;

use crate::figures::seconds;

/// How a step was performed.
#[derive(Debug, Clone, Default)]
pub(super) struct Performed {
    /// What the stack's own status, or what was sent, says was done.
    pub(super) operation: Option<StepOperation>,
    /// How many parts of the run have started it.
    parts: u32,
    started: Option<Timestamp>,
    /// When the operation was sent that counts, and the time from the start of the step to the first that was sent.
    sent: Option<Timestamp>,
    before: Option<Duration>,
    /// Whether there was more than one operation, or one that nobody here had sent.
    several: bool,
    /// When the stack itself says that its last operation began and ended.
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// When the last attempt of a command began.
    attempt: Option<Timestamp>,
    /// Whether it has its line.
    pub(super) recorded: bool,
}

impl Performed {
    /// Something happened in the step, before its end.
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
                    (self.began, self.ended) = (None, None);
                }
            }
            // By way of a change set, only the stack itself tells whether it is new.
            Fact::StackProgress(progress) => {
                if let Some(status) = progress.stack_status() {
                    self.stack_is(&status, progress.happened_at);
                }
            }
            Fact::StepRetried(retried) => {
                self.attempt = event.at.checked_add(seconds(retried.wait_s)).ok();
            }
            _ => {}
        }
    }

    /// The stack itself has changed state.
    fn stack_is(&mut self, status: &StackStatus, at: Timestamp) {
        let operation = match status.operation() {
            Some(StackOperation::Create) => Some(StepOperation::Create),
            Some(StackOperation::Update) => Some(StepOperation::Update),
            Some(StackOperation::Delete) => Some(StepOperation::Delete),
            Some(StackOperation::Import) | None => None,
        };
        self.operation = operation.or(self.operation);
        match status {
            StackStatus::CreateInProgress | StackStatus::UpdateInProgress | StackStatus::DeleteInProgress => {
                (self.began, self.ended) = (Some(at), None);
            }
            StackStatus::CreateComplete
            | StackStatus::UpdateCompleteCleanupInProgress
            | StackStatus::UpdateComplete
            | StackStatus::DeleteComplete => {
                // After the cleanup it is complete once more.
                self.ended = self.ended.or(Some(at));
            }
            _ => {}
        }
    }

    /// How long it took, if that can be told of a step that has ended like this.
    pub(super) fn seconds(&self, event: &Event, finished: &StepFinished, kind: HistoryKind) -> Option<f64> {
        let own = || {
            let before = self.before.unwrap_or_default();
            Some((before + between(self.began?, self.ended?)).as_secs_f64())
        };
        match (kind, finished.outcome) {
            // What was waited for was somebody else's.
            (HistoryKind::Stack, Outcome::Unchanged) => {
                let has_only_looked = self.parts <= 1 && self.began.is_none() && !self.several;
                has_only_looked.then_some(finished.duration_s)
            }
            (HistoryKind::Stack, _) if finished.resumed || self.parts > 1 || self.sent.is_none() => own(),
            (HistoryKind::Stack, _) if self.several => own().or_else(|| {
                let took = between(self.sent?, event.at);
                Some((self.before.unwrap_or_default() + took).as_secs_f64())
            }),
            // It had waited before, for a time that nobody counts.
            (HistoryKind::Gate, _) if self.parts > 1 => None,
            (HistoryKind::Command, Outcome::Deployed) if !finished.resumed => match self.attempt {
                Some(attempt) => Some(between(attempt, event.at).as_secs_f64()),
                None => Some(finished.duration_s),
            },
            _ if finished.resumed || finished.outcome == Outcome::Unchanged && self.parts > 1 => None,
            _ => Some(finished.duration_s),
        }
    }
}

/// No time at all where a clock was set back.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

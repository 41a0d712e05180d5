//! A step of a run: when it was performed, how it ended, and what it said meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::ResourceStatus;
use paceline_engine::event::{Cause, Outcome, StackCall, StepKind, StepRef, StuckResource};
use paceline_text::{Tone, one_line};

use super::OngoingOperation;
use super::waits::InProgress;

/// A step of the run.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// The id, kind and title.
    pub step: StepRef,
    /// The ids of the steps that it needs.
    pub needs: Vec<String>,
    /// The forecast of its duration. Zero if there was none.
    pub expected: Duration,
    /// The times it was performed: usually one, and one more for each later part of the run that performed it again. A part
    /// that only found it done does not count.
    pub spans: Vec<Span>,
    /// Whether it is being performed.
    pub running: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The first cause, when it failed.
    pub cause: Option<Cause>,
    /// The id of the failed step because of which this one was skipped.
    pub because: Option<String>,
    /// What it found, in a few words.
    pub detail: Option<String>,
    /// Whether a part of the run found it already done by an earlier part.
    pub resumed: bool,
    /// Its retries.
    pub retries: Vec<Retry>,
    /// Its warnings.
    pub warnings: Vec<String>,
    /// The resources that took much longer than usual. Each has a warning.
    pub stuck: Vec<StuckResource>,
    /// How many resources are complete.
    pub done: usize,
    /// How many resources there are.
    pub total: usize,
    /// The last call that was sent to change the stack.
    pub operation: Option<StackCall>,
    /// The id that AWS gave the stack.
    pub stack_arn: Option<String>,
    /// The operation that is running in AWS, as far as is known.
    pub in_aws: Option<OngoingOperation>,
    /// The resources that took longest, the longest first.
    pub slowest: Vec<Resource>,
    /// Every operation on a resource, in the order of their starts.
    pub resources: Vec<ResourceSpan>,
    /// The first resource that failed while the step was running, with CloudFormation's reason.
    pub failing: Option<String>,
    /// The duration from its last event, used when its start is unknown.
    pub(super) reported_duration: Duration,
    /// When it became ready, until it starts.
    pub(super) ready: Option<Duration>,
    pub(super) in_progress: BTreeMap<String, InProgress>,
    /// The last retry, until another event of the step arrives.
    pub(crate) unanswered: Option<Retry>,
}

/// A time during which a step was performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When its needs were complete.
    pub ready: Option<Duration>,
    /// When it started.
    pub started: Duration,
    /// When it ended. `None` while it is running, or if the process was killed.
    pub finished: Option<Duration>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// A retry after a transient error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// When it was announced.
    pub at: Duration,
    /// What went wrong.
    pub reason: String,
    /// The attempt that followed.
    pub attempt: u32,
    /// The pause before it.
    pub wait: Duration,
    /// What it did not have to do again, if it continued the stack from the point of its failure.
    pub kept: Option<KeptResources>,
}

/// The finished resources of a stack that was continued from the point of its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptResources {
    /// The number of resources that stayed as they were.
    pub resources: usize,
    /// The number of resources of the stack.
    pub of: usize,
    /// The time that their work took, which was not spent again.
    pub saved: Duration,
}

/// A resource of a stack that took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its logical id.
    pub logical_id: String,
    /// Such as `AWS::EKS::Cluster`.
    pub resource_type: String,
    /// The time from its first change to its completion, by CloudFormation's clock.
    pub took: Duration,
}

/// An operation on a resource, on the run's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSpan {
    /// Its logical id.
    pub logical_id: String,
    /// Such as `AWS::EKS::Cluster`.
    pub resource_type: String,
    /// Its last status.
    pub status: ResourceStatus,
    /// When it started.
    pub started: Duration,
    /// When it ended. `None` if its end is unknown.
    pub finished: Option<Duration>,
}

impl StepRecord {
    /// The id of its stack, or its title if it has none.
    pub fn stack_id(&self) -> &str {
        self.step.stack.as_deref().unwrap_or(&self.step.title)
    }

    /// When it was last started.
    pub fn started(&self) -> Option<Duration> {
        self.spans.last().map(|span| span.started)
    }

    /// When it ended.
    pub fn finished(&self) -> Option<Duration> {
        self.spans.last().and_then(|span| span.finished)
    }

    /// How long it took when it was last performed.
    pub fn duration(&self) -> Duration {
        match self.spans.last() {
            Some(Span { started, finished: Some(finished), .. }) => finished.saturating_sub(*started),
            Some(_) => Duration::ZERO,
            None => self.reported_duration,
        }
    }

    /// How long it waited for the concurrency limit after its needs were complete.
    pub fn queued(&self) -> Duration {
        match self.spans.last() {
            Some(Span { ready: Some(ready), started, .. }) => started.saturating_sub(*ready),
            _ => Duration::ZERO,
        }
    }

    /// Whether it was done before, so that performing it again only checks it.
    pub(crate) fn looks_again(&self) -> bool {
        matches!(self.spans[..], [.., before, _] if before.outcome.is_some_and(Outcome::is_success))
    }

    /// Whether it failed or was rolled back.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Failed | Outcome::RolledBack))
    }

    /// A word for its outcome that fits its kind, or for its state if it has not ended.
    pub fn word(&self) -> &'static str {
        let Some(outcome) = self.outcome else {
            return match (self.running, self.spans.is_empty()) {
                (true, _) => "running",
                (false, false) => "unfinished",
                (false, true) => "waiting",
            };
        };
        match (&self.step.kind, outcome) {
            (StepKind::Delete, Outcome::Unchanged) => "not there",
            (StepKind::Synth, Outcome::Deployed) => "synthesized",
            (StepKind::Publish, Outcome::Deployed) => "published",
            (StepKind::Prewarm, Outcome::Deployed) => "created",
            (StepKind::Publish | StepKind::Prewarm, Outcome::Unchanged) => "already there",
            (StepKind::Gate, Outcome::Deployed | Outcome::Unchanged) => "passed",
            (StepKind::Command, Outcome::Deployed) => "done",
            (_, outcome) => outcome.as_str(),
        }
    }

    /// The colour of its outcome.
    pub(crate) fn tone(&self) -> Tone {
        match self.outcome {
            Some(outcome) if outcome.is_success() => Tone::Good,
            Some(_) if self.failed() => Tone::Bad,
            Some(_) => Tone::Warn,
            None => Tone::Plain,
        }
    }

    /// The alarm whose going off made it fail.
    pub(crate) fn alarm(&self) -> Option<&str> {
        self.cause.as_ref()?.alarm(&self.step)
    }

    /// The first cause on one line, with the resource or call that it is about.
    pub(crate) fn cause_line(&self) -> String {
        let Some(cause) = &self.cause else {
            return "no cause was given".to_owned();
        };
        format!("{}{}", cause_place(cause), one_line(&cause.message))
    }
}

/// The resource or call at fault, with the place in the app's source, before a message. Empty if neither is known.
pub(crate) fn cause_place(cause: &Cause) -> String {
    let at = cause.at.as_deref().map(one_line);
    let source = cause.source.as_deref().map(|source| format!("made at {}", one_line(source)));
    let place: Vec<String> = at.into_iter().chain(source).collect();
    if place.is_empty() { String::new() } else { format!("{}: ", place.join(", ")) }
}

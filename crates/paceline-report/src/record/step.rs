//! A step of a run: when it was performed, how it ended, and what it said meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::event::{Cause, Outcome, StackCall, StepKind, StepRef};
use paceline_text::Tone;

use super::InAws;
use super::waits::InProgress;

/// A step of the run.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// Which.
    pub step: StepRef,
    /// The ids of the steps it waits for.
    pub needs: Vec<String>,
    /// The forecast of its duration; zero when there was none.
    pub expected: Duration,
    /// The times it was performed: mostly one, and one more for each time it was tried again by a later part
    /// of the run. That a later part looked and found it done is not counted.
    pub spans: Vec<Span>,
    /// Whether it is being performed.
    pub running: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The first cause, when it failed.
    pub cause: Option<Cause>,
    /// The id of the step whose failure made this one be skipped.
    pub because: Option<String>,
    /// What it found, in a few words.
    pub detail: Option<String>,
    /// Whether a part of the run found it already done by an earlier part.
    pub resumed: bool,
    /// What was tried again.
    pub retries: Vec<Retry>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Resources that are complete.
    pub done: usize,
    /// Resources in all.
    pub total: usize,
    /// The last call that was to change the stack.
    pub operation: Option<StackCall>,
    /// The id that AWS gave the stack.
    pub stack_arn: Option<String>,
    /// What goes on in AWS, as far as is known.
    pub in_aws: Option<InAws>,
    /// The resources that took longest, the longest first.
    pub slowest: Vec<Resource>,
    /// The first resource that failed while the step is being performed, with CloudFormation's words.
    pub failing: Option<String>,
    /// What the engine said about its duration, for when its start is unknown.
    pub(super) told: Duration,
    /// When it became ready, as long as it has not started.
    pub(super) ready: Option<Duration>,
    pub(super) in_progress: BTreeMap<String, InProgress>,
    /// When and why a call was last tried again, with nothing heard of the step since.
    pub(crate) unanswered: Option<Retry>,
}

/// A time during which a step was performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When everything it waits for was complete.
    pub ready: Option<Duration>,
    /// From.
    pub started: Duration,
    /// To; unknown while it goes on, and when the process was killed.
    pub finished: Option<Duration>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// Something transient that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// When.
    pub at: Duration,
    /// What went wrong.
    pub reason: String,
    /// The attempt that followed.
    pub attempt: u32,
    /// The pause before it.
    pub wait: Duration,
}

/// A resource of a stack that took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its logical id.
    pub logical_id: String,
    /// Such as `AWS::EKS::Cluster`.
    pub resource_type: String,
    /// From its first change to its completion, by CloudFormation's clock.
    pub took: Duration,
}

impl StepRecord {
    /// The id of its stack; its title when it is about none.
    pub fn stack_id(&self) -> &str {
        self.step.stack.as_deref().unwrap_or(&self.step.title)
    }

    /// When it was started, the last time.
    pub fn started(&self) -> Option<Duration> {
        self.spans.last().map(|span| span.started)
    }

    /// When it ended.
    pub fn finished(&self) -> Option<Duration> {
        self.spans.last().and_then(|span| span.finished)
    }

    /// How long it took, the last time.
    pub fn duration(&self) -> Duration {
        match self.spans.last() {
            Some(Span { started, finished: Some(finished), .. }) => finished.saturating_sub(*started),
            Some(_) => Duration::ZERO,
            None => self.told,
        }
    }

    /// How long it waited for room, after everything it waits for was complete.
    pub fn queued(&self) -> Duration {
        match self.spans.last() {
            Some(Span { ready: Some(ready), started, .. }) => started.saturating_sub(*ready),
            _ => Duration::ZERO,
        }
    }

    /// Whether it had been done before, so that performing it again is only to look.
    pub(crate) fn looks_again(&self) -> bool {
        matches!(self.spans[..], [.., before, _] if before.outcome.is_some_and(Outcome::is_success))
    }

    /// Whether it went wrong.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Failed | Outcome::RolledBack))
    }

    /// How it ended, in a word that fits what it is; how it stands, when it has not ended.
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
            (StepKind::Publish, Outcome::Unchanged) => "already there",
            (StepKind::Gate, Outcome::Deployed | Outcome::Unchanged) => "passed",
            (StepKind::Command, Outcome::Deployed) => "done",
            (_, outcome) => outcome.as_str(),
        }
    }

    /// The colour of how it ended.
    pub(crate) fn tone(&self) -> Tone {
        match self.outcome {
            Some(outcome) if outcome.is_success() => Tone::Good,
            Some(_) if self.failed() => Tone::Bad,
            Some(_) => Tone::Warn,
            None => Tone::Plain,
        }
    }

    /// The first cause on one line, with what it is about.
    pub(crate) fn cause_line(&self) -> String {
        let Some(cause) = &self.cause else {
            return "no cause was given".to_owned();
        };
        let message = paceline_text::one_line(&cause.message);
        match &cause.at {
            Some(at) => format!("{}: {message}", paceline_text::one_line(at)),
            None => message,
        }
    }
}

//! The events of a run. The engine emits nothing else, and reports are made from nothing else.
//!
//! One event is one JSON object. [`SCHEMA`] is raised when a reader of the old shape would misunderstand the
//! new one. New kinds and new fields do not raise it.
//!
//! The kinds of events are in families: of the run, of a step, of a stack.

mod redact;
mod run;
mod schema;
mod stack;
mod step;
mod stuck;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_text::{ExitCode, to_the_millisecond};
use serde::{Deserialize, Serialize};

pub use self::run::{
    BuildPhase, BuildPhases, PlannedPhase, PlannedSettings, PlannedStep, RunApproved, RunFinished, RunStarted,
};
pub use self::schema::json_schema;
pub use self::stack::{StackAccepted, StackCall, StackProgress, StackSubmitted};
pub use self::step::{
    AssetKind, Cause, CommandOutput, Kept, Limit, LimitWait, Outcome, RetryClass, StepFinished, StepHeld,
    StepKind, StepRef, StepRetried, StepStarted, StepWarned,
};
pub use self::stuck::{ServiceReason, ServiceReport, StuckResource, UsualSource};

/// The version of the event format.
pub const SCHEMA: u32 = 1;

/// One fact about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The [`SCHEMA`] of the program that wrote the event.
    pub schema: u32,
    /// The run that the event belongs to.
    pub run: String,
    /// The number of the event. Numbers start at 1 in each run and have no gaps, also across interruptions.
    pub seq: u64,
    /// The time of the event, to the millisecond.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// The content of the event.
    #[serde(flatten)]
    pub fact: Fact,
}

impl Event {
    /// The start or resumption of the run, if the event is one.
    pub fn run_started(&self) -> Option<&RunStarted> {
        match &self.fact {
            Fact::RunStarted(started) => Some(started),
            _ => None,
        }
    }
}

/// The content of an event. Each kind of event is a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum Fact {
    /// The run started, or was resumed after an interruption.
    #[serde(rename = "run.started")]
    RunStarted(RunStarted),
    /// A person has let through what the policy refuses.
    #[serde(rename = "run.approved")]
    RunApproved(RunApproved),
    /// The CodeBuild build that the run is part of, with its phases so far.
    #[serde(rename = "build.phases")]
    BuildPhases(BuildPhases),
    /// Every need of the step is complete.
    #[serde(rename = "step.ready")]
    StepReady(StepRef),
    /// The step was ready and must wait again: a step that it needs fails, or is deployed again.
    #[serde(rename = "step.held")]
    StepHeld(StepHeld),
    /// The step is being performed.
    #[serde(rename = "step.started")]
    StepStarted(StepStarted),
    /// A mutating call is about to be sent. Journalled before the call.
    #[serde(rename = "stack.submitted")]
    StackSubmitted(StackSubmitted),
    /// AWS works on the stack. It continues even if the run ends.
    #[serde(rename = "stack.accepted")]
    StackAccepted(StackAccepted),
    /// A resource of the stack, or the stack itself, changed state.
    #[serde(rename = "stack.progress")]
    StackProgress(StackProgress),
    /// The step tries a call again. The error is transient, or disappears when other steps have ended.
    #[serde(rename = "step.retried")]
    StepRetried(StepRetried),
    /// A warning. The step continues.
    #[serde(rename = "step.warned")]
    StepWarned(StepWarned),
    /// A command of the team printed a line.
    #[serde(rename = "command.output")]
    CommandOutput(CommandOutput),
    /// The step has ended, in one of the [`Outcome`]s.
    #[serde(rename = "step.finished")]
    StepFinished(StepFinished),
    /// The run continues, but nothing has happened for a while.
    #[serde(rename = "run.waiting")]
    RunWaiting {
        /// The number of steps that are being performed.
        running: usize,
    },
    /// The run is being stopped from outside. No further step starts.
    #[serde(rename = "run.stopping")]
    RunStopping {
        /// The reason: a signal, the deadline, or the first failure under fail-fast.
        reason: String,
    },
    /// AWS asked this process for fewer calls. Comes once, after the last step, and only if there is something to count.
    #[serde(rename = "calls.throttled")]
    CallsThrottled {
        /// How often, by operation, such as `DescribeStacks`. The polls that several steps share count too.
        operations: BTreeMap<String, u64>,
    },
    /// The run has ended.
    #[serde(rename = "run.finished")]
    RunFinished(RunFinished),
}

impl Fact {
    /// Whether the run has ended with this fact, so that it cannot be continued.
    pub fn ends_run(&self) -> bool {
        matches!(self, Self::RunFinished(finished) if finished.exit_code != ExitCode::Interrupted)
    }

    /// The value of `event` in JSON for each kind of fact.
    pub(crate) const KINDS: [&str; 17] = [
        "run.started",
        "run.approved",
        "build.phases",
        "step.ready",
        "step.held",
        "step.started",
        "stack.submitted",
        "stack.accepted",
        "stack.progress",
        "step.retried",
        "step.warned",
        "command.output",
        "step.finished",
        "run.waiting",
        "run.stopping",
        "calls.throttled",
        "run.finished",
    ];

    /// The step that the fact is about, if it is about a step.
    pub fn step(&self) -> Option<&StepRef> {
        match self {
            Self::StepReady(step) => Some(step),
            Self::StepStarted(fact) => Some(&fact.step),
            Self::StepHeld(fact) => Some(&fact.step),
            Self::StackSubmitted(fact) => Some(&fact.step),
            Self::StackAccepted(fact) => Some(&fact.step),
            Self::StackProgress(fact) => Some(&fact.step),
            Self::StepRetried(fact) => Some(&fact.step),
            Self::StepWarned(fact) => Some(&fact.step),
            Self::CommandOutput(fact) => Some(&fact.step),
            Self::StepFinished(fact) => Some(&fact.step),
            Self::RunStarted(_)
            | Self::RunApproved(_)
            | Self::BuildPhases(_)
            | Self::RunWaiting { .. }
            | Self::RunStopping { .. }
            | Self::CallsThrottled { .. }
            | Self::RunFinished(_) => None,
        }
    }
}

/// Seconds with the precision of events: milliseconds. The number is the nearest one to its decimal text, so that it is
/// the same after it was written and read.
pub(crate) fn seconds(duration: Duration) -> f64 {
    to_the_millisecond(duration.as_secs_f64())
}

/// Times in RFC 3339 with milliseconds, as the documentation of the events file promises.
pub(crate) mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{at:.3}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_the_same_after_they_were_written_and_read() {
        for milliseconds in 0..20_000 {
            let time = seconds(Duration::from_millis(milliseconds));
            let written = serde_json::to_string(&time).unwrap();
            assert!(written.len() <= 6, "{written}");
            let read: f64 = serde_json::from_str(&written).unwrap();
            assert_eq!(read.to_bits(), time.to_bits(), "{written}");
        }
    }

    #[test]
    fn every_kind_is_listed() {
        let error = serde_json::from_str::<Fact>(r#"{"event":"none"}"#).unwrap_err().to_string();
        let expected: Vec<String> = Fact::KINDS.iter().map(|kind| format!("`{kind}`")).collect();
        assert!(error.contains(&format!("expected one of {}", expected.join(", "))), "{error}");
    }

    #[test]
    fn every_kind_and_outcome_is_documented() {
        let page = include_str!("../../../../docs/events.md");
        for kind in Fact::KINDS {
            assert!(page.contains(&format!("\n| `{kind}` | ")), "{kind}");
        }
        for outcome in Outcome::ALL {
            assert!(page.contains(&format!("`{outcome}`")), "{outcome}");
        }
    }
}

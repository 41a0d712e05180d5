//! The events of a run: the only thing the engine emits, and the only thing reports are made from.
//!
//! One event is one JSON object. [`SCHEMA`] is raised when a reader of the old shape would
//! misunderstand the new one; new kinds and new fields do not raise it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use paceline_plan::Strategy;
use serde::{Deserialize, Serialize};

/// The version of the event format.
pub const SCHEMA: u32 = 1;

/// One fact about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// The run it belongs to.
    pub run: String,
    /// Counts from 1 within the run, across interruptions, without gaps.
    pub seq: u64,
    /// When it happened, to the millisecond.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum Fact {
    /// The run started, or went on after an interruption.
    #[serde(rename = "run.started")]
    RunStarted(RunStarted),
    /// The build that the run is a part of, and what it did until then.
    #[serde(rename = "build.phases")]
    BuildPhases(BuildPhases),
    /// Everything the step waited for is complete.
    #[serde(rename = "step.ready")]
    StepReady(StepRef),
    /// The step was ready, and is not any more: what it needs goes wrong, or is made anew.
    #[serde(rename = "step.held")]
    StepHeld(StepHeld),
    /// The step is being performed.
    #[serde(rename = "step.started")]
    StepStarted(StepRef),
    /// A mutating call is about to be sent. Journalled before the call.
    #[serde(rename = "stack.submitted")]
    StackSubmitted(StackSubmitted),
    /// AWS works on the stack, whatever becomes of the run.
    #[serde(rename = "stack.accepted")]
    StackAccepted(StackAccepted),
    /// A resource of the stack, or the stack itself, changed state.
    #[serde(rename = "stack.progress")]
    StackProgress(StackProgress),
    /// Something went wrong that is known to be transient, or to go when other steps have ended, and is tried again.
    #[serde(rename = "step.retried")]
    StepRetried(StepRetried),
    /// Something that a person should know, but that stops nothing.
    #[serde(rename = "step.warned")]
    StepWarned(StepWarned),
    /// A command of the team's printed a line.
    #[serde(rename = "command.output")]
    CommandOutput(CommandOutput),
    /// The step has ended, in one of the [`Outcome`]s.
    #[serde(rename = "step.finished")]
    StepFinished(StepFinished),
    /// Nothing has happened for a while, and the run goes on.
    #[serde(rename = "run.waiting")]
    RunWaiting {
        /// How many steps are being performed.
        running: usize,
    },
    /// The run is being stopped from outside; no further step starts.
    #[serde(rename = "run.stopping")]
    RunStopping {
        /// Why: a signal, the deadline, the first failure under fail-fast.
        reason: String,
    },
    /// The run has ended.
    #[serde(rename = "run.finished")]
    RunFinished(RunFinished),
}

/// The run's own facts, with enough of the plan for every report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The version of Paceline.
    pub paceline: String,
    /// The folder of the assembly, as given.
    pub app: String,
    /// Digest of the plan: the same digest means the same steps and templates.
    pub plan: String,
    /// Whether it goes on with a run that was interrupted.
    pub resumed: bool,
    /// Counts the starts and resumptions in the folder of the runs: what has the greater number started later,
    /// whatever the clocks said. None without such a folder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<u64>,
    /// Where AWS is reached, if that is not AWS itself: a simulator, say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<String>,
    /// Whether the durations are those of the simulator.
    pub simulated: bool,
    /// In which order stacks may start.
    pub strategy: Strategy,
    /// The phases in their order, each with the ids of its stacks.
    pub phases: Vec<PlannedPhase>,
    /// Every step of the run, in an order that respects `needs`.
    pub steps: Vec<PlannedStep>,
}

/// What the build that a run is a part of did until the run started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildPhases {
    /// The id of the build, as CodeBuild gives it.
    pub build: String,
    /// Its phases so far, in their order.
    pub phases: Vec<BuildPhase>,
}

/// A phase of a build, in CodeBuild's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildPhase {
    /// Such as `PROVISIONING`.
    pub name: String,
    /// Such as `SUCCEEDED`; none while it goes on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
    /// How long it took, or has been going on.
    pub duration_s: f64,
}

/// A phase of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPhase {
    /// Its name.
    pub name: String,
    /// The ids of its stacks.
    pub stacks: Vec<String>,
}

/// A step of the plan, as far as reports need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What it is.
    #[serde(flatten)]
    pub step: StepRef,
    /// The ids of the steps it waits for.
    pub needs: Vec<String>,
    /// The forecast of its duration.
    pub expected_s: f64,
    /// The start of the digest of what it deploys or publishes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<String>,
    /// The digest of everything that decides what it does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<String>,
}

/// Which step an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRef {
    /// The step's id, such as `deploy:Services`.
    pub step: String,
    /// `synth`, `publish`, `deploy`, `delete`, `gate` or `command`.
    pub kind: String,
    /// What it is called for people: a stack's id, an asset's name, a gate's subject.
    pub title: String,
    /// The id of the stack, for deploy, delete and gate steps.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stack: Option<String>,
    /// The CloudFormation name of the stack, for deploy and delete steps.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stack_name: Option<String>,
    /// The account it happens in, where that is known before the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The region it happens in, where that is known before the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<String>,
    /// The phase of its stack.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<String>,
}

impl StepRef {
    /// Whether it is an operation on a stack, and not something beside.
    pub fn is_of_stack(&self) -> bool {
        matches!(self.kind.as_str(), "deploy" | "delete")
    }
}

/// A mutating stack operation that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSubmitted {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// `create`, `update`, `delete`, `execute-change-set`, ….
    pub operation: String,
    /// Its client request token.
    pub token: String,
}

impl StackSubmitted {
    /// Whether it changes nothing in the stack yet.
    pub fn only_prepares(&self) -> bool {
        self.operation == "create-change-set"
    }
}

/// AWS works on a stack: it has accepted an operation, or one was found going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackAccepted {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The stack's id, which tells it from others of its name.
    pub stack_id: String,
    /// The operation's client request token, if it is ours.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

/// A step that was ready, and is not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHeld {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The id of the step that it needs.
    pub because: String,
    /// What is wrong with that, such as `is being rolled back (UPDATE_ROLLBACK_IN_PROGRESS)`.
    pub reason: String,
}

/// A resource of a stack, or the stack itself, changed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackProgress {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The logical id; the stack's own name when it is about the stack.
    pub logical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// CloudFormation's resource status, such as `CREATE_COMPLETE`.
    pub status: String,
    /// CloudFormation's words, if it gave any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Resources of the stack that are complete by now.
    pub done: usize,
    /// Resources of the stack in all.
    pub total: usize,
    /// Whether it is no proof for what waits for the resource: it is not known to be a part of this step's own
    /// operation, or that is being rolled back.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unconfirmed: bool,
    /// When CloudFormation says it happened.
    #[serde(with = "millis")]
    pub happened_at: Timestamp,
}

/// Something that may go away by itself is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRetried {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// What went wrong.
    pub reason: String,
    /// The attempt that is about to start; the first retry is 2.
    pub attempt: u32,
    /// The pause before it.
    pub wait_s: f64,
    /// Whether the attempt before was refused, so that it has done nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// The ids of the steps that have to end first, if it is those that it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub after: Vec<String>,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepWarned {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// One sentence.
    pub message: String,
}

/// A line that a command of the team's printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOutput {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The line, without its end.
    pub line: String,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFinished {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// How it ended.
    pub outcome: Outcome,
    /// The first cause, when it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<Cause>,
    /// The id of the step whose failure made this one be skipped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub because: Option<String>,
    /// What it found, in a few words: `42 roles usable`, `already there`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// From its start to its end.
    pub duration_s: f64,
    /// From ready to started.
    pub queued_s: f64,
    /// Whether an earlier part of this run, before an interruption, had done it already.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub resumed: bool,
    /// The stack's outputs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub outputs: BTreeMap<String, String>,
}

/// The first cause of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The resource or call at fault, such as `MyRole (AWS::IAM::Role)`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
    /// What was said.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// Whether something was wrong before anything was touched: credentials, bootstrap, permissions.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub preflight: bool,
}

/// How a step ended. Every step, and so every stack, ends in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The step's work was done. For a stack: it was created or updated.
    Deployed,
    /// The stack was deleted.
    Deleted,
    /// There was nothing to do: the stack is as it should be, or, when it was to be deleted, not there.
    Unchanged,
    /// It went wrong and was left as it is.
    Failed,
    /// It went wrong and CloudFormation restored what was there before.
    RolledBack,
    /// Something it depends on did not succeed.
    Skipped,
    /// The run was stopped before it was done; it can be resumed.
    Interrupted,
}

impl Outcome {
    /// Whether what depends on the step may start.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Deployed | Self::Deleted | Self::Unchanged)
    }

    /// The word used in events and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Deleted => "deleted",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// How many stacks ended in which outcome.
    pub stacks: BTreeMap<Outcome, usize>,
    /// The documented exit code.
    pub exit_code: u8,
    /// From the start of this process's part of the run to its end.
    pub duration_s: f64,
}

impl Fact {
    /// What events call the kinds of facts.
    pub(crate) const KINDS: [&str; 15] = [
        "run.started",
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
        "run.finished",
    ];

    /// The step it is about, if it is about one.
    pub fn step(&self) -> Option<&StepRef> {
        match self {
            Self::StepReady(step) | Self::StepStarted(step) => Some(step),
            Self::StepHeld(fact) => Some(&fact.step),
            Self::StackSubmitted(fact) => Some(&fact.step),
            Self::StackAccepted(fact) => Some(&fact.step),
            Self::StackProgress(fact) => Some(&fact.step),
            Self::StepRetried(fact) => Some(&fact.step),
            Self::StepWarned(fact) => Some(&fact.step),
            Self::CommandOutput(fact) => Some(&fact.step),
            Self::StepFinished(fact) => Some(&fact.step),
            Self::RunStarted(_)
            | Self::BuildPhases(_)
            | Self::RunWaiting { .. }
            | Self::RunStopping { .. }
            | Self::RunFinished(_) => None,
        }
    }
}

/// Seconds to the millisecond, which is what events carry.
pub(crate) fn seconds(duration: Duration) -> f64 {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).as_secs_f64()
}

/// RFC 3339 with milliseconds, as the contract of the events file says.
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
    fn every_kind_is_listed() {
        let error = serde_json::from_str::<Fact>(r#"{"event":"none"}"#).unwrap_err().to_string();
        let expected: Vec<String> = Fact::KINDS.iter().map(|kind| format!("`{kind}`")).collect();
        assert!(error.contains(&format!("expected one of {}", expected.join(", "))), "{error}");
    }

    #[test]
    fn every_kind_and_outcome_is_documented() {
        use Outcome::{Deleted, Deployed, Failed, Interrupted, RolledBack, Skipped, Unchanged};
        let page = include_str!("../../../docs/events.md");
        for kind in Fact::KINDS {
            assert!(page.contains(&format!("\n| `{kind}` | ")), "{kind}");
        }
        for outcome in [Deployed, Deleted, Unchanged, Failed, RolledBack, Skipped, Interrupted] {
            assert!(page.contains(&format!("`{outcome}`")), "{outcome}");
        }
    }
}

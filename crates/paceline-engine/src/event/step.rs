//! Events of a step, its kinds and its outcomes.

use std::collections::BTreeMap;
use std::fmt;

use paceline_assembly::{FailureClass, failure_class};
use paceline_plan::Work;
use paceline_text::vocabulary;
use serde::{Deserialize, Serialize};

use super::{ServiceReport, StuckResource};

vocabulary! {
    /// What a step does.
    StepKind {
        /// An app is synthesized again, since its templates hold what an earlier stack created.
        Synth = "synth",
        /// An asset is brought to where stacks find it.
        Publish = "publish",
        /// A stack is created or updated.
        Deploy = "deploy",
        /// A stack is deleted.
        Delete = "delete",
        /// Waits until something is true.
        Gate = "gate",
        /// A script of the team runs.
        Command = "command",
        /// A repository of images is created, unless it is there.
        Prewarm = "prewarm",
    }
}

vocabulary! {
    /// What kind of asset a step publishes.
    AssetKind {
        /// To a bucket.
        File = "file",
        /// To a repository, after it was built.
        Image = "image",
    }
}

vocabulary! {
    /// Why something is tried again.
    RetryClass {
        /// AWS asked for fewer calls.
        Throttled = "throttled",
        /// AWS did not answer, or something answered in its place.
        NoAnswer = "no-answer",
        /// An IAM role, a policy or an instance profile was too new to be used.
        Iam = "iam",
        /// A call was denied; a permission that was given a moment ago may not be known everywhere yet.
        Denied = "denied",
        /// Two resources made AWS create the same service-linked role.
        ServiceLinkedRole = "service-linked-role",
        /// A service had an error of its own.
        Service = "service",
        /// Other steps of the run must end first.
        OtherSteps = "other-steps",
        /// A command of the team failed.
        Command = "command",
    }
}

/// The step that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRef {
    /// The step's id, such as `deploy:Services`.
    pub step: String,
    /// The kind of the step.
    pub kind: StepKind,
    /// The kind of asset that is published. `None` for other steps, and in journals of versions that did not
    /// write it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asset: Option<AssetKind>,
    /// The name to show: the id of a stack, the name of an asset, or the subject of a gate.
    pub title: String,
    /// The id of the stack, for deploy, delete and gate steps.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stack: Option<String>,
    /// The CloudFormation name of the stack, for deploy and delete steps.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stack_name: Option<String>,
    /// The account, if it is known before the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The region, if it is known before the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<String>,
    /// The phase of its stack.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<String>,
}

vocabulary! {
    /// What a step has to wait for although everything that it needs is complete.
    Limit {
        /// The number of stack operations at the same time.
        Stacks = "concurrency.stacks",
        /// The number of files that are published at the same time.
        Assets = "concurrency.assets",
        /// The number of images that are built at the same time.
        Images = "concurrency.images",
        /// The number of resources in stack operations, in an account and region.
        Resources = "concurrency.resources",
        /// The low rate of a service that other stacks use at the same time. Only steps wait for it that do not make
        /// the run longer.
        Staggered = "staggered",
        /// The rate of calls of the run itself.
        ApiRate = "api-rate",
    }
}

/// How long a step waited for a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitWait {
    /// The limit.
    pub limit: Limit,
    /// The time.
    pub waited_s: f64,
}

/// The start of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepStarted {
    #[serde(flatten)]
    pub step: StepRef,
    /// The limits that it waited for after it was ready. Empty if it did not wait, and in journals of versions that
    /// did not write it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub waited: Vec<LimitWait>,
}

/// A step that was ready and must wait again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHeld {
    #[serde(flatten)]
    pub step: StepRef,
    /// The id of the step that it needs.
    pub because: String,
    /// The state of that step, such as `is being rolled back (UPDATE_ROLLBACK_IN_PROGRESS)`.
    pub reason: String,
}

/// A step tries again after a transient error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRetried {
    #[serde(flatten)]
    pub step: StepRef,
    /// The error.
    pub reason: String,
    /// The kind of what went wrong. `None` in journals of versions that did not write it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<RetryClass>,
    /// The attempt that is about to start; the first retry is 2.
    #[serde(default)]
    pub attempt: u32,
    /// The pause before the attempt.
    #[serde(default)]
    pub wait_s: f64,
    /// True if AWS refused the previous attempt, so that the attempt has changed nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// The ids of the steps that must end first, if the step waits for other steps.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub after: Vec<String>,
    /// What the attempt does not have to do again, if it continues a stack from the point of its failure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kept: Option<Kept>,
}

/// The finished resources of a stack whose operation failed and is continued from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The number of resources that are finished and stay as they are.
    pub resources: usize,
    /// The number of resources of the stack.
    pub of: usize,
    /// The time that their work took, which is not spent again. The rollback, which does not happen either, is not
    /// counted.
    pub saved_s: f64,
}

/// A warning about a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepWarned {
    #[serde(flatten)]
    pub step: StepRef,
    /// One sentence.
    pub message: String,
    /// The resource that takes much longer than usual, if the warning is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stuck: Option<Box<StuckResource>>,
}

/// A line that a command of the team printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOutput {
    #[serde(flatten)]
    pub step: StepRef,
    /// The line, without its end.
    pub line: String,
}

/// The end of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFinished {
    #[serde(flatten)]
    pub step: StepRef,
    pub outcome: Outcome,
    /// The first cause, when it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<Cause>,
    /// The id of the failed step because of which this one was skipped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub because: Option<String>,
    /// The finding of the step, in a few words: `42 roles usable`, `already there`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The time from its start to its end.
    #[serde(default)]
    pub duration_s: f64,
    /// The time from the moment when the step was ready to its start.
    #[serde(default)]
    pub queued_s: f64,
    /// The limits that it waited for, before its start and after it. Empty if it did not wait, and in journals of
    /// versions that did not write it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub waited: Vec<LimitWait>,
    /// True if this run had done the step already, before an interruption.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub resumed: bool,
    /// The stack's outputs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub outputs: BTreeMap<String, String>,
}

/// The first cause of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The resource or call at fault, such as `MyRole (AWS::IAM::Role)`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
    /// The error message.
    pub message: String,
    /// Advice for the user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// True if the error came before anything was changed: wrong credentials, bootstrap or permissions.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub preflight: bool,
    /// The place in the app's source that made the resource, such as `lib/shop.ts:12:5`, if the assembly has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// What the service of the resource says, if Paceline can ask that service. The message has it too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<Box<ServiceReport>>,
}

/// The outcome of a step. Every step, and so every stack, has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The step's work was done. For a stack: it was created or updated.
    Deployed,
    /// The stack was deleted.
    Deleted,
    /// There was nothing to do. The stack is as it should be, or a stack that was to be deleted does not
    /// exist.
    Unchanged,
    /// The stack is prepared: its change set is ready, or it is known that it has to be made during the run. The stack
    /// itself is unchanged.
    Prepared,
    /// The step failed and its stack was left as it is.
    Failed,
    /// The step failed and CloudFormation restored the previous state.
    RolledBack,
    /// A step that this one depends on did not succeed.
    Skipped,
    /// The run was stopped before the step was done. The run can be resumed.
    Interrupted,
}

impl StepKind {
    /// The kind of a planned step.
    pub fn of(work: &Work) -> Self {
        match work {
            Work::Synthesize(_) => Self::Synth,
            Work::Publish(_) => Self::Publish,
            Work::Deploy { .. } => Self::Deploy,
            Work::Delete { .. } => Self::Delete,
            Work::Gate { .. } => Self::Gate,
            Work::Command(_) => Self::Command,
            Work::Prewarm(_) => Self::Prewarm,
        }
    }

    /// Returns whether a step of this kind is an operation on a stack.
    pub fn is_of_stack(&self) -> bool {
        matches!(self, Self::Deploy | Self::Delete)
    }
}

impl RetryClass {
    /// The class of a failure of a stack or a resource, by CloudFormation's reason.
    pub fn of_failure(reason: &str) -> Self {
        match failure_class(reason) {
            Some(FailureClass::Iam) => Self::Iam,
            Some(FailureClass::ServiceLinkedRole) => Self::ServiceLinkedRole,
            Some(FailureClass::Throttled) => Self::Throttled,
            Some(FailureClass::Service) | None => Self::Service,
        }
    }
}

impl StepRef {
    /// Returns whether the step is an operation on a stack.
    pub fn is_of_stack(&self) -> bool {
        self.kind.is_of_stack()
    }

    /// Returns whether the step watches the alarms of the first region of a rollout.
    pub fn is_bake(&self) -> bool {
        self.kind == StepKind::Gate && self.step.starts_with("gate:bake:")
    }
}

/// How [`Cause::at`] names an alarm, after its name.
const ALARM: &str = " (AWS::CloudWatch::Alarm)";

impl Cause {
    /// What [`Cause::at`] says about a failure whose cause is an alarm that went off.
    pub fn of_alarm(name: &str) -> String {
        format!("{name}{ALARM}")
    }

    /// The name of the alarm that went off, if that is the cause of the failure of this step.
    pub fn alarm(&self, step: &StepRef) -> Option<&str> {
        self.at.as_deref().filter(|_| step.is_bake())?.strip_suffix(ALARM)
    }
}

impl StepFinished {
    /// How long the operation of the step was held back because of others, in seconds.
    pub fn staggered_s(&self) -> f64 {
        let staggered = self.waited.iter().filter(|wait| wait.limit == Limit::Staggered);
        staggered.map(|wait| wait.waited_s).sum()
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Deployed,
        Self::Deleted,
        Self::Unchanged,
        Self::Prepared,
        Self::Failed,
        Self::RolledBack,
        Self::Skipped,
        Self::Interrupted,
    ];

    /// Returns whether the steps that depend on this one may start.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Deployed | Self::Deleted | Self::Unchanged | Self::Prepared)
    }

    /// The word used in events and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Deleted => "deleted",
            Self::Unchanged => "unchanged",
            Self::Prepared => "prepared",
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

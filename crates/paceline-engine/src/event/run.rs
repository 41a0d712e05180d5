//! Events of the run as a whole: its start with the plan, the build around it, and its end.

use std::collections::BTreeMap;

use paceline_config::{Concurrency, FailurePolicy, Rollback, Strategy};
use paceline_text::ExitCode;
use serde::{Deserialize, Serialize};

use super::{Outcome, StepRef};

/// The start of a run or of its resumption, with everything that reports need from the plan. Only the digest of the plan must
/// be there: a run of an older version can be reported with what its journal has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The version of Paceline.
    #[serde(default)]
    pub paceline: String,
    /// The folder of the assembly, as given.
    #[serde(default)]
    pub app: String,
    /// Digest of the plan: the same digest means the same steps and templates.
    pub plan: String,
    /// True if this resumes a run that was interrupted.
    #[serde(default)]
    pub resumed: bool,
    /// The number of this start. All starts and resumptions in a folder of runs are counted. The greater
    /// number started later, even if the clocks say otherwise. `None` if there is no folder of runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<u64>,
    /// The endpoint, if the run does not use AWS itself but a simulator, for example.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<String>,
    /// The run that this run rolls back, if it is a rollback.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undoes: Option<String>,
    /// True if the run only prepares a deployment: it publishes assets and makes change sets, and changes no stack.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub prepares: bool,
    /// The prepared run whose change sets this run executes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub executes: Option<String>,
    /// True if the run is simulated, so that its durations are not real.
    #[serde(default)]
    pub simulated: bool,
    /// The rule that decides when a stack may start.
    #[serde(default)]
    pub strategy: Strategy,
    /// The phases in their order, each with the ids of its stacks.
    #[serde(default)]
    pub phases: Vec<PlannedPhase>,
    /// Every step of the run, in an order that respects `needs`.
    #[serde(default)]
    pub steps: Vec<PlannedStep>,
    /// The settings of the run, to say what has changed when it is resumed. `None` if the run cannot be resumed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settings: Option<PlannedSettings>,
}

/// The settings of a run that belong to no step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSettings {
    /// How many operations run at the same time.
    pub concurrency: Concurrency,
    /// What happens to the other stacks when one fails.
    pub policy: FailurePolicy,
    /// What happens to a stack that fails.
    pub rollback: Rollback,
    /// True if stacks that differ in times of the synthesis alone count as unchanged.
    pub ignore_timestamps: bool,
}

/// A phase of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPhase {
    pub name: String,
    /// The ids of its stacks.
    pub stacks: Vec<String>,
}

/// The part of a planned step that reports need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its id, kind and title.
    #[serde(flatten)]
    pub step: StepRef,
    /// The ids of the steps that it needs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The forecast of its duration.
    #[serde(default)]
    pub expected_s: f64,
    /// The start of the digest of the stack or asset that the step deploys or publishes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<String>,
    /// The digest of everything that decides what the step does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<String>,
}

/// What a person has let through although the policy refuses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunApproved {
    /// What the policy refuses, such as `deletes`.
    pub rule: String,
    /// Why it was let through, in the words of the person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The ARN of the caller, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// What was let through, one sentence each.
    #[serde(default)]
    pub what: Vec<String>,
}

/// The phases of a CodeBuild build before the run started in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildPhases {
    /// The id of the build, as CodeBuild gives it.
    pub build: String,
    /// Its phases so far, in their order.
    pub phases: Vec<BuildPhase>,
}

/// A phase of a build, as CodeBuild names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildPhase {
    /// The name, such as `PROVISIONING`.
    pub name: String,
    /// The status, such as `SUCCEEDED`. `None` while the phase is running.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
    /// The duration of the phase so far.
    pub duration_s: f64,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The number of stacks for each outcome.
    #[serde(default)]
    pub stacks: BTreeMap<Outcome, usize>,
    /// The documented exit code.
    #[serde(with = "number")]
    pub exit_code: ExitCode,
    /// The time from the start of this process to its end. Earlier parts of the run do not count.
    #[serde(default)]
    pub duration_s: f64,
    /// The stacks that the run waits for while it sleeps. Empty if it does not sleep.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub waits_for: Vec<String>,
}

/// Writes an exit code as a number in the events file.
mod number {
    use paceline_text::ExitCode;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(code: &ExitCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(code.code())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ExitCode, D::Error> {
        u8::deserialize(deserializer).map(ExitCode::from)
    }
}

//! How a run goes: when stacks start, how many at once, and what happens when one fails.

use std::num::NonZeroUsize;

use paceline_yaml::Node;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::setting::{Problem, Setting, choices, settings, text};

choices! {
    /// When a stack may start.
    pub enum Strategy: "a strategy" {
        /// When the stacks that it depends on are complete.
        Graph = "graph",
        /// When every phase before its own is complete too.
        Phases = "phases",
    }
    default Graph
}

settings! {
    /// How many operations run at the same time.
    #[derive(Copy, Serialize, Deserialize)]
    pub struct Concurrency: Default {
        /// Operations on stacks.
        pub stacks: NonZeroUsize = at_least_one(20),
        /// Uploads of file assets.
        pub assets: NonZeroUsize = at_least_one(8),
        /// Builds of image assets.
        pub images: NonZeroUsize = at_least_one(4),
        /// Resources of the stacks that are created, updated or deleted, in each account and region. The resources of
        /// a stack count until its operation has ended. A larger stack runs alone there. Without the setting, the
        /// number is the account's `ConcurrentResourcesLimit`, or 2500 if that cannot be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub resources: Option<NonZeroUsize>,
        /// How many times the documented rate the calls of CloudFormation may become, from 1 to 4, in accounts whose
        /// rates AWS has raised. Each run starts at the documented rate, becomes faster as long as AWS does not
        /// throttle, and is slower after the first throttle. With 1, the calls stay below the documented rate.
        #[serde(default, skip_serializing_if = "RateFactor::is_one")]
        pub api_rates: RateFactor,
    }
}

/// How many times the documented rate calls may become: 1 to 4.
///
/// The rates are in no list of quotas that can be read, so a team states that AWS has raised them. More than four times
/// is not tried, because every step upwards may cost a throttled call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateFactor(u32);

impl RateFactor {
    const MOST: u32 = 4;

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether calls stay below the documented rate.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_one(&self) -> bool {
        self.0 == 1
    }
}

impl Default for RateFactor {
    fn default() -> Self {
        Self(1)
    }
}

impl Setting for RateFactor {
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?;
        let factor = text.parse().ok().filter(|factor| (1..=Self::MOST).contains(factor));
        factor.map(Self).ok_or_else(|| {
            let hint = format!("write a whole number from 1 to {}", Self::MOST);
            Problem::at(node.at, format!("calls cannot become `{text}` times as fast as documented"), hint)
        })
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MOST })
    }

    fn shown(&self) -> Option<Value> {
        Some(self.0.into())
    }
}

pub(crate) fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

settings! {
    /// Differences between a stack and its template that are not deployed.
    #[derive(Copy)]
    pub struct Unchanged: Default {
        /// Ignores the time of synthesis, such as a physical id that is `Date.now()`. A custom resource that such a
        /// time starts on every deployment then runs only when something else has changed too.
        pub ignore_timestamps: bool,
        /// Keeps a record of each deployed stack in the staging bucket, below `paceline/`. A later run then knows that a
        /// stack is unchanged without reading its template. Without records, a stack that reads parameters in Parameter
        /// Store or outputs of other stacks is never known to be unchanged.
        pub records: bool = true,
    }
}

settings! {
    /// What is kept of runs in the staging bucket, for other machines.
    #[derive(Copy)]
    pub struct JournalSettings: Default {
        /// When a run keeps its journal, and what its stacks were before, in the staging bucket too. Then another machine can
        /// continue the run, roll it back, watch it and report it. Whoever may read the bucket can read the outputs of
        /// stacks and commands.
        pub bucket: JournalCopy,
        /// Whether the durations of runs are shared through the staging bucket, for the forecasts and for
        /// `paceline history` on other machines.
        pub history: HistoryPlace,
    }
}

choices! {
    /// When a run keeps its journal in the staging bucket.
    pub enum JournalCopy: "when the journal is in the bucket" {
        /// In a build of CodeBuild, whose machine is gone afterwards.
        InBuilds = "in-builds",
        /// In every run.
        Always = "always",
        /// In no run.
        Never = "never",
    }
    default InBuilds
}

choices! {
    /// Where the durations of runs are kept.
    pub enum HistoryPlace: "a place of the history" {
        /// In the folder of the app only.
        Local = "local",
        /// In the staging bucket, too.
        Shared = "shared",
    }
    default Local
}

settings! {
    /// What happens when a stack fails.
    #[derive(Copy)]
    pub struct OnFailure: Default {
        /// What happens to the other stacks: `skip-dependents` skips those that depend on the failed stack;
        /// `finish-running` starts no other stack, and waits for those that run; `fail-fast` ends the run at once, and
        /// what runs in AWS goes on there.
        pub policy: FailurePolicy,
        /// What happens to the failed stack: `stack` lets CloudFormation restore its previous state; `none` leaves
        /// it as it is, so that it can be examined or continued.
        pub rollback: Rollback,
        /// How many times a stack is tried again after a failure that disappears by itself: a role that is too new, a
        /// service that was called too fast, or two resources that made AWS create the same service-linked role.
        pub retries: u32 = 3,
        /// What happens when a resource takes more than three times as long as usual: `warn` names it and waits on;
        /// `cancel` also cancels an update, which rolls it back, and stops waiting for a creation, which goes on in AWS.
        pub stuck: Stuck,
        /// What happens to the whole run at its end, if a stack failed: `keep` leaves what was done; `rollback` restores
        /// every stack that the run updated, as `paceline rollback` does. It deletes nothing that the run created.
        pub run: FailedRun,
    }
}

choices! {
    /// What happens when a resource takes much longer than usual.
    pub enum Stuck: "what happens to a stuck stack" {
        /// The resource is named, and waited for.
        Warn = "warn",
        /// An update is cancelled, and a creation is not waited for any longer.
        Cancel = "cancel",
    }
    default Warn
}

choices! {
    /// What happens to a run in which a stack failed.
    pub enum FailedRun: "what happens to a failed run" {
        /// What was done stays.
        Keep = "keep",
        /// The updated stacks get back what they had before.
        Rollback = "rollback",
    }
    default Keep
}

choices! {
    /// What happens to the other stacks when one fails.
    pub enum FailurePolicy: "a failure policy" {
        /// Skips the stacks that depend on it. Everything else continues.
        SkipDependents = "skip-dependents",
        /// Starts nothing new, and waits for what runs.
        FinishRunning = "finish-running",
        /// Starts nothing new, and waits for nothing. AWS finishes the running operations by itself.
        FailFast = "fail-fast",
    }
    default SkipDependents
}

choices! {
    /// What happens to a stack that fails.
    pub enum Rollback: "a rollback" {
        /// CloudFormation restores its previous state.
        Stack = "stack",
        /// It stays as it is, so that it can be examined or continued.
        None = "none",
    }
    default Stack
}

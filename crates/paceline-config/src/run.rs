//! How a run goes: when stacks start, how many at once, and what happens when one fails.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::setting::{choices, settings};

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

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

fn at_least_one(number: usize) -> NonZeroUsize {
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
        /// stack is unchanged without reading its template.
        pub records: bool = true,
    }
}

settings! {
    /// What happens when a stack fails.
    #[derive(Copy)]
    pub struct OnFailure: Default {
        /// What happens to the other stacks: `skip-dependents` skips those that depend on the failed stack;
        /// `fail-fast` starts no other stack, and waits for those that run.
        pub policy: FailurePolicy,
        /// What happens to the failed stack: `stack` lets CloudFormation restore its previous state; `none` leaves
        /// it as it is, so that it can be examined or continued.
        pub rollback: Rollback,
        /// What happens to the whole run at its end, if a stack failed: `keep` leaves what was done; `rollback` restores
        /// every stack that the run updated, as `paceline rollback` does. It deletes nothing that the run created.
        pub run: FailedRun,
    }
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

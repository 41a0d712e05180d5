//! Why a plan could not be made. The sentences are made in `show`.

use crate::model::{Edge, Reason};

/// Why a plan could not be made.
#[derive(Debug)]
pub enum PlanError {
    /// A name or pattern means no stack.
    UnknownStack {
        /// Where it is written.
        place: String,
        /// What is written.
        pattern: String,
        /// The id that may have been meant.
        meant: Option<String>,
    },
    /// A name that must mean one stack means several.
    Ambiguous {
        /// Where it is written.
        place: String,
        /// What is written.
        pattern: String,
        /// The ids of the stacks it means.
        stacks: Vec<String>,
    },
    /// No stack is in a region, an account or a phase.
    NoStackIn {
        /// Where it is written.
        place: String,
        /// `region`, `account` or `phase`.
        kind: &'static str,
        /// The word for several of them.
        kinds: &'static str,
        /// What is written.
        pattern: String,
        /// Those that stacks are in.
        known: Vec<String>,
    },
    /// A pattern cannot be read.
    Pattern {
        /// Where it is written.
        place: String,
        /// What is written.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// Stacks wait for each other in a circle.
    Cycle {
        /// One edge for each step of the circle.
        edges: Vec<Edge>,
        /// What the team can give up in the configuration: each of these is enough.
        ways: Vec<WayOut>,
    },
    /// A phase puts a stack before one that it waits for.
    Contradiction {
        /// Why the stack waits.
        edge: Box<Edge>,
        /// The phase of the stack that waits.
        phase: String,
        /// The phase of the stack it waits for.
        later: String,
    },
    /// The rollout puts a stack before one of another region that it waits for.
    RolloutContradiction {
        /// Where the first region is written.
        place: String,
        /// Why the stack waits.
        edge: Box<Edge>,
        /// The first region.
        first: String,
        /// The region of the stack it waits for.
        other: String,
    },
    /// It is not known whether a stack is in the first region of the rollout.
    RolloutWithoutRegion {
        /// Where the first region is written.
        place: String,
        /// The stack.
        stack: String,
    },
    /// Every stack is in the first region of the rollout.
    RolloutOfOneRegion {
        /// Where it is written.
        place: String,
        /// The region.
        region: String,
    },
    /// A command says neither what it follows nor what waits for it.
    CommandWithoutPlace {
        /// The command.
        command: String,
    },
    /// A command follows one that is not declared before it.
    UnknownCommand {
        /// Where that is written.
        place: String,
        /// The command that is named.
        command: String,
    },
    /// A name means no phase.
    UnknownPhase {
        /// Where it is written.
        place: String,
        /// The phase that is named.
        phase: String,
        /// The phase that may have been meant.
        meant: Option<String>,
    },
    /// The edges to be changed do not exist.
    NoEdge {
        /// Where that is written.
        place: String,
        /// The stack that would wait.
        from: String,
        /// The stack it would wait for.
        to: String,
        /// The kind of edge that was named.
        reason: Option<Reason>,
    },
    /// An edge cannot be made to wait for less.
    NotRelaxed {
        /// Where that is written.
        place: String,
        /// The edge.
        edge: Box<Edge>,
        /// Why not.
        why: NotEased,
    },
    /// Two stacks of the assembly are one stack to CloudFormation, and neither waits for the other.
    SameStack {
        /// The id of one.
        first: String,
        /// The id of the other.
        second: String,
        /// The name of both.
        name: String,
        /// The environment of both.
        environment: String,
    },
    /// Context was missing when an app was synthesized, and no synthesis of the run will find it.
    MissingContext {
        /// The stack that would be deployed with something made up.
        stack: String,
        /// The key of the context.
        key: String,
        /// The kind of lookup.
        provider: String,
        /// The parameter, or such as `hosted zone example.com`, where it is something that a stack can make.
        name: Option<String>,
        /// The stack that makes it.
        maker: Option<String>,
    },
    /// No chosen stack differs from another assembly. Nothing is wrong then.
    NothingAffected {
        /// The other assembly, as it was named.
        base: String,
    },
    /// Nothing is left to deploy.
    Nothing {
        /// Whether the assembly has stacks, and all of them are left out.
        all_left_out: bool,
    },
}

/// A dependency that the team can give up, so that stacks no longer wait for each other in a circle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// Whether it reads parameters of the other stack.
    pub parameters: bool,
    /// Whether the manifest declares it.
    pub manifest: bool,
}

/// Why an edge cannot be made to wait for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEased {
    /// Only a parameter or a repository of the stack's own template can end a wait early.
    NoResource,
    /// Only a parameter whose name is known can be looked up before the run.
    NoKnownParameter,
}

impl std::error::Error for PlanError {}

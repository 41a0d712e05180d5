//! What advice proposes, as data. Its sentences are made in `show`.

use std::num::NonZeroUsize;
use std::time::Duration;

/// A change that would shorten the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Remove a dependency that the app declares and no template uses.
    RemoveUnusedEdge {
        /// The id of the stack that the advised one waits for.
        on: String,
    },
    /// Remove all such dependencies.
    RemoveUnusedEdges {
        /// How many.
        count: usize,
    },
    /// Move a `CloudFront` distribution to a stack of its own.
    MoveDistribution {
        /// How long the distribution takes.
        takes: Duration,
    },
    /// Move the reader of a database cluster to a stack of its own.
    MoveReader {
        /// How long the reader takes.
        takes: Duration,
    },
    /// Split a stack that others wait for although they need only a part of it.
    SplitProvider {
        /// The part that others need.
        early: StackPart,
        /// The id of the stack that needs it.
        needed_by: String,
        /// The other part.
        late: StackPart,
        /// Whether the other part refers to the first.
        late_waits: bool,
    },
    /// Split a stack of which only a part needs other stacks.
    SplitConsumer {
        /// The part that needs them.
        waiting: StackPart,
        /// The ids of the stacks that it needs.
        needs: Vec<String>,
        /// The other part.
        free: StackPart,
    },
    /// Do without NAT gateways.
    AvoidNatGateways {
        /// How many there are.
        count: usize,
        /// How long one takes.
        takes: Duration,
    },
    /// Make the functions behind custom resources faster.
    ShortenCustomResources {
        /// The custom resources on the longest chain of the stack.
        resources: ResourceList,
        /// How long they take.
        takes: Duration,
        /// How long the stack takes.
        of: Duration,
    },
    /// Replace a resource of a slow type, or start it first.
    ReplaceSlowResource {
        /// The type.
        resource_type: String,
        /// How long it takes.
        takes: Duration,
    },
    /// Let only edges order the stacks of a phase; without a phase, of all.
    OrderByEdges {
        /// The phase.
        phase: Option<String>,
    },
    /// Let a gate wait for fewer roles.
    NarrowGate {
        /// How long the gate takes.
        takes: Duration,
        /// Whether it waits for all roles of its stack.
        all_roles: bool,
    },
    /// Keep the layers of images between builds.
    CacheImages {
        /// The id of the stack that waits for the slowest image.
        stack: String,
        /// The image.
        image: String,
        /// How long it takes.
        takes: Duration,
    },
    /// Let more happen at once.
    RaiseLimit {
        /// Which limit of `concurrency`.
        limit: Limit,
        /// What it is.
        now: usize,
        /// What it should be.
        to: NonZeroUsize,
    },
}

/// A part of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPart {
    /// Its resources.
    pub resources: ResourceList,
    /// How long a stack of only these would take.
    pub takes: Duration,
}

/// Resources, of which a few are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceList {
    /// The names of those that take longest.
    pub names: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// A limit of `concurrency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Stack operations.
    Stacks,
    /// Builds of images.
    Images,
}

impl Remedy {
    /// The kind of advice, as programs know it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RemoveUnusedEdge { .. } => "unused-edge",
            Self::RemoveUnusedEdges { .. } => "unused-edges",
            Self::MoveDistribution { .. } => "cloudfront-first",
            Self::MoveReader { .. } => "serial-reader",
            Self::SplitProvider { late_waits: true, .. } => "early-resource",
            Self::SplitProvider { .. } => "split-stack",
            Self::SplitConsumer { .. } => "split-consumer",
            Self::AvoidNatGateways { .. } => "nat-gateway",
            Self::ShortenCustomResources { .. } => "custom-resources",
            Self::ReplaceSlowResource { .. } => "slow-resource",
            Self::OrderByEdges { .. } => "barrier",
            Self::NarrowGate { .. } => "gate",
            Self::CacheImages { .. } => "image",
            Self::RaiseLimit { .. } => "concurrency",
        }
    }
}

impl Limit {
    /// Its key in `concurrency`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Stacks => "stacks",
            Self::Images => "images",
        }
    }
}

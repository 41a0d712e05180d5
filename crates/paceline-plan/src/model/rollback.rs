//! What a rollback of a run leaves as it is, and what it cannot undo.

use std::collections::BTreeSet;

use paceline_assembly::Precious;

/// A stack that the run changed and that its rollback leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// The id of the stack.
    pub stack: String,
    /// Why it stays.
    pub why: StaysReason,
}

/// Why a rollback leaves a stack as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaysReason {
    /// The run created it, and nobody asked to delete what was created.
    Created,
    /// The run created it, and deleting it would lose these resources, which nobody named.
    CreatedWith(Vec<Precious>),
    /// To restore it would delete these resources, which the run created in it and which nobody named.
    WouldLose(Vec<Precious>),
}

impl Loss {
    /// Whether it is certain. If not, the rollback tries to undo it.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::NeededBy { .. } | Self::Uses { .. } | Self::WaitsFor { .. })
    }
}

/// Something that a rollback cannot undo, or that it may not be able to undo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The run gave a secret parameter a value, and nobody knows the value from before.
    Secret {
        /// The id of the stack.
        stack: String,
        /// The name of the parameter.
        parameter: String,
    },
    /// The run replaced a resource: what the old one held is gone.
    Replaced {
        /// The id of the stack.
        stack: String,
        /// The logical id of the resource.
        resource: String,
        /// Its type.
        resource_type: String,
    },
    /// The run removed a resource that held data from its stack.
    Removed {
        /// The id of the stack.
        stack: String,
        /// The resource.
        resource: Precious,
    },
    /// `CloudFormation` keeps the role of the run for the stack, which had none before.
    Role {
        /// The id of the stack.
        stack: String,
    },
    /// A stack that stays was deployed after this one. If it needs what the run added to this one, `CloudFormation`
    /// refuses to take that away.
    NeededBy {
        /// The id of the stack that is restored or deleted.
        stack: String,
        /// The ids of the stacks that stay.
        by: BTreeSet<String>,
    },
    /// A stack used what a stack that stays provided before the run. If that is not there any more, it cannot be
    /// restored.
    Uses {
        /// The id of the stack that is restored.
        stack: String,
        /// The ids of the stacks that stay.
        of: BTreeSet<String>,
    },
    /// A stack waits for stacks that may not be undone, and is skipped then.
    WaitsFor {
        /// The id of the stack that is restored or deleted.
        stack: String,
        /// The ids of the stacks that may not be undone.
        doubtful: BTreeSet<String>,
    },
    /// The run changed a stack without keeping what it was.
    NotCaptured {
        /// The id of the stack.
        stack: String,
    },
    /// The run deleted a stack.
    Deleted {
        /// The id of the stack.
        stack: String,
    },
    /// The run ran a command of the team.
    Command {
        /// The name of the command.
        name: String,
    },
    /// The run published assets, which stay where they are.
    Published {
        /// How many.
        count: usize,
    },
}

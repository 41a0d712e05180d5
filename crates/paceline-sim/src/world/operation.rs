//! Operations on stacks, and their tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paceline_assembly::StackStatus;

use super::known::Known;
use super::stack::Resource;

/// The action of an operation when a resource fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    RollBack,
    Nothing,
    Delete,
}

/// The kind of an operation. It determines the statuses of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Create,
    Update,
    /// Adds existing resources to a stack. The simulator creates them, as if somebody had created them just
    /// before.
    Import,
    /// Deletes the resources that an update replaced or removed.
    Cleanup,
    /// Deletes the resources that a failed creation created.
    RollBackCreate,
    /// Takes back the changes of a failed update.
    RollBackUpdate,
    /// Deletes the resources that a failed update created.
    RollBackCleanup,
    Delete,
}

impl OperationKind {
    /// The status of a stack during the operation.
    pub(crate) fn status(self) -> StackStatus {
        match self {
            Self::Create => StackStatus::CreateInProgress,
            Self::Update => StackStatus::UpdateInProgress,
            Self::Import => StackStatus::ImportInProgress,
            Self::Cleanup => StackStatus::UpdateCompleteCleanupInProgress,
            Self::RollBackCreate => StackStatus::RollbackInProgress,
            Self::RollBackUpdate => StackStatus::UpdateRollbackInProgress,
            Self::RollBackCleanup => StackStatus::UpdateRollbackCompleteCleanupInProgress,
            Self::Delete => StackStatus::DeleteInProgress,
        }
    }
}

/// An operation in progress.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) number: u64,
    pub(crate) kind: OperationKind,
    pub(crate) on_failure: OnFailure,
    pub(crate) tasks: BTreeMap<String, Task>,
    /// Logical ids of the resources that failed, in the order of their failures.
    pub(crate) failed: Vec<String>,
    /// Whether the operation leaves behind the resources that cannot be deleted.
    pub(crate) forced: bool,
    pub(crate) token: Option<Arc<str>>,
    /// Resources that a continued rollback skips, or that a deletion retains.
    pub(crate) skip: BTreeSet<String>,
    /// The status of the stack before the operation.
    pub(crate) before: StackStatus,
    /// Whether the tasks have been determined.
    pub(crate) begun: bool,
    /// Whether the end is already scheduled.
    pub(crate) ending: bool,
}

/// The work of an operation on one resource.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) waits_for: BTreeSet<String>,
    pub(crate) work: Work,
    pub(crate) state: TaskState,
}

#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Brings the resource into the desired state.
    Ensure,
    /// Brings the resource back into its previous state.
    Revert,
    /// Deletes the resource, in the state that it had when the task was made.
    Delete(Box<Resource>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskState {
    Waiting,
    Running,
    Ended,
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Determine the tasks of the operation.
    Begin,
    /// The service behind a resource accepts the request.
    Initiated(String),
    /// The work on a resource is complete.
    Done(String),
    /// A nested stack's operation ended: the logical id of its resource, and its outputs or the reason of its
    /// failure.
    Child(String, Result<BTreeMap<String, Known>, String>),
    /// A creation has reached its time limit.
    TimeOut,
    /// The operation ends.
    Finish,
    /// A change set is complete.
    ChangeSet(String),
}

/// Stands for whichever operation the stack has when the step is due.
pub(crate) const ANY_OPERATION: u64 = 0;

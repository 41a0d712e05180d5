//! Operations on stacks: what they do, and what they have to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paceline_assembly::StackStatus;

use super::known::Known;
use super::stack::Resource;

/// What to do when a resource fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    RollBack,
    Nothing,
    Delete,
}

/// What an operation does. The names of the statuses follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Create,
    Update,
    /// Takes resources in that are there already. Here it makes them, as if somebody had made them just before.
    Import,
    /// Deletes what an update replaced or removed.
    Cleanup,
    /// Deletes what a failed creation created.
    RollBackCreate,
    /// Takes back what a failed update changed.
    RollBackUpdate,
    /// Deletes what a failed update created.
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
    /// Logical ids of the resources that failed, in that order.
    pub(crate) failed: Vec<String>,
    /// Whether resources that cannot be deleted are left behind.
    pub(crate) forced: bool,
    pub(crate) token: Option<Arc<str>>,
    /// Resources that a continued rollback passes over, or a deletion retains.
    pub(crate) skip: BTreeSet<String>,
    /// The status of the stack before.
    pub(crate) before: StackStatus,
    /// Whether it knows its tasks.
    pub(crate) begun: bool,
    /// Whether the end is already scheduled.
    pub(crate) ending: bool,
}

/// What an operation has to do about one resource.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) waits_for: BTreeSet<String>,
    pub(crate) work: Work,
    pub(crate) state: TaskState,
}

#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Bring it into the desired state.
    Ensure,
    /// Bring it back into its previous state.
    Revert,
    /// Delete it, as it was when it was decided.
    Delete(Box<Resource>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskState {
    Waiting,
    Running,
    Ended,
    Failed,
}

/// The next thing that happens to a stack.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The operation turns to its resources.
    Begin,
    /// The service behind a resource accepted the request.
    Initiated(String),
    /// A resource has taken its time.
    Done(String),
    /// A nested stack ended: the logical id of its resource, and what it put out or why it failed.
    Child(String, Result<BTreeMap<String, Known>, String>),
    /// A creation has had the time it was given.
    TimeOut,
    /// The operation ends.
    Finish,
    /// A change set is there.
    ChangeSet(String),
}

/// Stands for whatever operation a stack has by then.
pub(crate) const ANY_OPERATION: u64 = 0;

//! Events of a stack: the call that was sent, the answer of AWS, and the progress of its resources.

use jiff::Timestamp;
use paceline_assembly::{FailureClass, ResourceStatus, STACK_TYPE, StackStatus, failure_class, is_timeout};
use paceline_text::vocabulary;
use serde::{Deserialize, Serialize};

use super::{StepRef, millis};

vocabulary! {
    /// A call that changes a stack, or prepares to.
    StackCall {
        Create = "create",
        Update = "update",
        Delete = "delete",
        CreateChangeSet = "create-change-set",
        ExecuteChangeSet = "execute-change-set",
        ContinueRollback = "continue-rollback",
        CancelUpdate = "cancel-update",
        Rollback = "rollback",
    }
}

/// A mutating stack operation that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSubmitted {
    #[serde(flatten)]
    pub step: StepRef,
    /// The call that is sent.
    pub operation: StackCall,
    /// The client request token of the call.
    pub token: String,
}

/// AWS works on a stack: it has accepted our operation, or an operation was already running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackAccepted {
    #[serde(flatten)]
    pub step: StepRef,
    /// The stack's id. A stack that is deleted and created again under the same name has another id.
    pub stack_id: String,
    /// The operation's client request token, if it is ours.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

/// A resource of a stack, or the stack itself, changed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackProgress {
    #[serde(flatten)]
    pub step: StepRef,
    /// The logical id. If the event is about the stack itself: the name of the stack.
    pub logical_id: String,
    /// The type, such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// The status of the resource. If the event is about the stack, use [`stack_status`](Self::stack_status).
    pub status: ResourceStatus,
    /// The reason that CloudFormation gives, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The number of resources of the stack that are complete.
    #[serde(default)]
    pub done: usize,
    /// The number of resources of the stack.
    #[serde(default)]
    pub total: usize,
    /// True if steps that wait for the resource must ignore this event. The event may belong to an operation
    /// that this step did not start, or that is being rolled back.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unconfirmed: bool,
    /// The time of the change, as CloudFormation reports it.
    #[serde(with = "millis")]
    pub happened_at: Timestamp,
}

impl StackCall {
    /// Returns whether the call leaves the resources of the stack unchanged.
    pub fn only_prepares(&self) -> bool {
        *self == Self::CreateChangeSet
    }

    /// Returns whether the call begins a new operation. Executing a change set continues the operation that
    /// the creation of the change set began. The other calls undo an operation.
    pub fn begins_operation(&self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete | Self::CreateChangeSet)
    }
}

impl StackProgress {
    /// The reason of a resource that failed by itself.
    fn failure(&self) -> Option<&str> {
        let reason = self.reason.as_deref();
        let is_of_resource = self.stack_status().is_none();
        reason.filter(|_| is_of_resource && self.status.failed_by_itself(reason))
    }

    /// Whether a resource failed because an IAM role, a policy or an instance profile was too new to be used.
    pub fn failed_by_iam(&self) -> bool {
        self.failure().and_then(failure_class) == Some(FailureClass::Iam)
    }

    /// Whether a resource failed because it took longer than it may.
    pub fn timed_out(&self) -> bool {
        self.failure().is_some_and(is_timeout)
    }

    /// The status of the stack, if the event is about the stack itself and not about one of its resources.
    pub fn stack_status(&self) -> Option<StackStatus> {
        // Old journals have no name of the stack. Its id is the name then.
        let name = self.step.stack_name.as_ref().or(self.step.stack.as_ref());
        let is_of_stack = self.resource_type == STACK_TYPE && name == Some(&self.logical_id);
        is_of_stack.then(|| self.status.of_stack())
    }
}

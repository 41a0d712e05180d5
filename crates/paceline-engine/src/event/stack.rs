//! Events of a stack: what was sent to AWS, whether AWS works on it, and how its resources get on.

use jiff::Timestamp;
use paceline_assembly::{ResourceStatus, STACK_TYPE, StackStatus};
use paceline_text::vocabulary;
use serde::{Deserialize, Serialize};

use super::{StepRef, millis};

vocabulary! {
    /// A call that changes a stack, or is about to.
    StackCall {
        Create = "create",
        Update = "update",
        Delete = "delete",
        CreateChangeSet = "create-change-set",
        ExecuteChangeSet = "execute-change-set",
        ContinueRollback = "continue-rollback",
        CancelUpdate = "cancel-update",
    }
}

/// A mutating stack operation that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSubmitted {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The call that is sent.
    pub operation: StackCall,
    /// Its client request token.
    pub token: String,
}

/// AWS works on a stack: it has accepted an operation, or one was found going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackAccepted {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The stack's id, which tells it from others of its name.
    pub stack_id: String,
    /// The operation's client request token, if it is ours.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

/// A resource of a stack, or the stack itself, changed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackProgress {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// The logical id; the stack's own name when it is about the stack.
    pub logical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// The resource's status; when it is about the stack, [`stack_status`](Self::stack_status) has the stack's.
    pub status: ResourceStatus,
    /// CloudFormation's words, if it gave any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Resources of the stack that are complete by now.
    pub done: usize,
    /// Resources of the stack in all.
    pub total: usize,
    /// Whether it is no proof for what waits for the resource: it is not known to be a part of this step's own
    /// operation, or that is being rolled back.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unconfirmed: bool,
    /// When CloudFormation says it happened.
    #[serde(with = "millis")]
    pub happened_at: Timestamp,
}

impl StackCall {
    /// Whether it changes nothing in the stack yet.
    pub fn only_prepares(&self) -> bool {
        *self == Self::CreateChangeSet
    }

    /// Whether a new operation begins with it. A change set that is executed goes on with what its making began, and
    /// the others undo one that goes on.
    pub fn begins_operation(&self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete | Self::CreateChangeSet)
    }
}

impl StackProgress {
    /// The status of the stack, if it is about the step's own stack and not about a resource of it.
    pub fn stack_status(&self) -> Option<StackStatus> {
        // Old journals have no name: a stack's id is its name then.
        let name = self.step.stack_name.as_ref().or(self.step.stack.as_ref());
        let is_of_stack = self.resource_type == STACK_TYPE && name == Some(&self.logical_id);
        is_of_stack.then(|| self.status.of_stack())
    }
}

//! What CloudFormation means by a refusal.
//!
//! Most of its refusals have the code `ValidationError`, and only the message tells them apart. This is the one place
//! that reads those messages.

use aws_sdk_cloudformation::types::ExecutionStatus;
use paceline_assembly::{StackOperation, StackStatus};

use crate::error::{AwsError, code};

impl AwsError {
    /// The stack is not there.
    pub(crate) fn says_no_such_stack(&self) -> bool {
        self.message.contains("does not exist") && self.message.contains("Stack ")
    }

    /// The update would change nothing.
    pub(crate) fn says_nothing_to_change(&self) -> bool {
        self.message.contains(NOTHING_TO_CHANGE)
    }

    /// The stack is not as it was when it was last read, with this status. With the same status the refusal is about
    /// that status, and reading the stack again is no help.
    pub(crate) fn says_stack_has_changed(&self, last_seen: Option<&StackStatus>) -> bool {
        let same_status = last_seen.is_some_and(|status| {
            let text = format!("is in {status} state");
            self.message.contains(&text)
        });
        self.message.contains("_IN_PROGRESS state and can not be updated")
            || self.message.contains("state and can not be updated") && !same_status
            || self.is(code::ALREADY_EXISTS)
            || self.message.contains("already exists and cannot be created again with the changeSet")
            || self.is(code::INVALID_CHANGE_SET_STATUS)
            || self.is(code::CHANGE_SET_NOT_FOUND)
            || self.says_no_such_stack()
    }

    /// There is a change set of this name already.
    pub(crate) fn says_change_set_exists(&self) -> bool {
        self.is(code::ALREADY_EXISTS) && self.message.contains("ChangeSet")
    }

    /// The change set was executed before.
    pub(crate) fn says_change_set_is_executed(&self) -> bool {
        self.message.contains(ExecutionStatus::ExecuteComplete.as_str())
    }

    /// There is no rollback to continue: somebody else has continued it.
    pub(crate) fn says_no_rollback_to_continue(&self) -> bool {
        self.message.contains("continue") && self.message.contains(" state")
    }

    /// There is no update to cancel, because it has ended or is being rolled back.
    pub(crate) fn says_no_update_to_cancel(&self) -> bool {
        self.message.contains("cannot be called from current stack status")
    }

    /// The stack that is named in the refusal is rolled back, or about to be.
    pub(crate) fn says_update_is_rolled_back(&self) -> bool {
        let mut statuses = StackStatus::KNOWN.iter().filter(|status| is_update_rollback(status));
        statuses.any(|status| self.message.contains(status.as_str()))
    }

    /// The stack cannot be deleted as it is now.
    pub(crate) fn says_not_deletable_now(&self) -> bool {
        self.message.contains("cannot be deleted while in status")
            || self.message.contains("cannot be deleted while TerminationProtection is enabled")
            || self.says_no_such_stack()
    }
}

/// Whether a stack in this state rolls an update back, has done so, or could not.
pub(crate) fn is_update_rollback(status: &StackStatus) -> bool {
    status.is_rollback() && status.operation() == Some(StackOperation::Update)
}

/// Whether the reason of a failed change set says that there is nothing to change.
pub(crate) fn is_without_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains(NOTHING_TO_CHANGE)
}

const NOTHING_TO_CHANGE: &str = "No updates are to be performed";

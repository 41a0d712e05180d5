//! The meaning of CloudFormation's refusals.
//!
//! Most refusals have the code `ValidationError`, and only the message distinguishes them. No other module
//! reads those messages.

use aws_sdk_cloudformation::types::ExecutionStatus;
use paceline_assembly::{StackOperation, StackStatus};

use crate::error::{AwsError, code};

impl AwsError {
    /// Returns whether the stack does not exist.
    pub(crate) fn says_no_such_stack(&self) -> bool {
        self.message.contains("does not exist") && self.message.contains("Stack ")
    }

    /// Returns whether the update would change nothing.
    pub(crate) fn says_nothing_to_change(&self) -> bool {
        self.message.contains(NOTHING_TO_CHANGE)
    }

    /// Returns whether the stack has changed since it was last read with this status. If the refusal names
    /// the same status, it is about that status, and reading the stack again does not help.
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

    /// Returns whether a change set of this name exists.
    pub(crate) fn says_change_set_exists(&self) -> bool {
        self.is(code::ALREADY_EXISTS) && self.message.contains("ChangeSet")
    }

    /// Returns whether the change set was executed earlier.
    pub(crate) fn says_change_set_is_executed(&self) -> bool {
        self.message.contains(ExecutionStatus::ExecuteComplete.as_str())
    }

    /// Returns whether there is no rollback to continue, because somebody else has continued it.
    pub(crate) fn says_no_rollback_to_continue(&self) -> bool {
        self.message.contains("continue") && self.message.contains(" state")
    }

    /// Returns whether the stack is not in a failed state any more, and so cannot be rolled back.
    pub(crate) fn says_no_failure_to_roll_back(&self) -> bool {
        self.message.contains("state and can not be rolled back")
    }

    /// Returns whether there is no update to cancel, because it has ended or is being rolled back.
    pub(crate) fn says_no_update_to_cancel(&self) -> bool {
        self.message.contains("cannot be called from current stack status")
    }

    /// Returns whether the refusal names the status of a stack whose update is being rolled back or has been.
    pub(crate) fn says_update_is_rolled_back(&self) -> bool {
        let mut statuses = StackStatus::KNOWN.iter().filter(|status| is_update_rollback(status));
        statuses.any(|status| self.message.contains(status.as_str()))
    }

    /// Returns whether the stack cannot be deleted in its present state.
    pub(crate) fn says_not_deletable_now(&self) -> bool {
        self.message.contains("cannot be deleted while in status")
            || self.message.contains("cannot be deleted while TerminationProtection is enabled")
            || self.says_no_such_stack()
    }
}

/// Returns whether the status belongs to the rollback of an update: in progress, complete or failed.
pub(crate) fn is_update_rollback(status: &StackStatus) -> bool {
    status.is_rollback() && status.operation() == Some(StackOperation::Update)
}

/// Returns whether a resource failed with this message because it would have to be replaced while rollback is disabled
/// (aws-cdk#30546).
pub(crate) fn refuses_replacement(message: &str) -> bool {
    message.contains("Replacement type updates not supported")
}

/// Returns whether a change set failed because there is nothing to change.
pub(crate) fn is_without_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains(NOTHING_TO_CHANGE)
}

const NOTHING_TO_CHANGE: &str = "No updates are to be performed";

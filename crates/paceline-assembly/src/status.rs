//! The status values of stacks and of resources in CloudFormation.
//!
//! No other module spells them. The runner, the reports and the simulator ask a status for its meaning:
//! whether an operation is in progress, whether it failed, whether it is being rolled back. The types live in
//! the lowest crate that knows CloudFormation, so that the simulator does not depend on the runner.
//!
//! A value that AWS adds later is kept as it is ([`Other`](StackStatus::Other)), and its ending gives its
//! meaning: all of CloudFormation's statuses end in `_IN_PROGRESS`, `_COMPLETE`, `_FAILED` or `_SKIPPED`.

use paceline_text::vocabulary;

/// The resource type of a stack in its own events.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

vocabulary! {
    /// The state of a stack, as `DescribeStacks` says it.
    StackStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateComplete = "CREATE_COMPLETE",
        /// Left as it is, because rolling back was not wanted.
        CreateFailed = "CREATE_FAILED",
        /// Its creation failed, and what was created is being deleted.
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        /// Nothing of it is left but its name: it can only be deleted.
        RollbackComplete = "ROLLBACK_COMPLETE",
        RollbackFailed = "ROLLBACK_FAILED",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        /// The update has succeeded, and what it replaced is being deleted.
        UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateComplete = "UPDATE_COMPLETE",
        /// Left as it is, because rolling back was not wanted.
        UpdateFailed = "UPDATE_FAILED",
        UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
        /// The stack is what it was before, and what the update created is being deleted.
        UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
        UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteComplete = "DELETE_COMPLETE",
        DeleteFailed = "DELETE_FAILED",
        /// Nothing of it exists yet: it waits for its first change set to be executed.
        ReviewInProgress = "REVIEW_IN_PROGRESS",
        ImportInProgress = "IMPORT_IN_PROGRESS",
        ImportComplete = "IMPORT_COMPLETE",
        ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
        ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
        ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
    }
}

vocabulary! {
    /// The state of a resource, as an event of its stack says it.
    ///
    /// The stack itself has such events too: [`of_stack`](Self::of_stack) reads theirs.
    ResourceStatus {
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateComplete = "CREATE_COMPLETE",
        CreateFailed = "CREATE_FAILED",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateComplete = "UPDATE_COMPLETE",
        UpdateFailed = "UPDATE_FAILED",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteComplete = "DELETE_COMPLETE",
        DeleteFailed = "DELETE_FAILED",
        /// It was to be kept, so it is no longer the stack's, and still there.
        DeleteSkipped = "DELETE_SKIPPED",
        ImportInProgress = "IMPORT_IN_PROGRESS",
        ImportComplete = "IMPORT_COMPLETE",
        ImportFailed = "IMPORT_FAILED",
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        RollbackComplete = "ROLLBACK_COMPLETE",
        RollbackFailed = "ROLLBACK_FAILED",
        UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
        UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
        UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
        ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
        ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
        ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
    }
}

/// An operation of CloudFormation on a resource, or on a whole stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackOperation {
    /// The creation of a resource.
    Create,
    /// The update of a resource.
    Update,
    /// The deletion of a resource.
    Delete,
    /// The import of an existing resource into the stack.
    Import,
}

/// The methods that follow from the ending of a status, for stacks and resources alike.
macro_rules! endings {
    ($name:ident) => {
        impl $name {
            /// Whether something is in progress: an operation, its rollback, or the cleanup after it.
            pub fn is_in_progress(&self) -> bool {
                self.as_str().ends_with("_IN_PROGRESS")
            }

            /// Whether the operation failed, and stays failed until somebody acts.
            pub fn failed(&self) -> bool {
                self.as_str().ends_with("_FAILED")
            }

            /// Whether the operation is being rolled back, was rolled back, or could not be.
            pub fn is_rollback(&self) -> bool {
                self.as_str().contains("ROLLBACK")
            }
        }
    };
}

endings!(StackStatus);
endings!(ResourceStatus);

impl StackStatus {
    /// Whether nothing is in progress: the operation and its cleanup have ended, successfully or not.
    pub fn is_settled(&self) -> bool {
        !self.is_in_progress()
    }

    /// Whether the last operation has ended. Replaced resources may still be in deletion.
    pub fn has_ended(&self) -> bool {
        self.is_settled() || self.is_cleaning_up()
    }

    /// Whether the last operation succeeded: the stack exists and matches its template.
    pub fn has_succeeded(&self) -> bool {
        matches!(
            self,
            Self::CreateComplete
                | Self::UpdateComplete
                | Self::UpdateCompleteCleanupInProgress
                | Self::ImportComplete
        )
    }

    /// Whether the last operation is being rolled back.
    pub fn rolling_back(&self) -> bool {
        self.is_rollback() && self.is_in_progress() && !self.is_cleaning_up()
    }

    /// Whether the last operation was rolled back completely.
    pub fn is_rolled_back(&self) -> bool {
        matches!(self, Self::RollbackComplete | Self::UpdateRollbackComplete | Self::ImportRollbackComplete)
    }

    /// Whether the rollback of an operation failed: only a person can continue from there.
    pub fn is_stuck(&self) -> bool {
        self.is_rollback() && self.failed()
    }

    /// Whether the operation itself has ended, and the resources that it replaced or created in vain are
    /// being deleted.
    pub fn is_cleaning_up(&self) -> bool {
        matches!(self, Self::UpdateCompleteCleanupInProgress | Self::UpdateRollbackCompleteCleanupInProgress)
    }

    /// Whether the stack is being deleted, was deleted, or could not be.
    pub fn is_deletion(&self) -> bool {
        matches!(self, Self::DeleteInProgress | Self::DeleteComplete | Self::DeleteFailed)
    }

    /// The operation that was last requested. `None` during and after the rollback of a creation, and before
    /// the first change set is executed.
    pub fn operation(&self) -> Option<StackOperation> {
        operation(self.as_str())
    }
}

impl ResourceStatus {
    /// The status of the stack, if this is the status in an event of the stack itself.
    pub fn of_stack(&self) -> StackStatus {
        StackStatus::from(self.as_str())
    }

    /// Whether the operation on the resource succeeded.
    pub fn is_complete(&self) -> bool {
        self.as_str().ends_with("_COMPLETE")
    }

    /// Whether the resource itself failed. CloudFormation also reports `_FAILED` for resources that it
    /// stopped because another one had failed. Every message about a first cause uses this rule.
    pub fn failed_by_itself(&self, reason: Option<&str>) -> bool {
        self.failed() && !reason.is_some_and(is_cancellation)
    }

    /// The operation on the resource. `None` during the rollback of a creation.
    pub fn operation(&self) -> Option<StackOperation> {
        operation(self.as_str())
    }
}

impl From<StackStatus> for ResourceStatus {
    /// The status in the form of the stack's own event.
    fn from(status: StackStatus) -> Self {
        Self::from(status.as_str())
    }
}

impl StackOperation {
    /// The word that begins the statuses: `CREATE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Import => "IMPORT",
        }
    }

    /// The status of a resource during this operation.
    pub fn in_progress(self) -> ResourceStatus {
        match self {
            Self::Create => ResourceStatus::CreateInProgress,
            Self::Update => ResourceStatus::UpdateInProgress,
            Self::Delete => ResourceStatus::DeleteInProgress,
            Self::Import => ResourceStatus::ImportInProgress,
        }
    }

    /// The status of a resource after this operation succeeded.
    pub fn complete(self) -> ResourceStatus {
        match self {
            Self::Create => ResourceStatus::CreateComplete,
            Self::Update => ResourceStatus::UpdateComplete,
            Self::Delete => ResourceStatus::DeleteComplete,
            Self::Import => ResourceStatus::ImportComplete,
        }
    }

    /// The status of a resource after this operation failed.
    pub fn failed(self) -> ResourceStatus {
        match self {
            Self::Create => ResourceStatus::CreateFailed,
            Self::Update => ResourceStatus::UpdateFailed,
            Self::Delete => ResourceStatus::DeleteFailed,
            Self::Import => ResourceStatus::ImportFailed,
        }
    }
}

/// Whether a reason says that CloudFormation stopped a resource because another one had failed: `Resource
/// creation cancelled`, or the same of an update or a deletion.
pub fn is_cancellation(reason: &str) -> bool {
    let rest = reason.strip_prefix("Resource ").unwrap_or_default();
    rest.split_once(' ').is_some_and(|(what, rest)| {
        matches!(what, "creation" | "update" | "deletion") && rest.starts_with("cancelled")
    })
}

fn operation(status: &str) -> Option<StackOperation> {
    match status.split('_').next()? {
        "CREATE" => Some(StackOperation::Create),
        "UPDATE" => Some(StackOperation::Update),
        "DELETE" => Some(StackOperation::Delete),
        "IMPORT" => Some(StackOperation::Import),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn those(is_it: impl Fn(&StackStatus) -> bool) -> Vec<&'static str> {
        StackStatus::KNOWN.iter().filter(|status| is_it(status)).map(StackStatus::as_str).collect()
    }

    #[test]
    fn every_value_is_read_back_and_unknown_values_are_kept() {
        for status in StackStatus::KNOWN {
            assert_eq!(StackStatus::from(status.as_str()), *status);
        }
        for status in ResourceStatus::KNOWN {
            assert_eq!(ResourceStatus::from(status.as_str()), *status);
        }
        let new = StackStatus::from("REFRESH_IN_PROGRESS");
        assert_eq!(new, StackStatus::Other("REFRESH_IN_PROGRESS".to_owned()));
        assert_eq!(serde_json::to_string(&new).unwrap(), r#""REFRESH_IN_PROGRESS""#);
        assert!(new.is_in_progress() && !new.is_settled() && !new.failed());
    }

    #[test]
    fn a_stack_is_settled_when_nothing_is_in_progress() {
        assert_eq!(
            those(|status| !status.is_settled()),
            [
                "CREATE_IN_PROGRESS",
                "ROLLBACK_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                "UPDATE_ROLLBACK_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                "DELETE_IN_PROGRESS",
                "REVIEW_IN_PROGRESS",
                "IMPORT_IN_PROGRESS",
                "IMPORT_ROLLBACK_IN_PROGRESS",
            ]
        );
        assert_eq!(
            those(|status| status.has_ended() && !status.is_settled()),
            ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"]
        );
    }

    #[test]
    fn rolled_back_stacks_differ_from_those_still_rolling_back_or_stuck() {
        assert_eq!(
            those(StackStatus::rolling_back),
            ["ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS"]
        );
        assert_eq!(
            those(StackStatus::is_rolled_back),
            ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"]
        );
        assert_eq!(
            those(StackStatus::is_stuck),
            ["ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"]
        );
    }

    #[test]
    fn a_cancelled_resource_did_not_fail_by_itself() {
        let failed = ResourceStatus::CreateFailed;
        assert!(failed.failed_by_itself(None));
        assert!(failed.failed_by_itself(Some("The order was cancelled by its owner")));
        assert!(!failed.failed_by_itself(Some("Resource creation cancelled")));
        assert!(!failed.failed_by_itself(Some("Resource update cancelled by the user")));
        assert!(!ResourceStatus::CreateComplete.failed_by_itself(None));
    }

    #[test]
    fn the_statuses_of_an_operation_begin_with_its_name() {
        use StackOperation::{Create, Delete, Import, Update};
        for operation in [Create, Update, Delete, Import] {
            for status in [operation.in_progress(), operation.complete(), operation.failed()] {
                assert_eq!(status.operation(), Some(operation));
                assert!(status.as_str().starts_with(operation.as_str()));
            }
        }
        assert_eq!(ResourceStatus::RollbackInProgress.operation(), None);
    }
}

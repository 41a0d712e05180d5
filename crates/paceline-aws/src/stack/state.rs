//! Decides by the state of a stack what to do with it.

use std::collections::BTreeSet;

use paceline_assembly::StackStatus;

use crate::environment::StackView;

/// The action before a deployment, or in place of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The stack does not exist.
    Create,
    /// The stack exists and can be updated.
    Update,
    /// The stack was created for a change set that has not been executed. The run must find out whose change
    /// set it is.
    InReview,
    /// The stack can only be deleted, and contains nothing.
    DeleteFirst,
    /// The rollback of an update is stuck. It must be finished before anything else.
    ContinueRollback,
    /// An operation is in progress. The run must find out whose operation it is.
    InProgress,
    /// A person has to examine the stack.
    Refuse(&'static str),
}

/// Decides by the status. The statuses are described in "Understand stack creation events" and with the
/// status codes of the CloudFormation User Guide.
pub(super) fn action_for(view: Option<&StackView>) -> Action {
    let Some(view) = view else { return Action::Create };
    match &view.status {
        StackStatus::ReviewInProgress => Action::InReview,
        // The stack of a creation that failed and was rolled back has no resources.
        StackStatus::RollbackComplete => Action::DeleteFirst,
        StackStatus::RollbackFailed => Action::Refuse(
            "its creation failed and could not be undone: look at what is left, delete the stack, run it again",
        ),
        StackStatus::DeleteFailed => {
            Action::Refuse("deleting it failed: look at what is left, delete the stack, run it again")
        }
        StackStatus::ImportRollbackFailed => Action::Refuse(
            "an import into it failed and could not be undone: look at what is left, ask AWS Support to restore it, or delete \
             the stack if its resources may go, and run it again",
        ),
        StackStatus::UpdateRollbackFailed => Action::ContinueRollback,
        status if status.is_in_progress() => Action::InProgress,
        _ => Action::Update,
    }
}

/// The parameters whose previous values the next operation can use. Unknown while an operation is in
/// progress, or if a person has to examine the stack.
pub(crate) fn previous_parameters(view: Option<&StackView>) -> Option<BTreeSet<String>> {
    match (action_for(view), view) {
        (Action::Update | Action::ContinueRollback, Some(view)) => Some(view.parameters.clone()),
        (Action::Create | Action::DeleteFirst, _) => Some(BTreeSet::new()),
        _ => None,
    }
}

/// The result of an operation, by the status that it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperationResult {
    Succeeded,
    /// The previous state is restored.
    RolledBack,
    Failed,
}

/// The result for a status. `None` while the operation is in progress.
///
/// A stack whose update is complete except for the cleanup of replaced resources is usable.
pub(super) fn result_of(status: &StackStatus) -> Option<OperationResult> {
    if status.has_succeeded() {
        Some(OperationResult::Succeeded)
    } else if status.is_rolled_back() || *status == StackStatus::DeleteComplete {
        Some(OperationResult::RolledBack)
    } else if status.is_in_progress() {
        None
    } else {
        Some(OperationResult::Failed)
    }
}

/// Returns whether a stack has been deployed and its resources can be used. That is so also after the
/// rollback of an update or an import.
pub(crate) fn is_usable(view: &StackView) -> bool {
    matches!(view.status, StackStatus::UpdateRollbackComplete | StackStatus::ImportRollbackComplete)
        || result_of(&view.status) == Some(OperationResult::Succeeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_is_in_progress_or_has_a_result() {
        use aws_sdk_cloudformation::types;
        for status in types::StackStatus::values() {
            let status = StackStatus::from(*status);
            assert!(StackStatus::KNOWN.contains(&status), "{status}");
            let goes_on = status.is_in_progress() && status != StackStatus::UpdateCompleteCleanupInProgress;
            assert_eq!(result_of(&status).is_none(), goes_on, "{status}");
        }
    }
}

//! What to do with a stack, given the state it is in.

use std::collections::BTreeSet;

use paceline_assembly::StackStatus;

use crate::environment::StackView;

/// What to do with a stack before, or instead of, deploying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It is not there.
    Create,
    /// It is there and can be updated.
    Update,
    /// It was made for a change set that was not executed yet: whose has to be found out.
    InReview,
    /// Nothing but deleting is possible, and there is nothing in it to lose.
    DeleteFirst,
    /// An update whose rollback got stuck; it has to be rolled back before anything else.
    ContinueRollback,
    /// An operation is in progress. Its owner must be found out.
    InProgress,
    /// A person has to look at it.
    Refuse(&'static str),
}

/// Decides by status, as "Understand stack creation events" and the status codes of the CloudFormation
/// User Guide describe them.
pub(super) fn action_for(view: Option<&StackView>) -> Action {
    let Some(view) = view else { return Action::Create };
    match &view.status {
        StackStatus::ReviewInProgress => Action::InReview,
        // A failed creation that was rolled back has no resources.
        StackStatus::RollbackComplete => Action::DeleteFirst,
        StackStatus::RollbackFailed => Action::Refuse(
            "its creation failed and could not be undone: look at what is left, delete the stack, run it again",
        ),
        StackStatus::DeleteFailed => {
            Action::Refuse("deleting it failed: look at what is left, delete the stack, run it again")
        }
        StackStatus::ImportRollbackFailed => Action::Refuse(
            "an import into it failed and could not be undone: look at what is left, mend it, run it again",
        ),
        StackStatus::UpdateRollbackFailed => Action::ContinueRollback,
        status if status.is_in_progress() => Action::InProgress,
        _ => Action::Update,
    }
}

/// The parameters whose values the next operation can take over from a stack. Unknown where something is going on
/// with it, or a person has to look at it.
pub(crate) fn previous_parameters(view: Option<&StackView>) -> Option<BTreeSet<String>> {
    match (action_for(view), view) {
        (Action::Update | Action::ContinueRollback, Some(view)) => Some(view.parameters.clone()),
        (Action::Create | Action::DeleteFirst, _) => Some(BTreeSet::new()),
        _ => None,
    }
}

/// How an operation ended, by the status it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperationResult {
    Succeeded,
    /// What was there before is there again.
    RolledBack,
    Failed,
}

/// Judges a status; `None` while the operation is in progress.
///
/// A stack whose update is complete but for cleaning up replaced resources is usable.
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

/// Whether a stack has been deployed, and what it makes can be used: also after an update of it or an import into it
/// was rolled back.
pub(crate) fn is_usable(view: &StackView) -> bool {
    matches!(view.status, StackStatus::UpdateRollbackComplete | StackStatus::ImportRollbackComplete)
        || result_of(&view.status) == Some(OperationResult::Succeeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_is_either_going_on_or_judged() {
        use aws_sdk_cloudformation::types;
        for status in types::StackStatus::values() {
            let status = StackStatus::from(*status);
            assert!(StackStatus::KNOWN.contains(&status), "{status}");
            let goes_on = status.is_in_progress() && status != StackStatus::UpdateCompleteCleanupInProgress;
            assert_eq!(result_of(&status).is_none(), goes_on, "{status}");
        }
    }
}

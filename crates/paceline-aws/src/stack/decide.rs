//! What to do with a stack, given the state it is in.

use std::collections::BTreeSet;

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
    /// An operation is going on: whose it is has to be found out.
    InProgress,
    /// A person has to look at it.
    Refuse(&'static str),
}

/// Decides by status, as "Understand stack creation events" and the status codes of the CloudFormation
/// User Guide describe them.
pub(super) fn decide(view: Option<&StackView>) -> Action {
    let Some(view) = view else { return Action::Create };
    match view.status.as_str() {
        "REVIEW_IN_PROGRESS" => Action::InReview,
        // A failed creation that was rolled back has no resources.
        "ROLLBACK_COMPLETE" => Action::DeleteFirst,
        "ROLLBACK_FAILED" => Action::Refuse(
            "its creation failed and could not be undone: look at what is left, delete the stack, run it again",
        ),
        "DELETE_FAILED" => {
            Action::Refuse("deleting it failed: look at what is left, delete the stack, run it again")
        }
        "IMPORT_ROLLBACK_FAILED" => Action::Refuse(
            "an import into it failed and could not be undone: look at what is left, mend it, run it again",
        ),
        "UPDATE_ROLLBACK_FAILED" => Action::ContinueRollback,
        status if status.ends_with("_IN_PROGRESS") => Action::InProgress,
        _ => Action::Update,
    }
}

/// The parameters whose values the next operation can take over from a stack. Unknown where something is going on
/// with it, or a person has to look at it.
pub(crate) fn previous_parameters(view: Option<&StackView>) -> Option<BTreeSet<String>> {
    match (decide(view), view) {
        (Action::Update | Action::ContinueRollback, Some(view)) => Some(view.parameters.clone()),
        (Action::Create | Action::DeleteFirst, _) => Some(BTreeSet::new()),
        _ => None,
    }
}

/// How an operation ended, by the status it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Succeeded,
    /// What was there before is there again.
    RolledBack,
    Failed,
}

/// Judges a status; `None` while the operation goes on.
///
/// A stack whose update is complete but for cleaning up replaced resources is usable.
pub(super) fn verdict(status: &str) -> Option<Verdict> {
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => {
            Some(Verdict::Succeeded)
        }
        "ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" | "DELETE_COMPLETE" => {
            Some(Verdict::RolledBack)
        }
        "REVIEW_IN_PROGRESS" => None,
        status if status.ends_with("_IN_PROGRESS") => None,
        _ => Some(Verdict::Failed),
    }
}

/// Whether a stack has been deployed, and what it makes can be used: also after an update of it or an import into it
/// was rolled back.
pub(crate) fn is_usable(view: &StackView) -> bool {
    matches!(view.status.as_str(), "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE")
        || verdict(&view.status) == Some(Verdict::Succeeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_is_either_going_on_or_judged() {
        use aws_sdk_cloudformation::types::StackStatus;
        for status in StackStatus::values() {
            let going_on =
                status.ends_with("_IN_PROGRESS") && *status != "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS";
            assert_eq!(verdict(status).is_none(), going_on, "{status}");
        }
    }
}

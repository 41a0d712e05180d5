//! Tells whether a run has changed anything. Only a run that has changed nothing may end as refused.
//!
//! These count as changes: an operation on a stack that AWS accepted or may have accepted, a published asset,
//! and a command that ran. These do not count: reading, building on this machine, and refused calls.

use std::collections::BTreeMap;

use crate::event::{Cause, Fact, Outcome, StackCall, StepKind, StepRef};

/// Remembers whether a run has changed anything.
#[derive(Debug)]
pub(crate) struct AnyChange {
    any: bool,
    /// The operations that AWS may still refuse, by the step that has sent each.
    sent: BTreeMap<String, StackCall>,
}

impl AnyChange {
    /// `earlier` says whether the run had changed something before it was interrupted.
    pub(crate) fn new(earlier: bool) -> Self {
        Self { any: earlier, sent: BTreeMap::new() }
    }

    /// Applies a fact about a running step.
    pub(crate) fn hears(&mut self, step: &str, fact: &Fact) {
        match fact {
            // A second operation is sent only after the first one was accepted.
            Fact::StackSubmitted(submitted) => {
                self.any |= self.sent.insert(step.to_owned(), submitted.operation.clone()).is_some();
            }
            Fact::StackAccepted(accepted) => self.any |= accepted.token.is_some(),
            Fact::StepRetried(retried) if retried.refused => {}
            // AWS works on the operation, or the answer of AWS was lost. In both cases AWS may have accepted
            // the operation.
            Fact::StackProgress(_) | Fact::StepRetried(_) => self.any |= self.sent.contains_key(step),
            _ => {}
        }
    }

    /// Applies the end of a step that was started.
    pub(crate) fn ended(&mut self, step: &StepRef, outcome: Outcome, cause: Option<&Cause>) {
        let sent = self.sent.remove(&step.step);
        self.any |= match (&step.kind, outcome) {
            (StepKind::Gate, _) | (_, Outcome::Unchanged | Outcome::Skipped) => false,
            (StepKind::Command, _)
            | (_, Outcome::Deployed | Outcome::Deleted | Outcome::RolledBack | Outcome::Prepared) => true,
            (_, Outcome::Failed | Outcome::Interrupted) => {
                sent.is_some_and(|call| !cause.is_some_and(|cause| is_refusal(cause, &call)))
            }
        };
    }

    pub(crate) fn any(&self) -> bool {
        self.any
    }

    /// The same for the journal of a run that was interrupted. AWS may have accepted the operations without an answer.
    pub(crate) fn any_or_unanswered(&self) -> bool {
        self.any || !self.sent.is_empty()
    }
}

/// Returns whether the step failed because AWS refused the call that sends this operation.
fn is_refusal(cause: &Cause, call: &StackCall) -> bool {
    let at = cause.at.as_deref().unwrap_or_default().to_ascii_lowercase();
    cause.preflight && at.starts_with(&call.as_str().replace('-', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(at: &str, preflight: bool) -> Cause {
        Cause { at: Some(at.to_owned()), message: String::new(), hint: None, preflight, ..Cause::default() }
    }

    #[test]
    fn only_the_call_that_was_sent_can_have_been_refused() {
        assert!(is_refusal(&cause("CreateStack", true), &StackCall::Create));
        assert!(is_refusal(&cause("CreateChangeSet", true), &StackCall::CreateChangeSet));
        assert!(!is_refusal(&cause("DescribeChangeSet", true), &StackCall::CreateChangeSet));
        assert!(!is_refusal(&cause("DescribeStacks", true), &StackCall::Update));
        assert!(!is_refusal(&cause("UpdateStack", false), &StackCall::Update));
    }
}

//! Deletes a stack if it is still in the state for which the deletion was decided.
//!
//! The decision may be some seconds old, and others change the same stacks: they execute a change set in
//! review, or delete a stack and create another one under its name. So directly before each `DeleteStack`,
//! the stack is read again by its id, after all waits for rate limits. It is deleted only if its id, its
//! status and the time of its last update are the same. CloudFormation checks no condition for `DeleteStack`.
//! So somebody may still change the stack between that read and the deletion, one call later. Even then no
//! other stack is deleted, because `DeleteStack` names the id.

use std::time::Duration;

use paceline_assembly::{ResourceStatus, Stack, StackStatus};
use paceline_engine::StepContext;
use paceline_engine::known_bugs::{KnownBug, is_on};

use super::MOST_READS;
use super::events::{Change, EventLog};
use super::request::token;
use super::review::Review;
use super::sent::Sent;
use super::watch::{OperationEnd, RunningOperation, wait_for_end};
use crate::environment::Environment;
use crate::environment::{StackView, find};
use crate::error::{AwsError, code};

/// Deletes a stack.
pub(super) struct Removal<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) stack: &'a Stack,
    /// The role with which CloudFormation deletes the stack.
    pub(super) role: Option<&'a String>,
    /// The digest of the request for the deletion.
    pub(super) digest: &'a str,
    /// Whether a stack without resources stays if a run has prepared a change set for it.
    pub(super) spares_prepared: bool,
}

impl Removal<'_> {
    /// Sends the deletion and waits for its end. Returns no changes if the stack has changed since it was
    /// read.
    pub(super) async fn send(&self, view: &StackView, attempt: u32) -> Result<OperationEnd, AwsError> {
        // A deletion that CloudFormation cancelled leaves the stack unchanged, but its token is used up.
        for number in 0..MOST_READS {
            let token = token(self.digest, "delete", &format!("{} {number}", view.state()), attempt);
            let sent = match self.submit(view, &token).await? {
                // The answer to the first try was lost.
                Sent::OutOfDate(_) if self.has_begun(view, &token).await => {
                    Sent::Accepted { id: view.id.clone() }
                }
                sent => sent,
            };
            match sent {
                Sent::Known if still(self.environment, view).await? => {}
                // CloudFormation also accepts `DeleteStack` while somebody else deletes the stack, and then
                // does nothing.
                Sent::Accepted { .. } if self.is_somebody_elses(view, &token).await => {
                    return Ok(self.wait_for_end(RunningOperation::someone_elses(view)).await);
                }
                Sent::Accepted { id } => {
                    let operation =
                        RunningOperation { id, token: Some(token), ..RunningOperation::someone_elses(view) };
                    return Ok(self.wait_for_end(operation).await);
                }
                Sent::NoChanges | Sent::OutOfDate(_) | Sent::Known => break,
            }
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(OperationEnd::NoChanges)
    }

    async fn submit(&self, view: &StackView, token: &str) -> Result<Sent, AwsError> {
        self.context.submitting("delete", token).await;
        let environment = self.environment;
        let send = || {
            // The name may be that of another stack by now, and the id never is.
            let which = if is_on(KnownBug::DeleteOnOldLook) { &view.name } else { &view.id };
            let call = environment.client.delete_stack().stack_name(which).client_request_token(token);
            call.set_role_arn(self.role.cloned()).send()
        };
        let holds = || self.justified(view);
        match environment.caller(Some(self.context)).call_while("DeleteStack", holds, send).await {
            Ok(Some(_)) => Ok(Sent::Accepted { id: view.id.clone() }),
            Ok(None) => Ok(Sent::OutOfDate("it is not what it was any more".to_owned())),
            Err(error) if error.is(code::TOKEN_ALREADY_EXISTS) => Ok(Sent::Known),
            Err(error) if error.says_not_deletable_now() => Ok(Sent::OutOfDate(error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn wait_for_end(&self, operation: RunningOperation) -> OperationEnd {
        self.environment.poller.expect_change();
        // A failed read says nothing about the stack.
        let ended = wait_for_end(self.environment, self.context, self.stack, operation, None).await;
        ended.unwrap_or_else(OperationEnd::Lost)
    }

    async fn has_begun(&self, view: &StackView, token: &str) -> bool {
        let changes = EventLog::default().read(self.environment, &view.id).await.unwrap_or_default();
        changes.iter().any(|change| change.token.as_deref() == Some(token))
    }

    async fn is_somebody_elses(&self, view: &StackView, token: &str) -> bool {
        let changes = EventLog::default().read(self.environment, &view.id).await.unwrap_or_default();
        let is_theirs = |change: &Change| {
            change.of_stack
                && change.status == ResourceStatus::DeleteInProgress
                && change.token.as_deref() != Some(token)
        };
        changes.first().is_some_and(is_theirs)
    }

    /// Returns whether the stack is unchanged. A stack that was created for a change set must also have none
    /// in review.
    async fn justified(&self, view: &StackView) -> Result<bool, AwsError> {
        if view.status != StackStatus::ReviewInProgress {
            return still(self.environment, view).await;
        }
        let (environment, context, spares_prepared) = (self.environment, self.context, self.spares_prepared);
        let review = Review { environment, context, stack: view, name: None, ours: None, spares_prepared };
        // Both reads run at the same time, so that each is only one call before the deletion.
        let (is_still, is_free) = tokio::try_join!(still(self.environment, view), review.is_free())?;
        Ok(is_still && is_free)
    }
}

/// Returns whether a stack is unchanged since it was read.
pub(super) async fn still(environment: &Environment, view: &StackView) -> Result<bool, AwsError> {
    if is_on(KnownBug::DeleteOnOldLook) {
        return Ok(true);
    }
    Ok(find(environment, &view.id).await?.is_some_and(|now| now.state() == view.state()))
}

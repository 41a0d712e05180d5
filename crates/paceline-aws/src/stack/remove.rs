//! Deletes a stack that is still what it was when that was decided.
//!
//! The decision is made on a look that may be some seconds old, and others work on the same stacks: a change set that
//! was in review is executed, a stack is deleted and created again under the same name. So it is looked again directly
//! before each `DeleteStack`, by the stack's id, when nothing but the call itself is left to wait for; and the stack
//! is deleted only if its id, its status and the time of its last update are those that justified it. `DeleteStack`
//! has no condition that CloudFormation would check, so that one window stays: what somebody does between the answer
//! to that look and the arrival of the deletion, one call later. `DeleteStack` names the id, so that even then no other
//! stack than the one that was looked at is met.

use std::time::Duration;

use paceline_assembly::{ResourceStatus, Stack, StackStatus};
use paceline_engine::StepContext;

use super::MOVES;
use super::events::{Change, EventLog};
use super::operation::Sent;
use super::request::token;
use super::review::Review;
use super::watch::{OperationEnd, RunningOperation, wait_for_end};
use crate::environment::Environment;
use crate::environment::{StackView, find};
use crate::error::{AwsError, code};

/// Deletes a stack.
pub(super) struct Removal<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) stack: &'a Stack,
    /// As whom CloudFormation does it.
    pub(super) role: Option<&'a String>,
    /// Of what asks for it.
    pub(super) digest: &'a str,
}

impl Removal<'_> {
    /// Sends the deletion and waits for its end; no changes when the stack is not what it was.
    pub(super) async fn send(&self, view: &StackView, attempt: u32) -> Result<OperationEnd, AwsError> {
        // A deletion that CloudFormation called off leaves the stack as it was, but its token is used up.
        for number in 0..MOVES {
            let token = token(self.digest, "delete", &format!("{} {number}", view.state()), attempt);
            let sent = match self.submit(view, &token).await? {
                // The answer to the first try got lost.
                Sent::OutOfDate(_) if self.has_begun(view, &token).await => {
                    Sent::Accepted { id: view.id.clone() }
                }
                sent => sent,
            };
            match sent {
                Sent::Known if still(self.environment, view).await? => {}
                // DeleteStack is also accepted of a stack that somebody is deleting, and does nothing then.
                Sent::Accepted { .. } if self.is_somebody_elses(view, &token).await => {
                    return Ok(self.wait_for_end(RunningOperation::someone_elses(view)).await);
                }
                Sent::Accepted { id } => {
                    let (token, stamp_before) = (Some(token), None);
                    let operation =
                        RunningOperation { id, token, stamp_before, until_rest: true, limit: None };
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
            let call = environment.client.delete_stack().stack_name(&view.id).client_request_token(token);
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
        // Not being able to look says nothing about the stack.
        let ended = wait_for_end(self.environment, self.context, self.stack, operation).await;
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

    /// Whether the stack still is what it was. One that was made for a change set must also have none in review.
    async fn justified(&self, view: &StackView) -> Result<bool, AwsError> {
        if view.status != StackStatus::ReviewInProgress {
            return still(self.environment, view).await;
        }
        let (environment, context) = (self.environment, self.context);
        let review = Review { environment, context, stack: view, name: None, ours: None };
        // At the same time, so that both are one call away from the deletion.
        let (is_still, is_free) = tokio::try_join!(still(self.environment, view), review.is_free())?;
        Ok(is_still && is_free)
    }
}

/// Whether a stack is now what it was when it was looked at.
pub(super) async fn still(environment: &Environment, view: &StackView) -> Result<bool, AwsError> {
    Ok(find(environment, &view.id).await?.is_some_and(|now| now.state() == view.state()))
}

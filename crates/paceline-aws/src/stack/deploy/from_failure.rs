//! Continues a stack from the point of its failure, or rolls it back.
//!
//! An operation with rollback disabled leaves a failed stack in `CREATE_FAILED` or `UPDATE_FAILED`, with everything
//! that it has finished. An update with the same template then continues it (CloudFormation User Guide, "Choose how to
//! handle failures when provisioning resources"). If that does not help, `RollbackStack` does what CloudFormation would
//! have done by itself.
//!
//! This is not possible for an operation that replaces a resource. It is not done for stacks with nested stacks: no
//! documentation says how those are continued.

use std::time::Duration;

use aws_sdk_cloudformation::types::ResourceStatus;
use paceline_assembly::{STACK_TYPE, StackStatus};
use paceline_config::FailurePolicy;
use paceline_engine::event::{Kept, RetryClass};

use super::after::pause_before;
use super::{Deployment, MOVED, Next, Progress};
use crate::environment::StackView;
use crate::error::{AwsError, ErrorKind};
use crate::refusal::refuses_replacement;
use crate::stack::MOST_READS;
use crate::stack::events::{Change, EventLog};
use crate::stack::failure::Failure;
use crate::stack::finished::Finished;
use crate::stack::operation;
use crate::stack::outcome;
use crate::stack::sent::Sent;
use crate::stack::state::OperationResult;
use crate::stack::watch::{OperationEnd, RunningOperation};

/// The time for which reading the finished resources is tried.
const COUNT_PATIENCE: Duration = Duration::from_secs(5);

/// A stack after the attempt to roll it back.
pub(super) enum Undone {
    /// The result for the step, the stack, and the failure to report.
    Left(OperationResult, Box<StackView>, Option<Failure>),
    Next(Next),
}

/// Returns whether an operation failed and left the stack as it was at that moment.
pub(super) fn stays_failed(view: &StackView) -> bool {
    matches!(view.status, StackStatus::CreateFailed | StackStatus::UpdateFailed)
}

impl Deployment<'_> {
    /// Returns whether the next operation may leave the stack failed, so that it can be continued from there.
    pub(super) fn may_stay_failed(&self, progress: &Progress) -> bool {
        let nests =
            || self.stack.template.resources().any(|(_, resource)| resource.resource_type == STACK_TYPE);
        // A run that fails fast may not be there any more to roll the stack back.
        let waits = self.context.plan().policy != FailurePolicy::FailFast;
        waits
            && !self.request.disable_rollback
            && !progress.needs_rollback
            && progress.attempt <= self.retries
            && self.environment.may_roll_back()
            && !nests()
    }

    /// Finds out whether an earlier part of the run left the stack failed. If it did, this part undoes that.
    pub(super) async fn takes_over(&self, progress: &mut Progress, view: &StackView) -> Result<(), AwsError> {
        let may_be_ours = self.context.was_done_earlier() && !self.request.disable_rollback;
        if may_be_ours && !progress.must_undo && stays_failed(view) {
            progress.must_undo = self.ours(view).await?.is_some();
        }
        Ok(())
    }

    /// Waits until the reason of the failure has disappeared, and lets the stack be updated as it is.
    pub(super) async fn continue_from_failure(
        &self,
        progress: &mut Progress,
        view: &StackView,
        failure: Failure,
        finished: Finished,
    ) -> Result<Next, AwsError> {
        progress.finished.ids.extend(finished.ids);
        progress.finished.took += finished.took;
        let kept = self.kept(progress, view).await;
        progress.attempt += 1;
        let pause = pause_before(progress.attempt);
        let class = RetryClass::of_failure(&failure.cause.message);
        let at = failure.cause.at.clone().unwrap_or_default();
        let reason = format!("{at}: {}", failure.cause.message);
        self.context.retried_from_failure(class, reason, progress.attempt, pause, kept);
        progress.first = Some(failure.cause);
        tokio::time::sleep(pause).await;
        let Some(by) = self.somebody_elses(view).await? else {
            progress.known = Some(Some(view.clone()));
            return Ok(Next::Read);
        };
        progress.must_undo = false;
        progress.finished = Finished::default();
        if by.status.of_stack().is_deletion() {
            return Ok(Next::End(outcome::deleted_before_retry(self.stack, &by)));
        }
        self.context.warn(outcome::changed_before_retry(&by));
        Ok(Next::Read)
    }

    /// The last change of the stack, if somebody else has done something to it since it failed.
    async fn somebody_elses(&self, view: &StackView) -> Result<Option<Change>, AwsError> {
        let changes = EventLog::default().read(self.environment, &view.id).await?;
        let last = changes.into_iter().rev().find(|change| change.of_stack);
        Ok(last.filter(|last| match &last.token {
            // An old read may show an earlier change of the operation that has failed.
            Some(token) => !self.request.is_done_by(token),
            None => last.status.of_stack() != view.status,
        }))
    }

    async fn kept(&self, progress: &Progress, view: &StackView) -> Kept {
        let of = self.stack.template.resource_count();
        // Old versions of the bootstrap template do not allow to list resources.
        let counted = self.count_finished(&view.id).await.ok();
        let resources = counted.unwrap_or(progress.finished.ids.len()).min(of);
        Kept { resources, of, saved_s: progress.finished.took.as_secs_f64() }
    }

    async fn count_finished(&self, id: &str) -> Result<usize, AwsError> {
        let (mut finished, mut next) = (0, None);
        loop {
            let send = || {
                let call = self.environment.client.list_stack_resources().stack_name(id);
                call.set_next_token(next.clone()).send()
            };
            let page = self.environment.call_within(COUNT_PATIENCE, None, "ListStackResources", send).await?;
            let statuses = page.stack_resource_summaries().iter().filter_map(|it| it.resource_status());
            let is_there = |status: &&ResourceStatus| {
                use ResourceStatus::{CreateComplete, ImportComplete, UpdateComplete};
                matches!(status, CreateComplete | ImportComplete | UpdateComplete)
            };
            finished += statuses.filter(is_there).count();
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(finished);
            }
        }
    }

    /// Rolls back the stack that this step has left failed.
    pub(super) async fn undo(
        &self,
        progress: &mut Progress,
        view: Box<StackView>,
        failure: Option<Failure>,
    ) -> Result<Undone, AwsError> {
        let (environment, context) = (self.environment, self.context);
        progress.must_undo = false;
        progress.finished = Finished::default();
        let token = self.request.token("rollback", &view.state(), progress.attempt);
        for tries in 1.. {
            match operation::roll_back(environment, context, &self.request, &view, &token).await {
                Ok(Sent::OutOfDate(how)) => match self.somebody_elses(&view).await? {
                    // The read before the call, or the refusal, was about a state from before the failure.
                    None if tries < MOST_READS => tokio::time::sleep(MOVED).await,
                    by => {
                        let how = by.map_or(how, |by| outcome::followed(&by));
                        context.warn(format!("it is not rolled back: {how}"));
                        return Ok(Undone::Left(OperationResult::Failed, view, failure));
                    }
                },
                Ok(Sent::Accepted { .. } | Sent::Known | Sent::NoChanges) => break,
                Err(error) if error.is_transient() || error.kind == ErrorKind::Credentials => {
                    return Err(error);
                }
                Err(error) => {
                    let mut hint = "";
                    if error.kind == ErrorKind::Denied {
                        environment.never_roll_back();
                        hint = "; give the deploy role cloudformation:RollbackStack";
                    }
                    let status = &view.status;
                    context.warn(format!("it stays in {status}, it could not be rolled back: {error}{hint}"));
                    return Ok(Undone::Left(OperationResult::Failed, view, failure));
                }
            }
        }
        environment.poller.expect_change();
        let operation = RunningOperation { token: Some(token), ..RunningOperation::someone_elses(&view) };
        let (verdict, now, stuck) = match self.wait_for_end(operation).await {
            OperationEnd::Ended { verdict, view, failure, .. } => (verdict, view, failure),
            OperationEnd::Lost(error) => return Ok(Undone::Next(Next::End(outcome::lost(error)))),
            OperationEnd::Overtaken(by) => {
                return Ok(Undone::Next(Next::End(outcome::overtaken(self.stack, &by))));
            }
            OperationEnd::NoChanges => return Ok(Undone::Left(OperationResult::Failed, view, failure)),
        };
        if verdict != OperationResult::RolledBack {
            // The cause of a stuck rollback is more important than the cause of the rollback.
            return Ok(Undone::Left(verdict, now, stuck.or(failure)));
        }
        if failure.as_ref().is_some_and(|failure| refuses_replacement(&failure.cause.message)) {
            progress.needs_rollback = true;
            context.warn("it replaces a resource, which needs rollback enabled: it is tried again with it");
            return Ok(Undone::Next(Next::Read));
        }
        Ok(Undone::Left(verdict, now, failure))
    }
}

//! The decisions after the end of an operation that does what the app wants.

use std::time::Duration;

use paceline_assembly::{ResourceStatus, StackStatus};
use paceline_engine::event::RetryClass;
use paceline_engine::{Ended, Outcome};

use super::from_failure::{Undone, stays_failed};
use super::reads::Read;
use super::{Deployment, Next, Progress};
use crate::environment::StackView;
use crate::error::AwsError;
use crate::stack::events::Change;
use crate::stack::failure::Failure;
use crate::stack::state::{Action, OperationResult, action_for};
use crate::stack::watch::OperationEnd;
use crate::stack::{outcome, protect, unchanged};

/// The pauses before the next tries. They give a new role the time to become usable. The last one repeats.
const PAUSES: [Duration; 3] = [Duration::from_secs(10), Duration::from_secs(30), Duration::from_mins(1)];

/// The pause before this attempt. The first retry is attempt 2.
pub(super) fn pause_before(attempt: u32) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(2)).unwrap_or(usize::MAX);
    PAUSES[index.min(PAUSES.len() - 1)]
}

impl Deployment<'_> {
    /// Decides what follows the end of an operation. There is a function for each row of the second table.
    /// `before` is the stack before the operation.
    pub(super) async fn conclude(
        &self,
        progress: &mut Progress,
        before: Option<&StackView>,
        settled: OperationEnd,
    ) -> Result<Next, AwsError> {
        let (verdict, view, failure, followed, finished) = match settled {
            OperationEnd::Lost(error) => return Ok(Next::End(outcome::lost(error))),
            OperationEnd::Overtaken(by) => return Ok(Next::End(outcome::overtaken(self.stack, &by))),
            OperationEnd::NoChanges => {
                return Ok(Next::End(self.nothing_to_change(before, progress.read.as_ref()).await));
            }
            OperationEnd::Ended { verdict, view, failure, followed, finished, .. } => {
                (verdict, view, failure, followed, finished)
            }
        };
        // The operation has begun again, so its own failure counts from here on.
        progress.first = None;
        progress.captures_again = false;
        let is_left = progress.attempt <= self.retries;
        let may_help = |failure: &Failure| failure.transient && is_left;
        let stays = stays_failed(&view) && followed.is_none();
        let failure = match failure {
            Some(failure) if stays && may_help(&failure) => {
                return self.continue_from_failure(progress, &view, failure, finished).await;
            }
            failure => failure,
        };
        let (verdict, view, failure) = if stays && progress.must_undo {
            match self.undo(progress, view, failure).await? {
                Undone::Left(verdict, view, failure) => (verdict, view, failure),
                Undone::Next(next) => return Ok(next),
            }
        } else {
            (verdict, view, failure)
        };
        let can_be_tried_again = !matches!(action_for(Some(&view)), Action::Refuse(_));
        match (verdict, failure) {
            (OperationResult::Succeeded, _) => {
                Ok(Next::End(self.succeeded(before, &view, followed.as_deref(), progress.read.take()).await))
            }
            (_, Some(failure)) if can_be_tried_again && may_help(&failure) => {
                // After an operation of somebody else, the state of the stack is unknown.
                progress.known = followed
                    .is_none()
                    .then(|| Some(*view).filter(|view| view.status != StackStatus::DeleteComplete));
                Ok(self.try_again(progress, failure).await)
            }
            (_, Some(failure)) if can_be_tried_again => {
                Ok(self.after_importers(progress, verdict, *view, failure).await)
            }
            (_, failure) => Ok(Next::End(outcome::failed(self.stack, verdict, *view, failure))),
        }
    }

    async fn nothing_to_change(&self, before: Option<&StackView>, read: Option<&Read>) -> Ended {
        let Some(view) = before else { return Ended::new(Outcome::Unchanged) };
        if view.status.failed() {
            return self.refuse(view, "change what made it fail, or delete the stack").await;
        }
        if let Some(kept) = unchanged::kept(&self.request, view) {
            self.context.warn(format!(
                "CloudFormation sees nothing to change, so the stack keeps {kept}: give it the other with a change of its \
                 template, parameters or tags"
            ));
        }
        if let Some(read) = read.filter(|read| !read.digest().is_empty()) {
            self.record(view, read);
        }
        let ended = outcome::unchanged(self.stack, view);
        if self.request.termination_protection == Some(true) && !view.termination_protection {
            return ended.with_detail(protect::TURNED_ON);
        }
        self.protected(Some(view), view, ended).await
    }

    async fn succeeded(
        &self,
        before: Option<&StackView>,
        view: &StackView,
        followed: Option<&Change>,
        read: Option<Read>,
    ) -> Ended {
        let ended = Ended { outputs: outcome::outputs(self.stack, view), ..Ended::new(Outcome::Deployed) };
        match followed {
            Some(by) if by.status == ResourceStatus::DeleteInProgress => {
                outcome::deleted_since(self.stack, by)
            }
            Some(by) => {
                self.context.warn(outcome::followed(by));
                ended
            }
            None => {
                if let Some(read) = read {
                    self.record(view, &read);
                }
                self.protected(before, view, ended).await
            }
        }
    }

    /// Waits before another try of an operation whose failure disappears by itself.
    async fn try_again(&self, progress: &mut Progress, failure: Failure) -> Next {
        progress.attempt += 1;
        let at = failure.cause.at.clone().unwrap_or_default();
        let class = RetryClass::of_failure(&failure.cause.message);
        let reason = format!("{at}: {}", failure.cause.message);
        let pause = pause_before(progress.attempt);
        self.context.retried(class, reason, progress.attempt, pause);
        progress.first = Some(failure.cause);
        tokio::time::sleep(pause).await;
        Next::Read
    }

    /// If the operation failed because other stacks import an export that this stack drops, waits for those
    /// of this run.
    async fn after_importers(
        &self,
        progress: &mut Progress,
        verdict: OperationResult,
        view: StackView,
        mut failure: Failure,
    ) -> Next {
        let next = progress.attempt + 1;
        if !progress.importers.wait(self.environment, self.context, &mut failure, next).await {
            return Next::End(outcome::failed(self.stack, verdict, view, Some(failure)));
        }
        progress.first = Some(failure.cause);
        Next::Read
    }

    /// Sets termination protection as the app wants it, after an operation has succeeded.
    async fn protected(&self, before: Option<&StackView>, now: &StackView, ended: Ended) -> Ended {
        let was = before.filter(|before| before.id == now.id);
        match protect::after(self.environment, self.context, &self.request, was, now).await {
            Ok(Some(done)) if ended.outcome == Outcome::Unchanged => ended.with_detail(done),
            Ok(_) => ended,
            Err(error) => outcome::unprotected(self.stack, error),
        }
    }
}

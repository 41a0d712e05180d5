//! The actions for a stack in each state, before an operation that does what the app wants has ended.

use std::collections::BTreeSet;

use paceline_assembly::StackStatus;
use paceline_engine::Ended;
use tokio::time::Instant;

use super::earlier::EarlierOperation;
use super::reads::Read;
use super::{Deployment, Next, Progress};
use crate::environment::StackView;
use crate::error::AwsError;
use crate::stack::capture::Capturing;
use crate::stack::change_set::Reviewed;
use crate::stack::events::EventLog;
use crate::stack::operation::{self, Method, Sending};
use crate::stack::remove::Removal;
use crate::stack::review::Review;
use crate::stack::sent::Sent;
use crate::stack::state::{Action, OperationResult, action_for};
use crate::stack::unchanged::Looked;
use crate::stack::watch::{OperationEnd, RunningOperation};
use crate::stack::{outcome, protect, unchanged};
use paceline_engine::event::Cause;

impl Deployment<'_> {
    /// Acts on the state of the stack. There is a function for each row of the first table.
    pub(super) async fn act(
        &mut self,
        progress: &mut Progress,
        view: Option<&StackView>,
    ) -> Result<Next, AwsError> {
        let Some(view) = view else {
            self.read_inputs(progress, None).await;
            return self.create(progress).await;
        };
        let action = action_for(Some(view));
        let earlier = match action {
            Action::InProgress | Action::Update => self.earlier_operation(view).await?,
            _ => EarlierOperation::None,
        };
        if earlier == EarlierOperation::Runs && matches!(action, Action::Update) {
            progress.forget_read();
            return self.adopt(progress, view).await;
        }
        let looked = match action {
            // A stack is also usable while it only cleans up.
            Action::InProgress | Action::Update => {
                self.compare(progress, view, earlier != EarlierOperation::None).await?
            }
            _ => Looked::default(),
        };
        if looked.is_unchanged {
            if let Some(doubt) = self.doubt(progress, earlier) {
                progress.doubts += 1;
                return self.read_again(progress, doubt.to_owned()).await;
            }
            return Ok(Next::End(outcome::unchanged(self.stack, view)));
        }
        match action {
            Action::DeleteFirst | Action::ContinueRollback if self.preparing.is_some() => {
                self.later("an earlier operation on it had failed, which the run mends first").await
            }
            Action::Create => self.create(progress).await,
            Action::InReview => self.create_in_review(progress, view).await,
            Action::Update => self.update(progress, view, looked.template).await,
            Action::InProgress => {
                progress.forget_read();
                self.adopt(progress, view).await
            }
            Action::DeleteFirst => self.delete_first(progress, view).await,
            Action::ContinueRollback => self.continue_rollback(progress, view).await,
            Action::Refuse(why) => Ok(Next::End(self.refuse(view, why).await)),
        }
    }

    async fn create(&self, progress: &mut Progress) -> Result<Next, AwsError> {
        if self.preparing.is_some() {
            return self.prepare(progress, None, false, &self.creation(progress)).await;
        }
        self.capture(progress, None, None).await?;
        let token = self.creation(progress);
        let keeps = self.may_stay_failed(progress);
        self.send(progress, None, self.method, &token, keeps).await
    }

    /// Creates a stack that was created for a change set and is still empty. `CreateStack` refuses such a
    /// stack, but another change set works, and nothing has to be deleted.
    async fn create_in_review(
        &mut self,
        progress: &mut Progress,
        view: &StackView,
    ) -> Result<Next, AwsError> {
        self.read_inputs(progress, None).await;
        if self.preparing.is_some() {
            return self.prepare(progress, None, true, &self.creation(progress)).await;
        }
        let (environment, context, token) = (self.environment, self.context, self.creation(progress));
        let ours = &self.request.token_prefix();
        let (name, ours) = (Some(token.as_str()), Some(ours.as_str()));
        let review = Review { environment, context, stack: view, name, ours, spares_prepared: false };
        if !review.wait().await? {
            return Ok(Next::Read);
        }
        self.capture(progress, None, None).await?;
        let keeps = self.may_stay_failed(progress);
        self.send(progress, None, Method::ChangeSet, &token, keeps).await
    }

    /// `template` is the template of the stack, if it was read.
    async fn update(
        &self,
        progress: &mut Progress,
        view: &StackView,
        template: Option<String>,
    ) -> Result<Next, AwsError> {
        let token = self.request.token("update", &view.state(), progress.attempt);
        if self.preparing.is_some() {
            return self.prepare(progress, Some(view), true, &token).await;
        }
        if view.status.failed() {
            self.takes_over(progress, view).await?;
        }
        let adds =
            || template.as_ref().is_some_and(|kept| unchanged::only_adds(kept, &self.request.template));
        let keeps = self.may_stay_failed(progress) && (self.method == Method::ChangeSet || adds());
        self.capture(progress, Some(view), template).await?;
        self.send(progress, Some(view), self.method, &token, keeps).await
    }

    /// Waits for an operation that was already in progress. If it is not ours, our operation starts after its
    /// end.
    async fn adopt(&self, progress: &mut Progress, view: &StackView) -> Result<Next, AwsError> {
        self.inputs.readers.has_acted();
        if self.preparing.is_none()
            && let Some(operation) = self.ours(view).await?
        {
            progress.must_undo = self.context.was_done_earlier() && !self.request.disable_rollback;
            return Ok(Next::Ended(self.wait_for_end(operation).await));
        }
        self.context.warn(format!("it is in {}: waiting for that to end", view.status));
        Ok(match self.wait_for_end(RunningOperation::someone_elses(view)).await {
            lost @ OperationEnd::Lost(_) => Next::Ended(lost),
            _ => Next::Read,
        })
    }

    /// Deletes a stack that contains nothing.
    async fn delete_first(&self, progress: &mut Progress, view: &StackView) -> Result<Next, AwsError> {
        if view.name != self.request.name {
            let why = format!(
                "{} is its alias, and nothing is deleted by an alias: delete {} itself, then run it again",
                self.request.name, view.name
            );
            return Ok(Next::End(self.refuse(view, &why).await));
        }
        if view.termination_protection {
            // If the app asks for protection, the creation was sent with it. Otherwise somebody has turned
            // protection on to keep this stack.
            if self.request.termination_protection != Some(true) || progress.has_lifted {
                return Ok(Next::End(self.refuse(view, outcome::PROTECTED).await));
            }
            progress.has_lifted = true;
            self.context.warn("its creation failed, and it is protected: turning termination protection off");
            if !protect::lift(self.environment, self.context, view).await? {
                return self.read_again(progress, "it is not what it was any more".to_owned()).await;
            }
        }
        self.context.warn(format!("it is in {}, with nothing in it: deleting it first", view.status));
        match self.delete_empty(view, false).await? {
            OperationEnd::Ended { view: now, .. } if now.status == StackStatus::DeleteComplete => {
                progress.deleted = Some(view.id.clone());
                Ok(Next::Read)
            }
            OperationEnd::Ended { view, failure, .. } => {
                Ok(Next::End(outcome::failed(self.stack, OperationResult::Failed, *view, failure)))
            }
            lost @ OperationEnd::Lost(_) => Ok(Next::Ended(lost)),
            OperationEnd::NoChanges | OperationEnd::Overtaken(_) => {
                self.read_again(progress, "it is not what it was any more".to_owned()).await
            }
        }
    }

    /// Deletes a stack that contains nothing, and waits for the end. If `spares_prepared`, the stack stays if a run has
    /// prepared a change set for it.
    pub(super) async fn delete_empty(
        &self,
        view: &StackView,
        spares_prepared: bool,
    ) -> Result<OperationEnd, AwsError> {
        let removal = Removal {
            environment: self.environment,
            context: self.context,
            stack: self.stack,
            role: self.request.execution_role_arn.as_ref(),
            digest: &self.request.digest(),
            spares_prepared,
        };
        removal.send(view, 1).await
    }

    async fn continue_rollback(&self, progress: &mut Progress, view: &StackView) -> Result<Next, AwsError> {
        if progress.has_continued {
            return Ok(Next::End(self.refuse(view, outcome::STUCK).await));
        }
        self.context.warn(format!("it is in {}: going on with its rollback first", view.status));
        let (environment, context, request) = (self.environment, self.context, &self.request);
        let token = request.token("continue", &view.state(), 1);
        match operation::continue_rollback(environment, context, request, view, &token).await? {
            Sent::OutOfDate(how) => return self.read_again(progress, how).await,
            _ => progress.has_continued = true,
        }
        self.environment.poller.expect_change();
        let operation = RunningOperation { token: Some(token), ..RunningOperation::someone_elses(view) };
        Ok(match self.wait_for_end(operation).await {
            OperationEnd::Ended {
                verdict: OperationResult::Failed,
                failure: Some(failure),
                followed: None,
                ..
            } => {
                let hint = Some(outcome::STUCK.to_owned());
                Next::End(Ended::failed(Cause { hint, ..failure.cause }))
            }
            lost @ OperationEnd::Lost(_) => Next::Ended(lost),
            _ => Next::Read,
        })
    }

    /// `is_done` is true if an earlier part of the run did the stack's last operation. Then the operation has read the
    /// parameters in this run.
    async fn compare(
        &mut self,
        progress: &mut Progress,
        view: &StackView,
        is_done: bool,
    ) -> Result<Looked, AwsError> {
        self.read_inputs(progress, Some(view)).await;
        let ignore_times = self.context.plan().ignore_times;
        let look = unchanged::Look {
            environment: self.environment,
            request: &self.request,
            ignore_times,
            records: self.records.as_ref(),
            inputs: progress.read.as_ref().map(Read::digest),
        };
        // What this run has done already need not be done again.
        if self.request.options.always_deploys() && !is_done {
            return Ok(Looked::default());
        }
        look.compare(view, is_done).await
    }

    /// The stack's last operation, if it does what this deployment wants.
    pub(super) async fn ours(&self, view: &StackView) -> Result<Option<RunningOperation>, AwsError> {
        let changes = EventLog::default().read(self.environment, &view.id).await?;
        let mut tokens = changes.iter().filter_map(|change| change.token.clone());
        let ours = tokens.find(|token| self.request.is_done_by(token));
        Ok(ours.map(|token| RunningOperation {
            token: Some(token),
            is_token_seen: true,
            until_rest: false,
            limit: self.limit(self.method, None, false),
            when_stuck: self.when_stuck(view.status == StackStatus::UpdateInProgress),
            ..RunningOperation::someone_elses(view)
        }))
    }

    /// Keeps what the stack is before the operation, if the run keeps captures. The first capture of a run counts:
    /// later ones would show what the run itself did. A run that continues with a changed app adds to it. But if
    /// CloudFormation refuses the operation because somebody else has changed the stack since it was captured, it is
    /// captured again.
    async fn capture(
        &self,
        progress: &mut Progress,
        before: Option<&StackView>,
        template: Option<String>,
    ) -> Result<(), AwsError> {
        let Some(captures) = &self.captures else { return Ok(()) };
        let (environment, context, stack) = (self.environment, self.context, self.stack);
        let capturing = Capturing { captures, environment, context, stack, request: &self.request };
        let earlier = if progress.captures_again { Ok(None) } else { captures.read_one(&stack.id) };
        let earlier = match earlier {
            Ok(earlier) => earlier,
            Err(error) => {
                capturing.warn_of_unreadable(&error.to_string());
                return Ok(());
            }
        };
        let is_kept = if let Some(earlier) = earlier {
            capturing.extend(earlier)?
        } else {
            progress.captures_again = true;
            capturing.keep(before, template).await?
        };
        if let Some(copy) = self.copy.as_ref().filter(|_| is_kept) {
            Box::pin(copy.keep_capture(&captures.files(&stack.id))).await;
        }
        Ok(())
    }

    /// Sends the operation and waits for its end.
    async fn send(
        &self,
        progress: &mut Progress,
        before: Option<&StackView>,
        method: Method,
        token: &str,
        keeps: bool,
    ) -> Result<Next, AwsError> {
        let (environment, context, request) = (self.environment, self.context, &self.request);
        let continues = before.is_some_and(|view| view.status.failed());
        if !continues {
            progress.must_undo = keeps;
        }
        self.inputs.readers.has_acted();
        // A prepared change set is for the first attempt. Before a later one, somebody may have changed the stack.
        let prepared = self.prepared.as_deref().filter(|_| progress.attempt == 1);
        let reviewed = Reviewed { stack: self.stack, prepared, guard: self.guard.as_ref() };
        let sending = Sending { environment, context, request, before, method, token, keeps, reviewed };
        let sent = sending.send().await?;
        let operation = match sent {
            Sent::NoChanges => return Ok(Next::Ended(OperationEnd::NoChanges)),
            Sent::OutOfDate(how) => return self.read_again(progress, how).await,
            Sent::Accepted { id } => {
                let limit = self.limit(method, Some(Instant::now()), continues);
                RunningOperation {
                    id,
                    token: Some(token.to_owned()),
                    is_token_seen: false,
                    stamp_before: None,
                    until_rest: false,
                    limit,
                    kept: BTreeSet::new(),
                    when_stuck: self.when_stuck(before.is_some() && !continues),
                }
            }
            // The answer was lost, or an earlier part of the run had sent the operation.
            Sent::Known => match self.ask(progress).await? {
                None => return self.read_again(progress, "it is gone".to_owned()).await,
                Some(view) => match self.ours(&view).await? {
                    Some(operation) => {
                        progress.forget_read();
                        operation
                    }
                    None => {
                        return self
                            .read_again(progress, "another operation came after ours".to_owned())
                            .await;
                    }
                },
            },
        };
        self.environment.poller.expect_change();
        let kept = progress.finished.ids.clone();
        let stamp_before = before.map(|view| view.stamp.clone());
        let operation = RunningOperation { stamp_before, kept, ..operation };
        Ok(Next::Ended(self.wait_for_end(operation).await))
    }

    /// The token of a creation. It does not depend on the state of a stack, because a second stack of the
    /// same name is not possible.
    fn creation(&self, progress: &Progress) -> String {
        let state = format!("{} {}", progress.deleted.as_deref().unwrap_or_default(), progress.moves);
        self.request.token("create", &state, progress.attempt)
    }
}

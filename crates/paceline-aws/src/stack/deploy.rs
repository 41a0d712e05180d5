//! Deploys one stack.

use std::time::Duration;

use paceline_assembly::Stack;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome, ResourceProgress, StepContext};
use tokio::time::Instant;

use super::MOVES;
use super::decide::{Action, Verdict, decide};
use super::events::{Change, EventLog};
use super::importers::Importers;
use super::limit::Limit;
use super::operation::{self, Method, Sent};
use super::outcome;
use super::protect;
use super::remove::Removal;
use super::request::Request;
use super::review::Review;
use super::settle::{Operation, Settled, settle};
use super::unchanged;
use crate::environment::{Environment, StackView, find};
use crate::error::AwsError;

/// How often a stack operation is tried in all when what failed is known to be transient.
const ATTEMPTS: u32 = 3;
/// The pause before such another try, which a new role has then had to become usable.
const PAUSE: Duration = Duration::from_secs(20);
/// The pause before a stack is looked at again that is not what it was.
const MOVED: Duration = Duration::from_secs(3);

/// Deploys one stack.
#[derive(Debug)]
pub(crate) struct Deployment<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) context: &'a StepContext,
    pub(crate) stack: &'a Stack,
    pub(crate) request: Request,
    pub(crate) method: Method,
}

/// What is known of the stack, and what was done so far.
#[derive(Debug, Default)]
struct Progress {
    /// What was seen of the stack, as long as nothing has happened that could have changed it.
    #[expect(
        clippy::option_option,
        reason = "a stack that is known not to be there is not one that has to be looked at"
    )]
    known: Option<Option<StackView>>,
    attempt: u32,
    moves: u32,
    /// What refused an operation last because the stack had moved on.
    moved: String,
    /// The stack of this name that made room for a new one.
    deleted: Option<String>,
    has_continued: bool,
    has_lifted: bool,
    /// The stacks that import what this one drops.
    importers: Importers,
    /// Why the operation failed that is being tried again. What goes wrong before it has begun again is no cause,
    /// but what came of it.
    first: Option<Cause>,
}

/// What became of a step of the deployment.
enum Next {
    /// It ends.
    End(Ended),
    /// The stack has to be looked at again.
    Look,
    /// An operation that does what we want has ended.
    Settled(Settled),
}

impl Deployment<'_> {
    /// Deploys the stack. When the run is stopped, this is dropped, and what goes on in AWS goes on there.
    pub(crate) async fn run(&self) -> Ended {
        let mut progress = Progress { attempt: 1, ..Progress::default() };
        let ended = self.deploy(&mut progress).await;
        let ended = ended.unwrap_or_else(AwsError::into_ended);
        match progress.first {
            Some(first) => outcome::keep_first(first, ended),
            None => ended,
        }
    }

    async fn deploy(&self, progress: &mut Progress) -> Result<Ended, AwsError> {
        let glanced = self.environment.poller.glance(&self.request.name).await?;
        // What a list does not show may be there: lists do not tell aliases.
        let view = match glanced {
            None => self.ask(progress).await?,
            view => view,
        };
        // CloudFormation refuses a template without resources. Apps have such stacks, to be filled later.
        if self.stack.template.resource_count() == 0 {
            return Ok(outcome::without_resources(self.stack, view.as_ref()));
        }
        if let Some(view) = &view
            && view.name != self.request.name
        {
            if self.environment.poller.has(&view.name) {
                return Ok(outcome::two_of_one(self.stack, view));
            }
            self.context
                .warn(format!("{} is an alias of {}: that stack is deployed", self.stack.name, view.name));
        }
        progress.known = Some(view);
        loop {
            let view = match progress.known.take() {
                Some(view) => view,
                None => self.ask(progress).await?,
            };
            let settled = match self.step(progress, view.as_ref()).await? {
                Next::End(ended) => return Ok(ended),
                Next::Look => continue,
                Next::Settled(settled) => settled,
            };
            if let Some(ended) = self.judge(progress, view.as_ref(), settled).await? {
                return Ok(ended);
            }
        }
    }

    /// Does what the state of the stack calls for.
    async fn step(&self, progress: &mut Progress, view: Option<&StackView>) -> Result<Next, AwsError> {
        match (decide(view), view) {
            (Action::Refuse(why), Some(view)) => Ok(Next::End(self.refused(view, why).await)),
            (Action::DeleteFirst, Some(view)) => self.delete(progress, view).await,
            (Action::ContinueRollback, Some(view)) => self.continue_rollback(progress, view).await,
            // What only cleans up any more is usable as well.
            (Action::InProgress | Action::Update, Some(view)) if self.is_unchanged(view).await? => {
                Ok(Next::End(outcome::unchanged(view)))
            }
            (Action::InProgress, Some(view)) => self.adopt(view).await,
            (Action::Update, Some(view)) => {
                let token = self.request.token("update", &view.state(), progress.attempt);
                self.send(progress, Some(view), self.method, &token).await
            }
            (Action::InReview, Some(view)) => {
                let (environment, context, token) = (self.environment, self.context, self.creation(progress));
                let ours = &self.request.token_prefix();
                let review =
                    Review { environment, context, stack: view, name: Some(&token), ours: Some(ours) };
                if !review.wait().await? {
                    return Ok(Next::Look);
                }
                // Another change set does what CreateStack cannot do on it, and nothing has to be deleted for that.
                self.send(progress, None, Method::ChangeSet, &token).await
            }
            _ => {
                let token = self.creation(progress);
                self.send(progress, None, self.method, &token).await
            }
        }
    }

    /// The token of a creation. There can be one stack of a name only, so what else is in it makes no second one.
    fn creation(&self, progress: &Progress) -> String {
        let state = format!("{} {}", progress.deleted.as_deref().unwrap_or_default(), progress.moves);
        self.request.token("create", &state, progress.attempt)
    }

    /// Decides what the end of an operation means; `before` is what the stack was like.
    async fn judge(
        &self,
        progress: &mut Progress,
        before: Option<&StackView>,
        settled: Settled,
    ) -> Result<Option<Ended>, AwsError> {
        let (verdict, view, failure, followed) = match settled {
            Settled::Lost(error) => return Ok(Some(outcome::lost(error))),
            Settled::Overtaken(by) => return Ok(Some(outcome::overtaken(self.stack, &by))),
            Settled::NoChanges => {
                return match before {
                    Some(view) if view.status.ends_with("_FAILED") => {
                        let why = "change what made it fail, or delete the stack";
                        Ok(Some(self.refused(view, why).await))
                    }
                    Some(view) => Ok(Some(self.with_nothing_to_change(view).await)),
                    None => Ok(Some(Ended::new(Outcome::Unchanged))),
                };
            }
            Settled::Ended { verdict, view, failure, followed, .. } => (verdict, view, failure, followed),
        };
        // It has begun again: from here on its own failure counts.
        progress.first = None;
        match (verdict, failure) {
            (Verdict::Succeeded, _) => {
                let ended = Ended { outputs: view.outputs.clone(), ..Ended::new(Outcome::Deployed) };
                match followed {
                    Some(by) if by.status == "DELETE_IN_PROGRESS" => {
                        Ok(Some(outcome::deleted_since(self.stack, &by)))
                    }
                    Some(by) => {
                        self.context.warn(outcome::followed(&by));
                        Ok(Some(ended))
                    }
                    None => Ok(Some(self.protected(before, &view, ended).await)),
                }
            }
            (_, Some(failure))
                if failure.transient
                    && progress.attempt < ATTEMPTS
                    && !matches!(decide(Some(&view)), Action::Refuse(_)) =>
            {
                progress.attempt += 1;
                let at = failure.cause.at.clone().unwrap_or_default();
                let reason = format!("{at}: {}", failure.cause.message);
                self.context.retried(reason, progress.attempt, PAUSE);
                progress.first = Some(failure.cause);
                if followed.is_none() {
                    progress.known = Some(Some(*view).filter(|view| view.status != "DELETE_COMPLETE"));
                }
                tokio::time::sleep(PAUSE).await;
                Ok(None)
            }
            (_, Some(mut failure)) if !matches!(decide(Some(&view)), Action::Refuse(_)) => {
                let next = progress.attempt + 1;
                if !progress.importers.wait(self.context, &mut failure, next).await {
                    return Ok(Some(outcome::failed(self.stack, verdict, *view, Some(failure))));
                }
                progress.first = Some(failure.cause);
                Ok(None)
            }
            (_, failure) => Ok(Some(outcome::failed(self.stack, verdict, *view, failure))),
        }
    }

    async fn with_nothing_to_change(&self, view: &StackView) -> Ended {
        let ended = outcome::unchanged(view);
        if self.request.termination_protection == Some(true) && !view.termination_protection {
            return ended.with_detail(protect::TURNED_ON);
        }
        self.protected(Some(view), view, ended).await
    }

    /// Sees to it that termination protection is as the app has it, once an operation has ended well.
    async fn protected(&self, before: Option<&StackView>, now: &StackView, ended: Ended) -> Ended {
        let was = before.filter(|before| before.id == now.id);
        match protect::after(self.environment, self.context, &self.request, was, now).await {
            Ok(Some(done)) if ended.outcome == Outcome::Unchanged => ended.with_detail(done),
            Ok(_) => ended,
            Err(error) => outcome::unprotected(self.stack, error),
        }
    }

    async fn refused(&self, view: &StackView, why: &str) -> Ended {
        let cause = outcome::first_cause_of(self.environment, self.stack, &view.id).await;
        outcome::refused(self.stack, view, why, cause)
    }

    /// Asks for the stack by its name. The one that this deployment has deleted is not it.
    async fn ask(&self, progress: &Progress) -> Result<Option<StackView>, AwsError> {
        let view = find(self.environment, &self.request.name).await?;
        Ok(view.filter(|view| progress.deleted.as_ref() != Some(&view.id)))
    }

    /// Sends the operation and waits for its end.
    async fn send(
        &self,
        progress: &mut Progress,
        before: Option<&StackView>,
        method: Method,
        token: &str,
    ) -> Result<Next, AwsError> {
        let request = &self.request;
        let sent = operation::send(self.environment, self.context, request, before, method, token).await?;
        let operation = match sent {
            Sent::NoChanges => return Ok(Next::Settled(Settled::NoChanges)),
            Sent::OutOfDate(how) => return self.moved_on(progress, how).await,
            Sent::Accepted { id } => {
                let limit = self.limit(method, Some(Instant::now()));
                Operation { id, token: Some(token.to_owned()), stamp_before: None, until_rest: false, limit }
            }
            // The answer got lost, or an earlier part of the run had sent it.
            Sent::Known => match self.ask(progress).await? {
                None => return self.moved_on(progress, "it is gone".to_owned()).await,
                Some(view) => match self.ours(&view).await? {
                    Some(operation) => operation,
                    None => {
                        return self.moved_on(progress, "another operation came after ours".to_owned()).await;
                    }
                },
            },
        };
        self.environment.poller.expect_change();
        let operation = Operation { stamp_before: before.map(|view| view.stamp.clone()), ..operation };
        Ok(Next::Settled(self.settle(operation).await))
    }

    /// Sees an operation through that was going on already. If it is not ours, it is our turn after its end.
    async fn adopt(&self, view: &StackView) -> Result<Next, AwsError> {
        if let Some(operation) = self.ours(view).await? {
            return Ok(Next::Settled(self.settle(operation).await));
        }
        self.context.warn(format!("it is in {}: waiting for that to end", view.status));
        Ok(match self.settle(Operation::someone_elses(view)).await {
            lost @ Settled::Lost(_) => Next::Settled(lost),
            _ => Next::Look,
        })
    }

    async fn is_unchanged(&self, view: &StackView) -> Result<bool, AwsError> {
        // What this run has done before an interruption has read the parameters in this run. That it was
        // about to be sent is in the journal; that it was sent only the stack's events tell.
        let is_done = self.context.was_done_earlier() && self.was_ours(view).await?;
        let ignore_times = self.context.plan().ignore_times;
        unchanged::is_unchanged(self.environment, &self.request, view, is_done, ignore_times).await
    }

    /// Whether an earlier part of the run did the stack's last operation. If it has ended, it is told when, which
    /// nobody watched.
    async fn was_ours(&self, view: &StackView) -> Result<bool, AwsError> {
        let changes = EventLog::default().read(self.environment, &view.id).await?;
        let is_ours =
            |change: &Change| change.token.as_deref().is_some_and(|token| self.request.is_done_by(token));
        if !changes.iter().any(is_ours) {
            return Ok(false);
        }
        // What goes on is told by whoever sees it through to its end.
        let has_ended = view.status.ends_with("_COMPLETE") || view.status.contains("_COMPLETE_");
        let total = self.stack.template.resource_count();
        let of_stack = changes.into_iter().filter(|change| has_ended && change.of_stack);
        self.context.progress_of(of_stack.map(|change| ResourceProgress {
            logical_id: change.logical_id,
            resource_type: change.resource_type,
            status: change.status,
            reason: change.reason,
            done: total,
            total,
            unconfirmed: false,
            happened_at: change.at,
        }));
        Ok(true)
    }

    /// The stack's last operation, if it does what we want.
    async fn ours(&self, view: &StackView) -> Result<Option<Operation>, AwsError> {
        let changes = EventLog::default().read(self.environment, &view.id).await?;
        let mut tokens = changes.iter().filter_map(|change| change.token.clone());
        let ours = tokens.find(|token| self.request.is_done_by(token));
        Ok(ours.map(|token| Operation {
            token: Some(token),
            until_rest: false,
            limit: self.limit(self.method, None),
            ..Operation::someone_elses(view)
        }))
    }

    fn limit(&self, method: Method, sent: Option<Instant>) -> Option<Limit> {
        let (ends_creation, keeps_failed) = (method == Method::Direct, self.request.disable_rollback);
        self.request.limit.map(|after| Limit { after, sent, ends_creation, keeps_failed })
    }

    async fn settle(&self, operation: Operation) -> Settled {
        // Not being able to look says nothing about the stack.
        let settled = settle(self.environment, self.context, self.stack, operation).await;
        settled.unwrap_or_else(Settled::Lost)
    }

    async fn continue_rollback(&self, progress: &mut Progress, view: &StackView) -> Result<Next, AwsError> {
        if progress.has_continued {
            return Ok(Next::End(self.refused(view, outcome::STUCK).await));
        }
        self.context.warn(format!("it is in {}: going on with its rollback first", view.status));
        let (environment, context, request) = (self.environment, self.context, &self.request);
        let token = request.token("continue", &view.state(), 1);
        match operation::continue_rollback(environment, context, request, view, &token).await? {
            Sent::OutOfDate(how) => return self.moved_on(progress, how).await,
            _ => progress.has_continued = true,
        }
        self.environment.poller.expect_change();
        let operation = Operation { token: Some(token), ..Operation::someone_elses(view) };
        Ok(match self.settle(operation).await {
            Settled::Ended { verdict: Verdict::Failed, failure: Some(failure), followed: None, .. } => {
                let hint = Some(outcome::STUCK.to_owned());
                Next::End(Ended::failed(Cause { hint, ..failure.cause }))
            }
            lost @ Settled::Lost(_) => Next::Settled(lost),
            _ => Next::Look,
        })
    }

    /// Deletes a stack that has nothing in it.
    async fn delete(&self, progress: &mut Progress, view: &StackView) -> Result<Next, AwsError> {
        if view.name != self.request.name {
            let why = format!(
                "{} is its alias, and nothing is deleted by an alias: delete {} itself, then run it again",
                self.request.name, view.name
            );
            return Ok(Next::End(self.refused(view, &why).await));
        }
        if view.termination_protection {
            // Protection that the app asks for is what its creation was sent with. Any other somebody has turned on,
            // who wants this stack to be there.
            if self.request.termination_protection != Some(true) || progress.has_lifted {
                return Ok(Next::End(self.refused(view, outcome::PROTECTED).await));
            }
            progress.has_lifted = true;
            self.context.warn("its creation failed, and it is protected: turning termination protection off");
            if !protect::lift(self.environment, self.context, view).await? {
                return self.moved_on(progress, "it is not what it was any more".to_owned()).await;
            }
        }
        self.context.warn(format!("it is in {}, with nothing in it: deleting it first", view.status));
        let removal = Removal {
            environment: self.environment,
            context: self.context,
            stack: self.stack,
            role: self.request.execution_role_arn.as_ref(),
            digest: self.request.digest(),
        };
        match removal.send(view, 1).await? {
            Settled::Ended { view: now, .. } if now.status == "DELETE_COMPLETE" => {
                progress.deleted = Some(view.id.clone());
                Ok(Next::Look)
            }
            Settled::Ended { view, failure, .. } => {
                Ok(Next::End(outcome::failed(self.stack, Verdict::Failed, *view, failure)))
            }
            lost @ Settled::Lost(_) => Ok(Next::Settled(lost)),
            Settled::NoChanges | Settled::Overtaken(_) => {
                self.moved_on(progress, "it is not what it was any more".to_owned()).await
            }
        }
    }

    /// The stack is not what it was: the next look will see it as it is.
    async fn moved_on(&self, progress: &mut Progress, how: String) -> Result<Next, AwsError> {
        progress.moves += 1;
        progress.moved = how;
        if progress.moves > MOVES {
            let (stack, moved) = (&self.stack.name, &progress.moved);
            let message = format!("{stack} is never what it was when it was looked at: {moved}");
            return Err(AwsError::setup(message).hint("stop what else works on it, then run it again"));
        }
        tokio::time::sleep(MOVED).await;
        Ok(Next::Look)
    }
}

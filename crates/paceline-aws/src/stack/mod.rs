//! Deploys or deletes one stack: finds out what state it is in, does what is needed, and sees it through to
//! its end.

mod change_set;
mod decide;
mod delete;
mod events;
mod failure;
mod limit;
mod operation;
mod request;
mod settle;
mod source;
mod unchanged;

use std::time::Duration;

use paceline_assembly::Stack;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome, StepContext};
use tokio::time::Instant;

pub(crate) use delete::{Deletion, is_protected, protection};
pub(crate) use events::EventLog;
pub use operation::Method;
pub(crate) use request::Request;
pub(crate) use source::source;

use crate::environment::Environment;
use crate::poller::StackView;
use crate::trouble::Trouble;
use decide::{Action, Verdict, decide};
use failure::Failure;
use limit::Limit;
use operation::Sent;
use settle::{Operation, Settled, settle};

/// How often a stack operation is tried in all when what failed is known to be transient.
const ATTEMPTS: u32 = 3;
/// The pause before such another try, which a new role has then had to become usable.
const PAUSE: Duration = Duration::from_secs(20);
/// What to do about a rollback that does not get to its end.
const STUCK: &str =
    "mend what stops its rollback, or continue the rollback without that resource, then run it again";
/// What is said of a stack that is not waited for any longer.
pub(crate) const GOES_ON: &str = "what was going on in AWS goes on there";
/// How often a stack may turn out to have moved on since it was looked at.
const MOVES: u32 = 20;

/// Deploys one stack.
#[derive(Debug)]
pub(crate) struct Deployment<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) context: &'a StepContext,
    pub(crate) stack: &'a Stack,
    pub(crate) request: Request,
    pub(crate) method: Method,
}

impl Deployment<'_> {
    /// Deploys the stack. When the run is stopped, this is dropped, and what goes on in AWS goes on there.
    pub(crate) async fn run(&self) -> Ended {
        self.deploy().await.unwrap_or_else(|trouble| Ended::failed(trouble.into_cause()))
    }

    async fn deploy(&self) -> Result<Ended, Trouble> {
        let (mut attempt, mut moves) = (1, 0);
        // What is known of the stack, as long as nothing has happened that could have changed it.
        let mut known = Some(self.environment.poller.glance(&self.request.name).await?);
        // CloudFormation refuses a template without resources. Apps have such stacks, to be filled later.
        if self.stack.template.resource_count() == 0 {
            return Ok(self.without_resources(known.flatten().as_ref()));
        }
        // The stack of this name that made room for a new one.
        let mut deleted = None;
        let mut continued = false;
        loop {
            let view = match known.take() {
                Some(view) => view,
                None => self.look().await?,
            };
            let settled = match (decide(view.as_ref(), self.method), &view) {
                (Action::Refuse(why), _) => return Ok(self.refused(view.as_ref(), why)),
                (Action::DeleteFirst, Some(view)) => {
                    known = Some(self.delete(view).await?);
                    deleted = Some(view.id.clone());
                    continue;
                }
                (Action::ContinueRollback, Some(view)) if continued => {
                    return Ok(self.refused(Some(view), STUCK));
                }
                (Action::ContinueRollback, Some(view)) => {
                    continued = true;
                    match self.continue_rollback(view).await? {
                        Settled::Ended { verdict: Verdict::RolledBack, view, .. } => {
                            known = Some(Some(*view));
                        }
                        Settled::Ended { failure: Some(failure), .. } => {
                            return Ok(Ended::failed(Cause {
                                hint: Some(STUCK.to_owned()),
                                ..failure.cause
                            }));
                        }
                        _ => {}
                    }
                    continue;
                }
                // What only cleans up any more is usable as well.
                (Action::InProgress | Action::Update, Some(view)) if self.is_unchanged(view).await? => {
                    return Ok(unchanged(view));
                }
                (Action::InProgress, Some(view)) => match self.adopt(view).await? {
                    Some(settled) => settled,
                    None => continue,
                },
                (Action::Update, Some(view)) => {
                    let token = self.request.token("update", &view.state(), attempt);
                    if let Some(settled) = self.send(Some(view), token).await? {
                        settled
                    } else {
                        moves += 1;
                        self.moved_on(moves).await?;
                        continue;
                    }
                }
                // There can be one stack of a name only, so what else is in the token makes no second one.
                _ => {
                    let state = format!("{} {moves}", deleted.as_deref().unwrap_or_default());
                    if let Some(settled) =
                        self.send(None, self.request.token("create", &state, attempt)).await?
                    {
                        settled
                    } else {
                        moves += 1;
                        self.moved_on(moves).await?;
                        continue;
                    }
                }
            };
            match settled {
                Settled::NoChanges if view.as_ref().is_some_and(|view| view.status.ends_with("_FAILED")) => {
                    return Ok(self.refused(view.as_ref(), "change what made it fail, or delete the stack"));
                }
                Settled::NoChanges => {
                    return Ok(view.as_ref().map_or_else(|| Ended::new(Outcome::Unchanged), unchanged));
                }
                Settled::Lost(trouble) => {
                    let ended = Ended::new(Outcome::Interrupted).with_detail(GOES_ON);
                    return Ok(Ended { cause: Some(trouble.into_cause()), ..ended });
                }
                Settled::Ended { verdict: Verdict::Succeeded, view, .. } => {
                    return Ok(Ended { outputs: view.outputs, ..Ended::new(Outcome::Deployed) });
                }
                Settled::Ended { failure: Some(failure), view, .. }
                    if failure.transient && attempt < ATTEMPTS && self.may_try_again(&view) =>
                {
                    attempt += 1;
                    let at = failure.cause.at.unwrap_or_default();
                    self.context.retried(format!("{at}: {}", failure.cause.message), attempt, PAUSE);
                    tokio::time::sleep(PAUSE).await;
                    known = Some(Some(*view).filter(|view| view.status != "DELETE_COMPLETE"));
                }
                Settled::Ended { verdict, view, failure, .. } => {
                    return Ok(self.failed(verdict, *view, failure));
                }
            }
        }
    }

    fn may_try_again(&self, view: &StackView) -> bool {
        !matches!(decide(Some(view), self.method), Action::Refuse(_))
    }

    fn refused(&self, view: Option<&StackView>, why: &str) -> Ended {
        Ended::failed(Cause {
            at: Some(self.stack.name.clone()),
            message: format!("the stack is in {}", view.map_or("", |view| &view.status)),
            hint: Some(why.to_owned()),
            preflight: false,
        })
    }

    fn without_resources(&self, view: Option<&StackView>) -> Ended {
        if view.is_none() {
            return Ended::new(Outcome::Unchanged).with_detail("it has no resources: nothing to deploy");
        }
        Ended::failed(Cause {
            at: Some(self.stack.name.clone()),
            message: "its template has no resources any more, but the stack is there".to_owned(),
            hint: Some("delete the stack if it is not needed; this is not done by deploying".to_owned()),
            preflight: false,
        })
    }

    fn failed(&self, verdict: Verdict, view: StackView, failure: Option<Failure>) -> Ended {
        let outcome = if verdict == Verdict::RolledBack { Outcome::RolledBack } else { Outcome::Failed };
        let own_words = || Cause {
            at: Some(self.stack.name.clone()),
            message: view.reason.unwrap_or(view.status),
            hint: None,
            preflight: false,
        };
        let cause = failure.map_or_else(own_words, |failure| failure.cause);
        Ended { outcome, ..Ended::failed(cause) }
    }

    async fn look(&self) -> Result<Option<StackView>, Trouble> {
        self.environment.poller.look(&self.request.name).await
    }

    /// Sends the operation and waits for its end; `None` when the stack is not what it was.
    async fn send(&self, before: Option<&StackView>, token: String) -> Result<Option<Settled>, Trouble> {
        let request = &self.request;
        let sent =
            operation::send(self.environment, self.context, request, before, self.method, &token).await?;
        let stamp_before = before.map(|view| view.stamp.clone());
        let operation = match sent {
            Sent::NoChanges => return Ok(Some(Settled::NoChanges)),
            Sent::OutOfDate => return Ok(None),
            Sent::Accepted { id } => {
                let limit = self.limit(Some(Instant::now()));
                Operation { id, token: Some(token), stamp_before, until_rest: false, limit }
            }
            // The answer got lost, or an earlier part of the run had sent it.
            Sent::Known => {
                let Some(view) = self.look().await? else { return Ok(None) };
                match self.ours(&view).await? {
                    Some(operation) => Operation { stamp_before, ..operation },
                    None => return Ok(None),
                }
            }
        };
        self.environment.poller.expect_change();
        Ok(Some(self.settle(operation).await?))
    }

    /// Sees an operation through that was going on already. If it is not ours, `None` once it has ended:
    /// then it is the turn of ours.
    async fn adopt(&self, view: &StackView) -> Result<Option<Settled>, Trouble> {
        if let Some(operation) = self.ours(view).await? {
            return Ok(Some(self.settle(operation).await?));
        }
        self.context.warn(format!("it is in {}: waiting for that to end", view.status));
        match self.settle(Operation::someone_elses(view)).await? {
            lost @ Settled::Lost(_) => Ok(Some(lost)),
            _ => Ok(None),
        }
    }

    async fn is_unchanged(&self, view: &StackView) -> Result<bool, Trouble> {
        // What this run has done before an interruption has read the parameters in this run. That it was
        // about to be sent is in the journal; that it was sent only the stack's events tell.
        let is_done = self.context.was_done_earlier() && self.ours(view).await?.is_some();
        let ignore_times = self.context.plan().ignore_times;
        unchanged::is_unchanged(self.environment, &self.request, view, is_done, ignore_times).await
    }

    /// The stack's last operation, if it does what we want.
    async fn ours(&self, view: &StackView) -> Result<Option<Operation>, Trouble> {
        let changes = events::EventLog::default().read(self.environment, &view.id).await?;
        let mut tokens = changes.iter().filter_map(|change| change.token.clone());
        let ours = tokens.find(|token| self.request.is_done_by(token));
        Ok(ours.map(|token| Operation {
            token: Some(token),
            until_rest: false,
            limit: self.limit(None),
            ..Operation::someone_elses(view)
        }))
    }

    fn limit(&self, sent: Option<Instant>) -> Option<Limit> {
        let (ends_creation, keeps_failed) = (self.method == Method::Direct, self.request.disable_rollback);
        self.request.limit.map(|after| Limit { after, sent, ends_creation, keeps_failed })
    }

    async fn settle(&self, operation: Operation) -> Result<Settled, Trouble> {
        // Not being able to look says nothing about the stack.
        let settled = settle(self.environment, self.context, self.stack, operation).await;
        Ok(settled.unwrap_or_else(Settled::Lost))
    }

    async fn continue_rollback(&self, view: &StackView) -> Result<Settled, Trouble> {
        self.context.warn(format!("it is in {}: going on with its rollback first", view.status));
        let token = operation::continue_rollback(self.environment, self.context, &self.request, view).await?;
        self.environment.poller.expect_change();
        self.settle(Operation { token: Some(token), ..Operation::someone_elses(view) }).await
    }

    /// Deletes a stack that has nothing in it. Gives what is there of its name then.
    async fn delete(&self, view: &StackView) -> Result<Option<StackView>, Trouble> {
        self.context.warn(format!("it is in {}, with nothing in it: deleting it first", view.status));
        let token = self.request.token("delete", &view.state(), 1);
        let role = self.request.execution_role_arn.as_ref();
        // Should it have been deleted by this very request before, the next look tells.
        operation::delete(self.environment, self.context, role, view, &token).await?;
        self.environment.poller.expect_change();
        loop {
            match self.look().await? {
                Some(now) if now.id == view.id && now.status != "DELETE_FAILED" => {}
                now => return Ok(now),
            }
        }
    }

    /// The stack is not what it was: the next look will see it as it is.
    async fn moved_on(&self, moves: u32) -> Result<(), Trouble> {
        if moves > MOVES {
            let message =
                format!("{} does not stop changing: something else deploys it too", self.stack.name);
            return Err(Trouble::setup(message).hint("stop the other deployment, then run it again"));
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    }
}

fn unchanged(view: &StackView) -> Ended {
    Ended { outputs: view.outputs.clone(), ..Ended::new(Outcome::Unchanged) }
}

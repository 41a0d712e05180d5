//! Deploys one stack: finds out what state it is in, does what is needed, and sees it through to its end.

mod decide;
mod events;
mod failure;
mod operation;
mod request;
mod settle;
mod unchanged;

use std::time::Duration;

use paceline_assembly::Stack;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, Outcome, StepContext};

pub(crate) use events::EventLog;
pub use operation::Method;
pub(crate) use request::Request;

use crate::environment::Environment;
use crate::poller::StackView;
use crate::trouble::Trouble;
use decide::{Action, Verdict, decide};
use operation::Sent;
use settle::{Operation, Settled, settle};

/// How often a stack operation is tried in all when what failed is known to be transient.
const ATTEMPTS: u32 = 3;
/// The pause before such another try, which a new role has then had to become usable.
const PAUSE: Duration = Duration::from_secs(20);
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
    /// Deploys the stack. When the run is stopped, what goes on in AWS is left to go on.
    pub(crate) async fn run(&self) -> Ended {
        tokio::select! {
            biased;
            () = self.context.stopped() => {
                Ended::new(Outcome::Interrupted).with_detail("what was going on in AWS goes on there")
            }
            ended = self.deploy() => ended.unwrap_or_else(|trouble| Ended::failed(trouble.into_cause())),
        }
    }

    async fn deploy(&self) -> Result<Ended, Trouble> {
        let (mut attempt, mut moves) = (1, 0);
        let mut view = self.environment.poller.glance(&self.request.name).await?;
        let mut is_first = true;
        loop {
            if !std::mem::take(&mut is_first) {
                view = self.look().await?;
            }
            let view = view.as_ref();
            let failure = match decide(view, self.method) {
                Action::Refuse(why) => {
                    return Ok(Ended::failed(Cause {
                        at: Some(self.stack.name.clone()),
                        message: format!("the stack is in {}", view.map_or("", |view| &view.status)),
                        hint: Some(why.to_owned()),
                        preflight: false,
                    }));
                }
                Action::DeleteFirst => {
                    self.delete(view).await?;
                    continue;
                }
                Action::ContinueRollback => {
                    if let Some(view) = view {
                        operation::continue_rollback(self.environment, self.context, &self.request, view).await?;
                        self.settle(Operation::someone_elses(view)).await?;
                    }
                    continue;
                }
                Action::InProgress => match self.adopt(view).await? {
                    Some(settled) => settled,
                    None => continue,
                },
                Action::Create => match self.send(None, attempt).await? {
                    Some(settled) => settled,
                    None => {
                        moves += 1;
                        self.moved_on(moves).await?;
                        continue;
                    }
                },
                Action::Update => {
                    let Some(view) = view else { continue };
                    if unchanged::is_unchanged(self.environment, self.context, &self.request, view).await? {
                        return Ok(Ended { outputs: view.outputs.clone(), ..Ended::new(Outcome::Unchanged) });
                    }
                    match self.send(Some(view), attempt).await? {
                        Some(settled) => settled,
                        None => {
                            moves += 1;
                            self.moved_on(moves).await?;
                            continue;
                        }
                    }
                }
            };
            match failure {
                Settled::NoChanges => {
                    let outputs = view.map(|view| view.outputs.clone()).unwrap_or_default();
                    return Ok(Ended { outputs, ..Ended::new(Outcome::Unchanged) });
                }
                Settled::Lost(trouble) => {
                    let ended = Ended::new(Outcome::Interrupted).with_detail("what was going on in AWS goes on there");
                    return Ok(Ended { cause: Some(trouble.into_cause()), ..ended });
                }
                Settled::Ended { verdict: Verdict::Succeeded, view, .. } => {
                    return Ok(Ended { outputs: view.outputs, ..Ended::new(Outcome::Deployed) });
                }
                Settled::Ended { failure: Some(failure), .. } if failure.transient && attempt < ATTEMPTS => {
                    attempt += 1;
                    let at = failure.cause.at.unwrap_or_default();
                    self.context.retried(format!("{at}: {}", failure.cause.message), attempt, PAUSE);
                    tokio::time::sleep(PAUSE).await;
                }
                Settled::Ended { verdict, view, failure } => {
                    let outcome =
                        if verdict == Verdict::RolledBack { Outcome::RolledBack } else { Outcome::Failed };
                    let cause = failure.map_or_else(
                        || Cause {
                            at: Some(self.stack.name.clone()),
                            message: view.reason.unwrap_or(view.status),
                            hint: None,
                            preflight: false,
                        },
                        |failure| failure.cause,
                    );
                    return Ok(Ended { outcome, ..Ended::failed(cause) });
                }
            }
        }
    }

    async fn look(&self) -> Result<Option<StackView>, Trouble> {
        self.environment.poller.look(&self.request.name).await
    }

    /// Sends the operation and waits for its end; `None` when the stack is not what it was.
    async fn send(&self, before: Option<&StackView>, attempt: u32) -> Result<Option<Settled>, Trouble> {
        let request = &self.request;
        let sent =
            operation::send(self.environment, self.context, request, before, self.method, attempt).await?;
        Ok(match sent {
            Sent::NoChanges => Some(Settled::NoChanges),
            Sent::OutOfDate => None,
            Sent::Accepted { id } => {
                self.environment.poller.expect_change();
                let name = if before.is_some() { "update" } else { "create" };
                let token = Some(request.token(name, before, attempt));
                let stamp = before.map(|view| view.stamp.clone());
                Some(self.settle(Operation { id, token, stamp_before: stamp }).await?)
            }
        })
    }

    /// Sees an operation through that was going on already. If it is not ours, `None` once it has ended:
    /// then it is the turn of ours.
    async fn adopt(&self, view: Option<&StackView>) -> Result<Option<Settled>, Trouble> {
        let Some(view) = view else { return Ok(None) };
        let changes = events::EventLog::default().read(self.environment, &view.id).await?;
        let ours = changes
            .iter()
            .filter_map(|change| change.token.as_deref())
            .find(|token| token.starts_with(&self.request.token_prefix()));
        let operation = match ours {
            Some(token) => Operation { token: Some(token.to_owned()), ..Operation::someone_elses(view) },
            None => {
                self.context.warn(format!("it is in {}: waiting for that to end", view.status));
                Operation::someone_elses(view)
            }
        };
        let settled = self.settle(operation).await?;
        Ok(ours.is_some().then_some(settled))
    }

    async fn settle(&self, operation: Operation) -> Result<Settled, Trouble> {
        // Not being able to look says nothing about the stack.
        let settled = settle(self.environment, self.context, self.stack, operation).await;
        Ok(settled.unwrap_or_else(Settled::Lost))
    }

    async fn delete(&self, view: Option<&StackView>) -> Result<(), Trouble> {
        let Some(view) = view else { return Ok(()) };
        self.context.warn(format!("it is in {}, with nothing in it: deleting it first", view.status));
        operation::delete(self.environment, self.context, &self.request, view).await?;
        loop {
            match self.look().await? {
                Some(now) if now.id == view.id && now.status != "DELETE_FAILED" => {}
                _ => return Ok(()),
            }
        }
    }

    /// The stack is not what it was: the next look will see it as it is.
    async fn moved_on(&self, moves: u32) -> Result<(), Trouble> {
        if moves > MOVES {
            let message = format!("{} does not stop changing: something else deploys it too", self.stack.name);
            return Err(Trouble::setup(message).hint("stop the other deployment, then run it again"));
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    }
}

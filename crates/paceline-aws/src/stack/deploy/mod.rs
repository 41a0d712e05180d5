//! Deploys one stack: a state machine that is driven by what CloudFormation shows of the stack.
//!
//! First the stack is read, and what is done follows from its state ([`before`]):
//!
//! | state of the stack | what is done | what comes next |
//! |---|---|---|
//! | it is not there | `create` | the operation has ended |
//! | `REVIEW_IN_PROGRESS`: it was made for a change set | `create_in_review`: waits for the change sets of others, then creates it by one of ours | the operation has ended |
//! | at rest, and as the app wants it | `unchanged` | the end: unchanged |
//! | at rest, and different | `update` | the operation has ended |
//! | in progress, by an operation of ours | `adopt`: waits for its end | the operation has ended |
//! | in progress, by an operation of somebody else's | `adopt`: waits for its end | the stack is read again |
//! | `ROLLBACK_COMPLETE`: its creation failed, nothing is in it | `delete_first` | the stack is read again |
//! | `UPDATE_ROLLBACK_FAILED` | `continue_rollback`, once | the stack is read again |
//! | any other state in which it cannot be updated | `refuse` | the end: failed |
//!
//! When an operation that does what the app wants has ended, the end decides ([`after`]):
//!
//! | end of the operation | what is done | what comes next |
//! |---|---|---|
//! | AWS cannot be reached any more | | the end: interrupted, the operation continues |
//! | somebody has deleted the stack meanwhile | | the end: failed |
//! | there was nothing to change | `nothing_to_change` | the end: unchanged; failed where the stack is in a failed state |
//! | it succeeded | `succeeded`: sets termination protection | the end: deployed |
//! | it failed, and the same may succeed later | `try_again` after a pause, a few times | the stack is read again |
//! | it failed, because others import an export that it drops | `after_importers`: waits for their steps | the stack is read again |
//! | it failed otherwise | | the end: failed or rolled back |
//!
//! An operation that CloudFormation refuses because the stack has changed since it was read leads to reading it again,
//! a limited number of times (`read_again`).

mod after;
mod before;

use std::time::Duration;

use paceline_assembly::Stack;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, StepContext};

use super::MOVES;
use super::importers::Importers;
use super::operation::Method;
use super::outcome;
use super::request::Request;
use super::watch::{OperationEnd, RunningOperation, wait_for_end};
use crate::environment::{Environment, StackView, find};
use crate::error::AwsError;

/// The pause before a stack is read again that has changed since it was read.
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
    /// The stack as it was read, as long as nothing has happened that could have changed it.
    #[expect(
        clippy::option_option,
        reason = "a stack that is known not to be there is not one that has to be read"
    )]
    known: Option<Option<StackView>>,
    attempt: u32,
    moves: u32,
    /// Why the last operation was refused because the stack had changed.
    moved: String,
    /// The id of the stack of this name that was deleted to make room for a new one.
    deleted: Option<String>,
    has_continued: bool,
    has_lifted: bool,
    /// The stacks that import what this one drops.
    importers: Importers,
    /// Why the operation failed that is being tried again. What goes wrong before it has begun again is no cause,
    /// but what came of it.
    first: Option<Cause>,
}

/// What comes next in a deployment.
enum Next {
    /// It ends.
    End(Ended),
    /// The stack has to be read again.
    Read,
    /// An operation that does what the app wants has ended.
    Ended(OperationEnd),
}

impl Deployment<'_> {
    /// Deploys the stack. When the run stops, this future is dropped; operations in AWS continue.
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
        if let Some(ended) = self.first_look(progress).await? {
            return Ok(ended);
        }
        loop {
            let view = match progress.known.take() {
                Some(view) => view,
                None => self.ask(progress).await?,
            };
            let next = match self.act(progress, view.as_ref()).await? {
                Next::Ended(settled) => self.conclude(progress, view.as_ref(), settled).await?,
                next => next,
            };
            if let Next::End(ended) = next {
                return Ok(ended);
            }
        }
    }

    /// Reads the stack for the first time. Some stacks end with that.
    async fn first_look(&self, progress: &mut Progress) -> Result<Option<Ended>, AwsError> {
        let glanced = self.environment.poller.glance(&self.request.name).await?;
        // What a list does not show may be there: lists do not tell aliases.
        let view = match glanced {
            None => self.ask(progress).await?,
            view => view,
        };
        // CloudFormation refuses a template without resources. Apps have such stacks, to be filled later.
        if self.stack.template.resource_count() == 0 {
            return Ok(Some(outcome::without_resources(self.stack, view.as_ref())));
        }
        if let Some(view) = &view
            && view.name != self.request.name
        {
            if self.environment.poller.has(&view.name) {
                return Ok(Some(outcome::two_of_one(self.stack, view)));
            }
            self.context
                .warn(format!("{} is an alias of {}: that stack is deployed", self.stack.name, view.name));
        }
        progress.known = Some(view);
        Ok(None)
    }

    /// Asks for the stack by its name. The one that this deployment has deleted is not it.
    async fn ask(&self, progress: &Progress) -> Result<Option<StackView>, AwsError> {
        let view = find(self.environment, &self.request.name).await?;
        Ok(view.filter(|view| progress.deleted.as_ref() != Some(&view.id)))
    }

    /// The stack cannot be deployed as it is: a person has to look at it.
    async fn refuse(&self, view: &StackView, why: &str) -> Ended {
        let cause = outcome::first_cause_of(self.environment, self.stack, &view.id).await;
        outcome::refused(self.stack, view, why, cause)
    }

    async fn wait_for_end(&self, operation: RunningOperation) -> OperationEnd {
        // Not being able to look says nothing about the stack.
        let ended = wait_for_end(self.environment, self.context, self.stack, operation).await;
        ended.unwrap_or_else(OperationEnd::Lost)
    }

    /// The stack has changed since it was read: reads it again, after a pause.
    async fn read_again(&self, progress: &mut Progress, how: String) -> Result<Next, AwsError> {
        progress.moves += 1;
        progress.moved = how;
        if progress.moves > MOVES {
            let (stack, moved) = (&self.stack.name, &progress.moved);
            let message = format!("{stack} is never what it was when it was looked at: {moved}");
            return Err(AwsError::setup(message).hint("stop what else works on it, then run it again"));
        }
        tokio::time::sleep(MOVED).await;
        Ok(Next::Read)
    }
}

//! Deploys one stack. This is a state machine that acts on the state of the stack in CloudFormation.
//!
//! First the stack is read. Its state decides the action ([`before`]):
//!
//! | state of the stack | action | what follows |
//! |---|---|---|
//! | it does not exist | `create` | the operation has ended |
//! | `REVIEW_IN_PROGRESS`: it was created for a change set | `create_in_review`: waits for the change sets of others, then creates it with our own | the operation has ended |
//! | at rest, but by its events an operation of this run still runs | `adopt`: the state is old | the operation has ended |
//! | at rest, and as the app wants it | `unchanged` | the end: unchanged |
//! | at rest, and different | `update` | the operation has ended |
//! | in progress, by an operation of ours | `adopt`: waits for its end | the operation has ended |
//! | in progress, by an operation of somebody else | `adopt`: waits for its end | the stack is read again |
//! | `ROLLBACK_COMPLETE`: its creation failed, it is empty | `delete_first` | the stack is read again |
//! | `UPDATE_ROLLBACK_FAILED` | `continue_rollback`, once | the stack is read again |
//! | any other state in which it cannot be updated | `refuse` | the end: failed |
//!
//! A run that only prepares the deployment makes a change set in place of `create`, `create_in_review` and `update`
//! ([`prepare`]). It does not act on a stack in a failed state, and waits for operations in progress.
//!
//! When an operation that does what the app wants has ended, the end decides ([`after`]):
//!
//! | end of the operation | action | what follows |
//! |---|---|---|
//! | AWS became unreachable | | the end: interrupted, the operation continues |
//! | somebody has deleted the stack in the meantime | | the end: failed |
//! | there was nothing to change | `nothing_to_change` | the end: unchanged; failed if the stack is in a failed state |
//! | it succeeded | `succeeded`: sets termination protection | the end: deployed |
//! | it failed and stays as it is, and may succeed later | `continue_from_failure` after a pause, a few times | the stack is updated |
//! | it failed and stays as it is otherwise | `undo`: rolls it back | one of the next rows |
//! | it failed, and may succeed later | `try_again` after a pause, a few times | the stack is read again |
//! | it failed, because others import an export that it drops | `after_importers`: waits for their steps | the stack is read again |
//! | it failed otherwise | | the end: failed or rolled back |
//!
//! CloudFormation refuses an operation if the stack has changed since it was read. Then the stack is read
//! again, a limited number of times (`read_again`).

mod after;
mod before;
mod from_failure;
mod limits;
mod prepare;
mod reads;

use std::sync::Arc;
use std::time::Duration;

use paceline_assembly::Stack;
use paceline_config::Stuck;
use paceline_engine::event::Cause;
use paceline_engine::rollback::Captures;
use paceline_engine::{Ended, PreparedRun, StepContext};
use paceline_plan::history::History;

pub(crate) use self::prepare::Preparing;
use self::reads::Read;
use super::MOST_READS;
use super::asked::Knowledge;
use super::change_set::ChangeGuard;
use super::finished::Finished;
use super::importers::Importers;
use super::operation::Method;
use super::outcome;
use super::request::Request;
use super::watch::{OperationEnd, RunningOperation, wait_for_end};
use crate::environment::{Environment, StackView, find};
use crate::error::AwsError;
use crate::inputs::StackInputs;
use crate::records::Records;
use crate::run_copy::RunCopy;
use crate::service_report::Questions;

/// The pause before a stack is read again because it has changed.
const MOVED: Duration = Duration::from_secs(3);

/// Deploys one stack.
#[derive(Debug)]
pub(crate) struct Deployment<'a> {
    pub(crate) environment: &'a Arc<Environment>,
    pub(crate) context: &'a StepContext,
    pub(crate) stack: &'a Stack,
    pub(crate) request: Request,
    pub(crate) method: Method,
    /// How many times an operation is tried again whose failure disappears by itself.
    pub(crate) retries: u32,
    /// What happens if a resource takes much longer than usual.
    pub(crate) stuck: Stuck,
    /// The durations of earlier runs.
    pub(crate) history: Arc<History>,
    pub(crate) questions: Questions<'a>,
    pub(crate) inputs: StackInputs<'a>,
    /// The records of the stack's environment, if it has a bucket for them.
    pub(crate) records: Option<Arc<Records>>,
    /// Where the run keeps what its stacks were before, if it does.
    pub(crate) captures: Option<Captures>,
    /// The copy of the run in a staging bucket, if there is one.
    pub(crate) copy: Option<Arc<RunCopy>>,
    /// Where the run keeps what it prepares, if that is all it does.
    pub(crate) preparing: Option<Preparing<'a>>,
    /// What an earlier run has prepared, if this run executes that.
    pub(crate) prepared: Option<Arc<PreparedRun>>,
    /// Checks the change sets that were not prepared.
    pub(crate) guard: Option<ChangeGuard>,
}

/// The known state of the stack, and the actions so far.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each remembers one thing that has happened")]
struct Progress {
    /// The last read state of the stack. `None` if something may have changed it since.
    #[expect(
        clippy::option_option,
        reason = "a stack that is known not to be there is not one that has to be read"
    )]
    known: Option<Option<StackView>>,
    attempt: u32,
    moves: u32,
    /// The reason why the last operation was refused because the stack had changed.
    moved: String,
    /// The id of a stack of this name that was deleted to make room for a new one.
    deleted: Option<String>,
    /// What the stack read from elsewhere before its last operation was sent.
    read: Option<Read>,
    has_continued: bool,
    /// True if a failed state of the stack is the result of this step, and must be rolled back if another try does
    /// not help.
    must_undo: bool,
    /// True if the operation must not leave the stack failed, because it replaces a resource.
    needs_rollback: bool,
    /// What the failed tries have finished that the next one continues.
    finished: Finished,
    has_lifted: bool,
    /// Whether this deployment has captured the stack, and no operation of it has ended since.
    captures_again: bool,
    /// The stacks that import exports which this stack drops.
    importers: Importers,
    /// The failure of the operation that is being tried again. It remains the cause if something fails before
    /// the operation has begun again.
    first: Option<Cause>,
}

impl Progress {
    /// Forgets what the stack reads, because the operation may have begun before it was read.
    fn forget_read(&mut self) {
        self.read.take_if(|read| !read.digest().is_empty());
    }
}

/// The next action of a deployment.
enum Next {
    /// The deployment ends.
    End(Ended),
    /// The stack has to be read again.
    Read,
    /// An operation that does what the app wants has ended.
    Ended(OperationEnd),
}

impl Deployment<'_> {
    /// Deploys the stack. When the run stops, this future is dropped, and operations in AWS continue.
    pub(crate) async fn run(mut self) -> Ended {
        let mut progress = Progress { attempt: 1, ..Progress::default() };
        let ended = self.deploy(&mut progress).await;
        let ended = ended.unwrap_or_else(AwsError::into_ended);
        match progress.first {
            Some(first) => outcome::keep_first(first, ended),
            None => ended,
        }
    }

    async fn deploy(&mut self, progress: &mut Progress) -> Result<Ended, AwsError> {
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

    /// Reads the stack for the first time. Returns an end if nothing has to be done or can be done.
    async fn first_look(&self, progress: &mut Progress) -> Result<Option<Ended>, AwsError> {
        let glanced = self.environment.poller.glance(&self.request.name).await?;
        // A stack may exist although a list does not show it: lists do not show aliases.
        let view = match glanced {
            None => self.ask(progress).await?,
            view => view,
        };
        // CloudFormation refuses a template without resources. Some apps have such stacks for later use.
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

    /// Reads the stack by its name. Ignores a stack that this deployment has deleted.
    async fn ask(&self, progress: &Progress) -> Result<Option<StackView>, AwsError> {
        let view = find(self.environment, &self.request.name).await?;
        Ok(view.filter(|view| progress.deleted.as_ref() != Some(&view.id)))
    }

    /// The end of a stack that cannot be deployed in its state. A person has to examine it.
    async fn refuse(&self, view: &StackView, why: &str) -> Ended {
        let cause = outcome::first_cause_of(self.environment, self.stack, &view.id).await;
        outcome::refused(self.stack, view, why, cause)
    }

    async fn wait_for_end(&self, operation: RunningOperation) -> OperationEnd {
        // A failed read says nothing about the stack.
        let knowledge = Some(Knowledge { history: &self.history, questions: self.questions });
        let ended = wait_for_end(self.environment, self.context, self.stack, operation, knowledge).await;
        ended.unwrap_or_else(OperationEnd::Lost)
    }

    /// Reads the stack again, after a pause, because it has changed since it was read.
    async fn read_again(&self, progress: &mut Progress, how: String) -> Result<Next, AwsError> {
        progress.moves += 1;
        progress.moved = how;
        if progress.moves > MOST_READS {
            let (stack, moved) = (&self.stack.name, &progress.moved);
            let message = format!("{stack} is never what it was when it was looked at: {moved}");
            return Err(AwsError::setup(message).hint("stop what else works on it, then run it again"));
        }
        tokio::time::sleep(MOVED).await;
        Ok(Next::Read)
    }
}

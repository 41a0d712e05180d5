//! Protects change sets in review: those that have been created, but neither executed nor deleted.
//!
//! A change set of somebody else is never deleted. A person may be reading it in the console, and the CDK CLI
//! needs it between creation and execution. Two actions would delete it: deleting the stack that was created
//! for it, and executing another change set, because CloudFormation then deletes all others of the stack (API
//! Reference, `ExecuteChangeSet`). Before either action the run waits for a while, and then refuses.
//! `UpdateStack` does not wait: it keeps change sets, and CloudFormation refuses to execute a change set that
//! was made for an older state.
//!
//! A change set that a run of Paceline has prepared does not count as somebody else's. The run that executes another one
//! makes it again when it gets its turn.
//!
//! `ListChangeSets` needs a permission that deploy roles have since version 32 of the bootstrap template.
//! Without it, change sets are read by their known names. A change set that cannot be read counts as somebody
//! else's.

use std::time::Duration;

use aws_sdk_cloudformation::types::{ChangeSetStatus, ExecutionStatus};
use jiff::Timestamp;
use paceline_engine::StepContext;
use tokio::time::Instant;

use super::remove::still;
use crate::environment::Environment;
use crate::environment::{StackView, timestamp};
use crate::error::{AwsError, ErrorKind, code};

/// The time for which a change set may be in review before the run refuses.
const PATIENCE: Duration = Duration::from_mins(10);
/// The pause between two reads is the waited time divided by this, within the bounds in `LOOKS`.
const PARTS: u32 = 10;
const LOOKS: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(20)];
/// The name of change sets of the CDK CLI.
const OF_THE_CDK: &str = "cdk-deploy-change-set";
/// The beginning of the description of change sets that are prepared. Those of another run are replaced, not waited for.
pub(super) const PREPARED: &str = "Prepared by Paceline";
/// The beginning of the names of change sets of all runs.
const OF_A_RUN: &str = "paceline-";

/// The change sets of a stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Review<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    /// The stack as it was read.
    pub(super) stack: &'a StackView,
    /// The name of the change set of this deployment, if it creates one.
    pub(super) name: Option<&'a str>,
    /// The beginning of the names of all change sets of this deployment.
    pub(super) ours: Option<&'a str>,
    /// Whether a change set that a run has prepared counts like that of somebody else.
    pub(super) spares_prepared: bool,
}

/// A change set in review that is not ours.
#[derive(Debug, Clone)]
struct Foreign {
    /// The name. `None` if it is unknown whether there is a change set.
    name: Option<String>,
    made: Option<Timestamp>,
}

impl Review<'_> {
    /// Returns whether no change set of somebody else is in review.
    pub(super) async fn is_free(&self) -> Result<bool, AwsError> {
        Ok(self.foreign().await?.is_none())
    }

    /// Waits until no change set of somebody else is in review. Returns whether the stack is unchanged then.
    /// If a change set stays in review, returns an error.
    pub(super) async fn wait(&self) -> Result<bool, AwsError> {
        let (started, mut named) = (Instant::now(), None);
        loop {
            let Some(foreign) = self.foreign().await? else { return Ok(true) };
            if started.elapsed() > PATIENCE {
                return Err(foreign.refusal(self.stack));
            }
            if named != Some(foreign.name.clone()) {
                self.context.warn(format!("{}: {}", foreign.what(), foreign.waiting()));
                named = Some(foreign.name);
            }
            let [shortest, longest] = LOOKS;
            tokio::time::sleep((started.elapsed() / PARTS).clamp(shortest, longest)).await;
            if !still(self.environment, self.stack).await? {
                return Ok(false);
            }
        }
    }

    async fn foreign(&self) -> Result<Option<Foreign>, AwsError> {
        let mut next = None::<String>;
        loop {
            let send = || {
                let call = self.environment.client.list_change_sets().stack_name(&self.stack.id);
                call.set_next_token(next.clone()).send()
            };
            let answer = match self.environment.call(None, "ListChangeSets", send).await {
                Ok(answer) => answer,
                Err(error) if error.kind == ErrorKind::Denied => return self.foreign_by_name().await,
                // Somebody has deleted the stack. The next read of the stack shows that.
                Err(error) if error.says_no_such_stack() => return Ok(None),
                Err(error) => return Err(error),
            };
            let foreign = answer.summaries().iter().find_map(|set| {
                let foreign = Foreign {
                    name: set.change_set_name().map(str::to_owned),
                    made: set.creation_time().and_then(timestamp),
                };
                let is_prepared = !self.spares_prepared
                    && set.description().is_some_and(|text| text.starts_with(PREPARED))
                    && set.change_set_name().is_some_and(|name| name.starts_with(OF_A_RUN));
                let is_it = is_in_review(set.status(), set.execution_status())
                    && !is_prepared
                    && self.is_foreign(&foreign);
                is_it.then_some(foreign)
            });
            if foreign.is_some() {
                return Ok(foreign);
            }
            next = answer.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    /// Finds a change set of somebody else if change sets may not be listed.
    async fn foreign_by_name(&self) -> Result<Option<Foreign>, AwsError> {
        if let Some(made) = self.describe(OF_THE_CDK).await? {
            return Ok(Some(Foreign { name: Some(OF_THE_CDK.to_owned()), made }));
        }
        // A stack that was created for our change set is not expected to have another one.
        let has_ours = match self.name {
            Some(name) => self.describe(name).await?.is_some(),
            None => false,
        };
        Ok((!has_ours).then_some(Foreign { name: None, made: None }))
    }

    /// The creation time of the change set of this name, if there is one in review.
    async fn describe(&self, name: &str) -> Result<Option<Option<Timestamp>>, AwsError> {
        let send = || {
            let call = self.environment.client.describe_change_set().stack_name(&self.stack.id);
            call.change_set_name(name).send()
        };
        match self.environment.call(None, "DescribeChangeSet", send).await {
            Ok(set) if is_in_review(set.status(), set.execution_status()) => {
                Ok(Some(set.creation_time().and_then(timestamp)))
            }
            Err(error) if !error.is(code::CHANGE_SET_NOT_FOUND) && !error.says_no_such_stack() => Err(error),
            _ => Ok(None),
        }
    }

    fn is_foreign(&self, set: &Foreign) -> bool {
        let name = set.name.as_deref().unwrap_or_default();
        if self.ours.is_some_and(|ours| name.starts_with(ours)) {
            return false;
        }
        // The change set belongs to another deployment of Paceline. A running deployment executes it soon, an
        // interrupted one never does.
        let age = set.made.and_then(|made| Duration::try_from(self.context.now().duration_since(made)).ok());
        !(name.starts_with(OF_A_RUN) && age.is_some_and(|age| age > PATIENCE))
    }
}

impl Foreign {
    fn what(&self) -> String {
        match (&self.name, self.made) {
            (Some(name), Some(made)) => {
                let made = made.strftime("%Y-%m-%d %H:%M:%S UTC");
                format!("the change set `{name}`, which somebody made at {made}, is in review")
            }
            (Some(name), None) => format!("somebody's change set `{name}` is in review"),
            (None, _) => {
                "a change set of somebody's may be in review: the deploy role may not list them".to_owned()
            }
        }
    }

    fn waiting(&self) -> String {
        let minutes = PATIENCE.as_secs() / 60;
        let it = if self.name.is_some() { "it" } else { "what is in review" };
        format!("waiting up to {minutes} minutes for {it} to be executed or deleted")
    }

    fn refusal(&self, stack: &StackView) -> AwsError {
        let which = match &self.name {
            Some(name) => format!("the change set `{name}`"),
            None => "what is in review".to_owned(),
        };
        let more = match &self.name {
            Some(_) => "",
            None => " (with version 32 of the bootstrap stack or later, it can be seen whether there is one)",
        };
        let error = AwsError { kind: ErrorKind::Refused, ..AwsError::setup(self.what()) };
        let hint =
            format!("execute or delete {which} of {} in the console, then run it again{more}", stack.name);
        error.during(stack.name.clone()).hint(hint)
    }
}

/// Returns whether somebody may still execute a change set, or is executing it.
fn is_in_review(status: Option<&ChangeSetStatus>, execution: Option<&ExecutionStatus>) -> bool {
    let is_over = matches!(
        status,
        Some(ChangeSetStatus::Failed | ChangeSetStatus::DeleteComplete | ChangeSetStatus::DeleteFailed)
    );
    let is_used_up = matches!(
        execution,
        Some(ExecutionStatus::ExecuteComplete | ExecutionStatus::ExecuteFailed | ExecutionStatus::Obsolete)
    );
    !is_over && !is_used_up
}

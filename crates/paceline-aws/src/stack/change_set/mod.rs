//! Change sets of our own: makes, reads and deletes them, for each way in which they are used.
//!
//! - `execute`: an operation of a deployment makes a change set and executes it, or executes a prepared one.
//! - `reuse`: decides whether a prepared change set is still what the deployment wants.
//! - `changes`: what a change set changes.
//! - `findings`: what CloudFormation finds wrong with it.
//! - A run that prepares a deployment makes change sets and leaves them: see `deploy/prepare.rs`.
//!
//! The name of a change set is the token of its operation, because names allow the same characters as tokens. So it contains
//! the digests of the request and of the state of the stack. Another request, or another state, gives another name.

mod changes;
mod execute;
mod findings;
mod guard;
mod reuse;

use std::time::Duration;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{ChangeSetStatus, ChangeSetType, DeploymentMode};
use paceline_engine::{Finding, StepContext};

pub(super) use self::execute::{ByChangeSet, failed};
pub use self::guard::{ChangeGuard, GuardRefusal, Unreviewed};
pub(super) use self::reuse::Reviewed;
use super::request::Request;
use super::sent::{capabilities, split};
use crate::environment::{Environment, StackView};
use crate::error::AwsError;
use crate::refusal::is_without_changes;

/// The pauses before a change set is read. The first pause doubles up to [`SLOWEST_LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(500);
const SLOWEST_LOOK: Duration = Duration::from_secs(3);
/// The end of the name of a change set that is made again, because another one has the name or had it.
const AGAIN: &str = "-again";

/// The change sets for one request, on a stack in one state.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangeSets<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) request: &'a Request,
    pub(super) before: Option<&'a StackView>,
}

/// The result of making a change set.
pub(super) enum Made {
    Ready(Box<ReadyChangeSet>),
    /// There is nothing to change.
    Empty,
    /// CloudFormation could not make it: its reason, and what it found.
    Failed(String, Vec<Finding>),
}

/// A change set that can be executed.
pub(super) struct ReadyChangeSet {
    pub(super) name: String,
    /// The ids of the change set and of its stack.
    pub(super) id: String,
    pub(super) stack: String,
    /// The first page of its description.
    first: DescribeChangeSetOutput,
}

/// The state of a change set whose creation has ended.
enum Created {
    Ready(Box<DescribeChangeSetOutput>),
    Failed {
        reason: String,
        /// True if the change set had failed before its first read. A change set of an earlier run has.
        at_once: bool,
    },
}

impl ReadyChangeSet {
    fn new(name: &str, stack: &str, first: DescribeChangeSetOutput) -> Self {
        Self {
            name: name.to_owned(),
            id: first.change_set_id().unwrap_or(name).to_owned(),
            stack: first.stack_id().unwrap_or(stack).to_owned(),
            first,
        }
    }
}

impl ChangeSets<'_> {
    /// Makes the change set of this name, or takes the one that an interrupted run has made.
    pub(super) async fn make(
        &self,
        token: &str,
        name: String,
        description: Option<&str>,
    ) -> Result<Made, AwsError> {
        self.context.submitting("create-change-set", token).await;
        let first = name.clone();
        let mut name = name;
        loop {
            self.create(&name, description).await?;
            let (reason, at_once) = match self.wait(&name).await? {
                Created::Ready(page) => {
                    return Ok(Made::Ready(Box::new(ReadyChangeSet::new(&name, self.stack(), *page))));
                }
                Created::Failed { reason, at_once } => (reason, at_once),
            };
            let is_empty = is_without_changes(&reason);
            // The findings are gone with the change set.
            let findings = if is_empty { Vec::new() } else { self.findings(&name).await };
            // The reason was true when the change set was created. The next change set must be computed
            // again.
            self.delete(self.stack(), &name).await?;
            if at_once && name == first {
                name.push_str(AGAIN);
            } else if is_empty {
                return Ok(Made::Empty);
            } else {
                return Ok(Made::Failed(reason, findings));
            }
        }
    }

    /// The stack in calls: its id if it exists, otherwise its name.
    pub(super) fn stack(&self) -> &str {
        self.before.map_or(&self.request.name, |before| &before.id)
    }

    async fn create(&self, name: &str, description: Option<&str>) -> Result<(), AwsError> {
        let (url, body) = split(&self.request.source);
        let options = self.request.options;
        // A new stack has not drifted.
        let reverts = options.reverts_drift && self.before.is_some();
        let kind = if self.before.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
        let send = || {
            let call = self.environment.client.create_change_set().stack_name(self.stack());
            call.change_set_name(name)
                .client_token(name)
                .set_description(description.map(str::to_owned))
                .change_set_type(kind.clone())
                .set_template_url(url.clone())
                .set_template_body(body.clone())
                .set_parameters(Some(self.request.sdk_parameters(self.before)))
                .set_tags(Some(self.request.sdk_tags()))
                .set_capabilities(Some(capabilities()))
                .set_role_arn(self.request.execution_role_arn.clone())
                .set_notification_arns(self.request.notification_arns.clone())
                .set_rollback_configuration(self.request.sdk_rollback_configuration())
                .set_import_existing_resources(options.imports_existing.then_some(true))
                // The two exclude each other. The CDK CLI decides likewise.
                .set_deployment_mode(reverts.then_some(DeploymentMode::RevertDrift))
                .include_nested_stacks(!reverts)
                .send()
        };
        match self.environment.call(Some(self.context), "CreateChangeSet", send).await {
            // A change set of this name is the same one, created before an interruption.
            Err(error) if error.says_change_set_exists() => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn wait(&self, name: &str) -> Result<Created, AwsError> {
        let (mut pause, mut at_once) = (FIRST_LOOK, true);
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SLOWEST_LOOK);
            let answer = self.describe(Some(self.stack()), name).await?;
            match answer.status() {
                Some(ChangeSetStatus::CreateComplete) => return Ok(Created::Ready(Box::new(answer))),
                Some(ChangeSetStatus::Failed) => {
                    let reason = answer.status_reason().unwrap_or("no reason given").to_owned();
                    return Ok(Created::Failed { reason, at_once });
                }
                _ => at_once = false,
            }
        }
    }

    /// Reads the first page about a change set, by its name in a stack or by its id.
    async fn describe(&self, stack: Option<&str>, name: &str) -> Result<DescribeChangeSetOutput, AwsError> {
        let send = || {
            let call = self.environment.client.describe_change_set().change_set_name(name);
            call.set_stack_name(stack.map(str::to_owned)).send()
        };
        self.environment.call(Some(self.context), "DescribeChangeSet", send).await
    }

    /// Deletes a change set. Returns without an error if it does not exist.
    pub(super) async fn delete(&self, stack: &str, name: &str) -> Result<(), AwsError> {
        let send = || {
            let call = self.environment.client.delete_change_set().stack_name(stack);
            call.change_set_name(name).send()
        };
        self.environment.call(Some(self.context), "DeleteChangeSet", send).await.map(drop)
    }
}

//! Changes a stack with a change set: creates it, waits for it, and executes it.

use std::time::Duration;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    ChangeAction, ChangeSetStatus, ChangeSetType, DeploymentMode, Replacement,
};
use paceline_assembly::StackStatus;
use paceline_engine::StepContext;

use super::operation::{Sent, capabilities, split};
use super::request::Request;
use super::review::Review;
use crate::environment::Environment;
use crate::environment::{StackView, find};
use crate::error::{AwsError, ErrorKind};
use crate::refusal::is_without_changes;

/// The pauses before a change set is read. The first pause doubles up to [`SLOWEST_LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(500);
const SLOWEST_LOOK: Duration = Duration::from_secs(3);

/// Changes a stack with a change set. The name of the change set is its token, because names allow the same
/// characters as tokens.
pub(super) struct ByChangeSet<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) request: &'a Request,
    pub(super) before: Option<&'a StackView>,
    pub(super) token: &'a str,
    /// True if a failure may leave the stack as it is, unless the change set replaces a resource.
    pub(super) keeps: bool,
}

/// The result of creating a change set.
enum Made {
    /// The change set can be executed.
    Ready {
        /// The ids of the stack and of the change set.
        stack: String,
        id: String,
        /// Whether it replaces a resource, or may replace one.
        may_replace: bool,
    },
    Failed {
        reason: String,
        is_empty: bool,
        /// True if the change set had failed before its first read. A change set of an earlier run has.
        at_once: bool,
    },
}

impl ByChangeSet<'_> {
    pub(super) async fn send(&self) -> Result<Sent, AwsError> {
        self.context.submitting("create-change-set", self.token).await;
        let mut name = self.token.to_owned();
        let (stack, id, may_replace) = loop {
            self.create(&name).await?;
            let (reason, is_empty, at_once) = match self.wait(&name).await? {
                Made::Ready { stack, id, may_replace } => break (stack, id, may_replace),
                Made::Failed { reason, is_empty, at_once } => (reason, is_empty, at_once),
            };
            // The reason was true when the change set was created. The next change set must be computed
            // again.
            self.delete(self.stack(), &name).await?;
            if at_once && name == self.token {
                name.push_str("-again");
            } else if is_empty {
                return Ok(Sent::NoChanges);
            } else {
                let message = format!("the change set could not be made: {reason}");
                let error = AwsError { kind: ErrorKind::Refused, ..AwsError::setup(message) };
                return Err(error.during("CreateChangeSet"));
            }
        };
        if !self.is_alone(&stack, &id, &name).await? {
            return Ok(Sent::OutOfDate("it is not what it was when the change set was made".to_owned()));
        }
        let disables_rollback = self.disables_rollback(may_replace);
        self.context.submitting("execute-change-set", self.token).await;
        let send = || {
            let call = self.environment.client.execute_change_set().stack_name(&stack);
            let call = call.change_set_name(&id).client_request_token(self.token);
            // The API Reference contradicts itself about the default.
            call.disable_rollback(disables_rollback).send()
        };
        match self.environment.call(Some(self.context), "ExecuteChangeSet", send).await {
            // The change set was executed earlier. The stack's events show how that ended.
            Err(error) if error.says_change_set_is_executed() => Ok(Sent::Known),
            answer => answer.map(|_| Sent::Accepted { id: stack }),
        }
    }

    /// Waits until executing our change set deletes no change set of somebody else. Returns whether the stack
    /// is still unchanged then. Otherwise our change set is deleted.
    async fn is_alone(&self, stack: &str, id: &str, name: &str) -> Result<bool, AwsError> {
        let now = match self.before {
            Some(before) => before.clone(),
            None => match find(self.environment, stack).await? {
                Some(now) if now.status == StackStatus::ReviewInProgress => now,
                _ => return Ok(false),
            },
        };
        let (environment, context, ours) = (self.environment, self.context, &self.request.token_prefix());
        let review = Review { environment, context, stack: &now, name: Some(name), ours: Some(ours) };
        let alone = review.wait().await;
        if !matches!(alone, Ok(true)) {
            // If our change set cannot be deleted, it stays. It does nothing by itself.
            let _ = self.delete(stack, id).await;
        }
        alone
    }

    /// The stack in calls: its id if it exists, otherwise its name.
    fn stack(&self) -> &str {
        self.before.map_or(&self.request.name, |before| &before.id)
    }

    /// Returns true also for a stack in a failed state. Such a stack can only be updated without rollback.
    fn disables_rollback(&self, may_replace: bool) -> bool {
        self.request.disable_rollback
            || self.before.is_some_and(|view| view.status.failed())
            || self.keeps && !may_replace
    }

    /// Returns whether the change set replaces a resource, or may replace one. `first` is the first page of its changes.
    async fn may_replace(&self, first: &DescribeChangeSetOutput) -> Result<bool, AwsError> {
        let may_replace = |page: &DescribeChangeSetOutput| {
            let mut changes = page.changes().iter().filter_map(|change| change.resource_change());
            changes.any(|change| {
                let modifies = change.action() == Some(&ChangeAction::Modify);
                modifies && change.replacement() != Some(&Replacement::False)
            })
        };
        let mut found = may_replace(first);
        let mut next = first.next_token().map(str::to_owned);
        while !found && next.is_some() {
            let send = || {
                let call = self.environment.client.describe_change_set().set_next_token(next.clone());
                let id = first.change_set_id().map(str::to_owned);
                call.set_change_set_name(id).set_stack_name(first.stack_id().map(str::to_owned)).send()
            };
            let page = self.environment.call(Some(self.context), "DescribeChangeSet", send).await?;
            found = may_replace(&page);
            next = page.next_token().map(str::to_owned);
        }
        Ok(found)
    }

    async fn create(&self, name: &str) -> Result<(), AwsError> {
        let (url, body) = split(&self.request.source);
        let options = self.request.options;
        // A new stack has not drifted.
        let reverts = options.reverts_drift && self.before.is_some();
        let kind = if self.before.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
        let send = || {
            let call = self.environment.client.create_change_set().stack_name(self.stack());
            call.change_set_name(name)
                .client_token(name)
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

    async fn wait(&self, change_set: &str) -> Result<Made, AwsError> {
        let (mut pause, mut at_once) = (FIRST_LOOK, true);
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SLOWEST_LOOK);
            let send = || {
                let call = self.environment.client.describe_change_set().stack_name(self.stack());
                call.change_set_name(change_set).send()
            };
            let answer = self.environment.call(Some(self.context), "DescribeChangeSet", send).await?;
            match answer.status() {
                Some(ChangeSetStatus::CreateComplete) => {
                    // A creation replaces nothing.
                    let asks = self.keeps && self.before.is_some();
                    return Ok(Made::Ready {
                        may_replace: asks && self.may_replace(&answer).await?,
                        stack: answer.stack_id().unwrap_or(self.stack()).to_owned(),
                        id: answer.change_set_id().unwrap_or(change_set).to_owned(),
                    });
                }
                Some(ChangeSetStatus::Failed) => {
                    let reason = answer.status_reason().unwrap_or("no reason given").to_owned();
                    let is_empty = is_without_changes(&reason);
                    return Ok(Made::Failed { reason, is_empty, at_once });
                }
                _ => at_once = false,
            }
        }
    }

    async fn delete(&self, stack: &str, change_set: &str) -> Result<(), AwsError> {
        let send = || {
            let call = self.environment.client.delete_change_set().stack_name(stack);
            call.change_set_name(change_set).send()
        };
        self.environment.call(Some(self.context), "DeleteChangeSet", send).await.map(drop)
    }
}

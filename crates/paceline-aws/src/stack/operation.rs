//! Sends a stack operation: create or update, directly or by a change set; delete; continue a rollback.

use std::time::Duration;

use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, OnFailure};
use paceline_engine::StepContext;

use super::request::{Request, Source};
use crate::environment::Environment;
use crate::poller::StackView;
use crate::trouble::Trouble;

/// How stacks are changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// `CreateStack` and `UpdateStack`.
    #[default]
    Direct,
    /// By way of a change set.
    ChangeSet,
}

/// What became of sending an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was accepted; the stack's id is known.
    Accepted { id: String },
    /// There is nothing to change.
    NoChanges,
    /// The stack has moved on since it was looked at.
    OutOfDate,
}

/// What CloudFormation may do on our behalf. The CDK CLI gives the same.
fn capabilities() -> Vec<Capability> {
    vec![Capability::CapabilityIam, Capability::CapabilityNamedIam, Capability::CapabilityAutoExpand]
}

/// Sends what the request asks for. Journals the token before.
pub(super) async fn send(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
    method: Method,
    attempt: u32,
) -> Result<Sent, Trouble> {
    let operation = if before.is_some() { "update" } else { "create" };
    let token = request.token(operation, before, attempt);
    let sent = match (method, before) {
        (Method::ChangeSet, _) => by_change_set(environment, context, request, before, &token).await,
        (Method::Direct, None) => create(environment, context, request, &token).await,
        (Method::Direct, Some(_)) => update(environment, context, request, before, &token).await,
    };
    sent.or_else(|trouble| understand(&trouble).ok_or(trouble))
}

/// Some refusals say something about the stack and not that something is wrong.
fn understand(trouble: &Trouble) -> Option<Sent> {
    let message = &trouble.message;
    if message.contains("No updates are to be performed") {
        return Some(Sent::NoChanges);
    }
    let moved_on = message.starts_with("AlreadyExistsException")
        || message.starts_with("TokenAlreadyExistsException")
        || message.contains("_IN_PROGRESS state and can not be updated")
        || message.contains("does not exist") && message.contains("Stack [");
    moved_on.then_some(Sent::OutOfDate)
}

async fn create(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    token: &str,
) -> Result<Sent, Trouble> {
    let (url, body) = split(&request.source);
    context.submitting("create", token).await;
    let on_failure = if request.disable_rollback { OnFailure::DoNothing } else { OnFailure::Rollback };
    let send = || {
        let call = environment.client.create_stack().stack_name(&request.name).client_request_token(token);
        call.set_template_url(url.clone())
            .set_template_body(body.clone())
            .set_parameters(Some(request.sdk_parameters(None)))
            .set_tags(Some(request.sdk_tags()))
            .set_capabilities(Some(capabilities()))
            .set_role_arn(request.execution_role_arn.clone())
            .set_notification_arns(request.notification_arns.clone())
            .set_enable_termination_protection(request.termination_protection)
            .on_failure(on_failure.clone())
            .send()
    };
    let answer = environment.call(Some(context), "CreateStack", send).await?;
    Ok(Sent::Accepted { id: answer.stack_id().unwrap_or(&request.name).to_owned() })
}

async fn update(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
    token: &str,
) -> Result<Sent, Trouble> {
    protect(environment, context, request, before).await?;
    let (url, body) = split(&request.source);
    context.submitting("update", token).await;
    // A stack that was left in a failed state can only be updated without rollback.
    let disable_rollback = request.disable_rollback || before.is_some_and(|view| view.status.ends_with("_FAILED"));
    let send = || {
        let call = environment.client.update_stack().stack_name(&request.name).client_request_token(token);
        call.set_template_url(url.clone())
            .set_template_body(body.clone())
            .set_parameters(Some(request.sdk_parameters(before)))
            .set_tags(Some(request.sdk_tags()))
            .set_capabilities(Some(capabilities()))
            .set_role_arn(request.execution_role_arn.clone())
            .set_notification_arns(request.notification_arns.clone())
            .set_disable_rollback(disable_rollback.then_some(true))
            .send()
    };
    let answer = environment.call(Some(context), "UpdateStack", send).await?;
    Ok(Sent::Accepted { id: answer.stack_id().unwrap_or(&request.name).to_owned() })
}

/// Termination protection is not a part of an update.
async fn protect(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
) -> Result<(), Trouble> {
    let Some(on) = request.termination_protection else { return Ok(()) };
    if before.is_none_or(|view| view.termination_protection == on) {
        return Ok(());
    }
    let send = || {
        let call = environment.client.update_termination_protection().stack_name(&request.name);
        call.enable_termination_protection(on).send()
    };
    environment.call(Some(context), "UpdateTerminationProtection", send).await.map(drop)
}

/// From the creation of a change set to the first look at it; the pause doubles up to [`SLOWEST_LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(500);
const SLOWEST_LOOK: Duration = Duration::from_secs(3);

async fn by_change_set(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
    token: &str,
) -> Result<Sent, Trouble> {
    let (url, body) = split(&request.source);
    context.submitting("create-change-set", token).await;
    let kind = if before.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
    let send = || {
        let call = environment.client.create_change_set().stack_name(&request.name);
        // The name holds no dots or slashes: a change set may be named like its token.
        call.change_set_name(token)
            .client_token(token)
            .change_set_type(kind.clone())
            .set_template_url(url.clone())
            .set_template_body(body.clone())
            .set_parameters(Some(request.sdk_parameters(before)))
            .set_tags(Some(request.sdk_tags()))
            .set_capabilities(Some(capabilities()))
            .set_role_arn(request.execution_role_arn.clone())
            .set_notification_arns(request.notification_arns.clone())
            .include_nested_stacks(true)
            .send()
    };
    // One of this name is the same one, made before an interruption.
    match environment.call(Some(context), "CreateChangeSet", send).await {
        Err(trouble) if !trouble.message.starts_with("AlreadyExistsException") => return Err(trouble),
        _ => {}
    }
    let id = match wait_for_change_set(environment, context, request, token).await? {
        Some(id) => id,
        None => return Ok(Sent::NoChanges),
    };
    protect(environment, context, request, before).await?;
    context.submitting("execute-change-set", token).await;
    let send = || {
        let call = environment.client.execute_change_set().stack_name(&request.name);
        let call = call.change_set_name(token).client_request_token(token);
        call.set_disable_rollback(request.disable_rollback.then_some(true)).send()
    };
    environment.call(Some(context), "ExecuteChangeSet", send).await?;
    Ok(Sent::Accepted { id })
}

/// The stack's id once the change set is ready; `None` when there is nothing in it.
async fn wait_for_change_set(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    name: &str,
) -> Result<Option<String>, Trouble> {
    let mut pause = FIRST_LOOK;
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(SLOWEST_LOOK);
        let send = || {
            environment.client.describe_change_set().stack_name(&request.name).change_set_name(name).send()
        };
        let answer = environment.call(Some(context), "DescribeChangeSet", send).await?;
        match answer.status() {
            Some(ChangeSetStatus::CreateComplete) => {
                return Ok(Some(answer.stack_id().unwrap_or(&request.name).to_owned()));
            }
            Some(ChangeSetStatus::Failed) => {
                let reason = answer.status_reason().unwrap_or("no reason given");
                let is_empty = reason.contains("didn't contain changes")
                    || reason.contains("No updates are to be performed");
                if is_empty {
                    return Ok(None);
                }
                return Err(Trouble::setup(format!("the change set could not be made: {reason}")));
            }
            _ => {}
        }
    }
}

/// Deletes a stack.
pub(super) async fn delete(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    view: &StackView,
) -> Result<(), Trouble> {
    let token = request.token("delete", Some(view), 1);
    context.submitting("delete", &token).await;
    let send = || {
        let call = environment.client.delete_stack().stack_name(&view.id).client_request_token(&token);
        call.set_role_arn(request.execution_role_arn.clone()).send()
    };
    environment.call(Some(context), "DeleteStack", send).await.map(drop)
}

/// Goes on with the rollback of an update that got stuck.
pub(super) async fn continue_rollback(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    view: &StackView,
) -> Result<(), Trouble> {
    let token = request.token("continue-rollback", Some(view), 1);
    context.submitting("continue-rollback", &token).await;
    let send = || {
        let call = environment.client.continue_update_rollback().stack_name(&request.name);
        call.client_request_token(&token).set_role_arn(request.execution_role_arn.clone()).send()
    };
    environment.call(Some(context), "ContinueUpdateRollback", send).await.map(drop)
}

fn split(source: &Source) -> (Option<String>, Option<String>) {
    match source {
        Source::Url(url) => (Some(url.clone()), None),
        Source::Body(body) => (None, Some(body.clone())),
    }
}

//! Sends a stack operation: create, update, delete, continue a rollback.

use aws_sdk_cloudformation::types::{Capability, OnFailure};
use paceline_engine::StepContext;

use super::change_set::ByChangeSet;
use super::limit::Limit;
use super::request::Request;
use super::source::Source;
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

/// How CloudFormation says that an operation with the token was accepted before, and has ended.
const TOKEN_USED: &str = "TokenAlreadyExistsException";

/// What became of sending an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was accepted; the stack's id is known.
    Accepted { id: String },
    /// There is nothing to change.
    NoChanges,
    /// The stack has moved on since it was looked at.
    OutOfDate,
    /// An operation with this token was accepted before, and may be over.
    Known,
}

/// What CloudFormation may do on our behalf. The CDK CLI gives the same.
pub(super) fn capabilities() -> Vec<Capability> {
    vec![Capability::CapabilityIam, Capability::CapabilityNamedIam, Capability::CapabilityAutoExpand]
}

/// Sends what the request asks for. Journals the token before.
pub(super) async fn send(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
    method: Method,
    token: &str,
) -> Result<Sent, Trouble> {
    let sent = match (method, before) {
        (Method::ChangeSet, _) => ByChangeSet { environment, context, request, before, token }.send().await,
        (Method::Direct, None) => create(environment, context, request, token).await,
        (Method::Direct, Some(_)) => update(environment, context, request, before, token).await,
    };
    sent.or_else(|trouble| understand(&trouble).ok_or(trouble))
}

/// Some refusals say something about the stack and not that something is wrong.
fn understand(trouble: &Trouble) -> Option<Sent> {
    let message = &trouble.message;
    if message.contains("No updates are to be performed") {
        return Some(Sent::NoChanges);
    }
    if message.starts_with(TOKEN_USED) {
        return Some(Sent::Known);
    }
    let moved_on = message.starts_with("AlreadyExistsException")
        || message.contains("already exists and cannot be created again with the changeSet")
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
            .set_timeout_in_minutes(request.limit.map(Limit::minutes))
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
    let disable_rollback =
        request.disable_rollback || before.is_some_and(|view| view.status.ends_with("_FAILED"));
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
pub(super) async fn protect(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
) -> Result<(), Trouble> {
    let Some(on) = request.termination_protection else { return Ok(()) };
    if before.is_some_and(|view| view.termination_protection) == on {
        return Ok(());
    }
    let send = || {
        let call = environment.client.update_termination_protection().stack_name(&request.name);
        call.enable_termination_protection(on).send()
    };
    environment.call(Some(context), "UpdateTerminationProtection", send).await.map(drop)
}

/// Deletes a stack, as the role that CloudFormation takes for it.
pub(super) async fn delete(
    environment: &Environment,
    context: &StepContext,
    role: Option<&String>,
    view: &StackView,
    token: &str,
) -> Result<Sent, Trouble> {
    context.submitting("delete", token).await;
    let send = || {
        let call = environment.client.delete_stack().stack_name(&view.id).client_request_token(token);
        call.set_role_arn(role.cloned()).send()
    };
    match environment.call(Some(context), "DeleteStack", send).await {
        Ok(_) => Ok(Sent::Accepted { id: view.id.clone() }),
        Err(trouble) if trouble.message.starts_with(TOKEN_USED) => Ok(Sent::Known),
        Err(trouble) if trouble.message.contains("cannot be deleted while in status") => Ok(Sent::OutOfDate),
        Err(trouble) => Err(trouble),
    }
}

/// Goes on with the rollback of an update that got stuck. Gives the token.
pub(super) async fn continue_rollback(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    view: &StackView,
) -> Result<String, Trouble> {
    let token = request.token("continue", &view.state(), 1);
    context.submitting("continue-rollback", &token).await;
    let send = || {
        let call = environment.client.continue_update_rollback().stack_name(&request.name);
        call.client_request_token(&token).set_role_arn(request.execution_role_arn.clone()).send()
    };
    match environment.call(Some(context), "ContinueUpdateRollback", send).await {
        // It was continued before; how that ended is in its events.
        Err(trouble) if !trouble.message.starts_with(TOKEN_USED) => Err(trouble),
        _ => Ok(token),
    }
}

pub(super) fn split(source: &Source) -> (Option<String>, Option<String>) {
    match source {
        Source::Url(url) => (Some(url.clone()), None),
        Source::Body(body) => (None, Some(body.clone())),
    }
}

//! Sends a stack operation: create, update, continue a rollback.

use aws_sdk_cloudformation::types::{Capability, OnFailure};
use paceline_engine::StepContext;

use super::change_set::ByChangeSet;
use super::limit::Limit;
use super::protect;
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
pub(super) const TOKEN_USED: &str = "TokenAlreadyExistsException";

/// What became of sending an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was accepted; the stack's id is known.
    Accepted { id: String },
    /// There is nothing to change.
    NoChanges,
    /// The stack has moved on since it was looked at; how that was noticed.
    OutOfDate(String),
    /// An operation with this token was accepted before, and may be over.
    Known,
}

/// What CloudFormation may do on our behalf. The CDK CLI gives the same.
pub(super) fn capabilities() -> Vec<Capability> {
    vec![Capability::CapabilityIam, Capability::CapabilityNamedIam, Capability::CapabilityAutoExpand]
}

/// Sends what the request asks for. Journals the token before.
///
/// What is to be changed is named by its id: a stack of the same name that somebody has made anew since it was
/// looked at is another one.
pub(super) async fn send(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
    method: Method,
    token: &str,
) -> Result<Sent, Trouble> {
    let sent = async {
        if let Some(before) = before {
            protect::before_update(environment, context, request, before).await?;
        }
        match (method, before) {
            (Method::ChangeSet, _) => {
                ByChangeSet { environment, context, request, before, token }.send().await
            }
            (Method::Direct, None) => create(environment, context, request, token).await,
            (Method::Direct, Some(before)) => update(environment, context, request, before, token).await,
        }
    };
    sent.await.or_else(|trouble| understand(&trouble, before).ok_or(trouble))
}

/// Some refusals say something about the stack and not that something is wrong.
fn understand(trouble: &Trouble, before: Option<&StackView>) -> Option<Sent> {
    let message = &trouble.message;
    if message.contains("No updates are to be performed") {
        return Some(Sent::NoChanges);
    }
    if message.starts_with(TOKEN_USED) {
        return Some(Sent::Known);
    }
    // Where it still is in the state that it was seen in, the refusal is about that, and looking again is no help.
    let was = before.map(|view| format!("is in {} state", view.status));
    let is_elsewhere = message.contains("_IN_PROGRESS state and can not be updated")
        || message.contains("state and can not be updated") && was.is_none_or(|was| !message.contains(&was));
    let moved_on = is_elsewhere
        || message.starts_with("AlreadyExistsException")
        || message.contains("already exists and cannot be created again with the changeSet")
        || message.starts_with("InvalidChangeSetStatus")
        || message.starts_with("ChangeSetNotFound")
        || is_gone(trouble);
    moved_on.then(|| Sent::OutOfDate(message.clone()))
}

/// Whether this says that there is no such stack.
pub(super) fn is_gone(trouble: &Trouble) -> bool {
    trouble.message.contains("does not exist") && trouble.message.contains("Stack ")
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
    before: &StackView,
    token: &str,
) -> Result<Sent, Trouble> {
    let (url, body) = split(&request.source);
    context.submitting("update", token).await;
    // A stack that was left in a failed state can only be updated without rollback.
    let disable_rollback = request.disable_rollback || before.status.ends_with("_FAILED");
    let send = || {
        let call = environment.client.update_stack().stack_name(&before.id).client_request_token(token);
        call.set_template_url(url.clone())
            .set_template_body(body.clone())
            .set_parameters(Some(request.sdk_parameters(Some(before))))
            .set_tags(Some(request.sdk_tags()))
            .set_capabilities(Some(capabilities()))
            .set_role_arn(request.execution_role_arn.clone())
            .set_notification_arns(request.notification_arns.clone())
            .set_disable_rollback(disable_rollback.then_some(true))
            .send()
    };
    let answer = environment.call(Some(context), "UpdateStack", send).await?;
    Ok(Sent::Accepted { id: answer.stack_id().unwrap_or(&before.id).to_owned() })
}

/// Goes on with the rollback of an update that got stuck.
pub(super) async fn continue_rollback(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    view: &StackView,
    token: &str,
) -> Result<Sent, Trouble> {
    context.submitting("continue-rollback", token).await;
    let send = || {
        let call = environment.client.continue_update_rollback().stack_name(&view.id);
        call.client_request_token(token).set_role_arn(request.execution_role_arn.clone()).send()
    };
    match environment.call(Some(context), "ContinueUpdateRollback", send).await {
        Ok(_) => Ok(Sent::Accepted { id: view.id.clone() }),
        // It was continued before; how that ended is in its events.
        Err(trouble) if trouble.message.starts_with(TOKEN_USED) => Ok(Sent::Known),
        // Somebody else has continued it.
        Err(trouble) if trouble.message.contains("continue") && trouble.message.contains(" state") => {
            Ok(Sent::OutOfDate(trouble.message))
        }
        Err(trouble) if is_gone(&trouble) => Ok(Sent::OutOfDate(trouble.message)),
        Err(trouble) => Err(trouble),
    }
}

pub(super) fn split(source: &Source) -> (Option<String>, Option<String>) {
    match source {
        Source::Url(url) => (Some(url.clone()), None),
        Source::Body(body) => (None, Some(body.clone())),
    }
}

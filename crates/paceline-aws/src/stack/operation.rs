//! Sends stack operations: creates and updates stacks, and continues rollbacks.

use paceline_engine::StepContext;

use super::change_set::{ByChangeSet, ChangeSets, Reviewed};
use super::limit::Limit;
use super::protect;
use super::remove::still;
use super::request::Request;
use super::sent::{Sent, capabilities, split};
use crate::environment::Environment;
use crate::environment::StackView;
use crate::error::{AwsError, code};

/// The operations that change stacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// `CreateStack` and `UpdateStack`.
    #[default]
    Direct,
    ChangeSet,
}

/// The operation of a request that is about to be sent.
#[derive(Clone, Copy)]
pub(super) struct Sending<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) request: &'a Request,
    pub(super) before: Option<&'a StackView>,
    pub(super) method: Method,
    pub(super) token: &'a str,
    /// True if the operation leaves the stack as it is when it fails, provided that it replaces no resource: CloudFormation
    /// replaces nothing while rollback is disabled.
    pub(super) keeps: bool,
    pub(super) reviewed: Reviewed<'a>,
}

impl Sending<'_> {
    /// Sends the operation, after its token is in the journal.
    ///
    /// A stack to change is named by its id. A new stack that somebody has created under the same name is another
    /// one.
    pub(super) async fn send(self) -> Result<Sent, AwsError> {
        let Self { environment, context, request, before, method, token, keeps, reviewed } = self;
        let sent = async {
            if let Some(before) = before {
                protect::before_update(environment, context, request, before).await?;
            }
            match (method, before) {
                (Method::ChangeSet, _) => {
                    let sets = ChangeSets { environment, context, request, before };
                    ByChangeSet { sets, token, keeps, reviewed }.send().await
                }
                (Method::Direct, None) => create(environment, context, request, token, keeps).await,
                (Method::Direct, Some(before)) => {
                    update(environment, context, request, before, token, keeps).await
                }
            }
        };
        sent.await.or_else(|error| understand(&error, before).ok_or(error))
    }
}

/// Interprets a refusal that shows the state of the stack and is no failure.
fn understand(error: &AwsError, before: Option<&StackView>) -> Option<Sent> {
    if error.says_nothing_to_change() {
        Some(Sent::NoChanges)
    } else if error.is(code::TOKEN_ALREADY_EXISTS) {
        Some(Sent::Known)
    } else if error.says_stack_has_changed(before.map(|view| &view.status)) {
        Some(Sent::OutOfDate(error.to_string()))
    } else {
        None
    }
}

async fn create(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    token: &str,
    keeps: bool,
) -> Result<Sent, AwsError> {
    let (url, body) = split(&request.source);
    context.submitting("create", token).await;
    // After `OnFailure=DO_NOTHING`, CloudFormation refuses to continue a failed creation (code-dot-org#68524).
    let disable_rollback = request.disable_rollback || keeps;
    let send = || {
        let call = environment.client.create_stack().stack_name(&request.name).client_request_token(token);
        call.set_template_url(url.clone())
            .set_template_body(body.clone())
            .set_parameters(Some(request.sdk_parameters(None)))
            .set_tags(Some(request.sdk_tags()))
            .set_capabilities(Some(capabilities()))
            .set_role_arn(request.execution_role_arn.clone())
            .set_notification_arns(request.notification_arns.clone())
            .set_rollback_configuration(request.sdk_rollback_configuration())
            .disable_rollback(disable_rollback)
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
    keeps: bool,
) -> Result<Sent, AwsError> {
    let (url, body) = split(&request.source);
    context.submitting("update", token).await;
    // A stack in a failed state can only be updated without rollback.
    let disable_rollback = request.disable_rollback || keeps || before.status.failed();
    let send = || {
        let call = environment.client.update_stack().stack_name(&before.id).client_request_token(token);
        call.set_template_url(url.clone())
            .set_template_body(body.clone())
            .set_parameters(Some(request.sdk_parameters(Some(before))))
            .set_tags(Some(request.sdk_tags()))
            .set_capabilities(Some(capabilities()))
            .set_role_arn(request.execution_role_arn.clone())
            .set_notification_arns(request.notification_arns.clone())
            .set_rollback_configuration(request.sdk_rollback_configuration())
            .set_disable_rollback(disable_rollback.then_some(true))
            .send()
    };
    let answer = environment.call(Some(context), "UpdateStack", send).await?;
    Ok(Sent::Accepted { id: answer.stack_id().unwrap_or(&before.id).to_owned() })
}

/// Continues the stuck rollback of an update.
pub(super) async fn continue_rollback(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    view: &StackView,
    token: &str,
) -> Result<Sent, AwsError> {
    context.submitting("continue-rollback", token).await;
    let send = || {
        let call = environment.client.continue_update_rollback().stack_name(&view.id);
        call.client_request_token(token).set_role_arn(request.execution_role_arn.clone()).send()
    };
    match environment.call(Some(context), "ContinueUpdateRollback", send).await {
        Ok(_) => Ok(Sent::Accepted { id: view.id.clone() }),
        // The rollback was continued earlier. The stack's events show how that ended.
        Err(error) if error.is(code::TOKEN_ALREADY_EXISTS) => Ok(Sent::Known),
        // Somebody else has continued the rollback.
        Err(error) if error.says_no_rollback_to_continue() || error.says_no_such_stack() => {
            Ok(Sent::OutOfDate(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Rolls back a stack whose operation failed while rollback was disabled, if it is still in that state.
///
/// CloudFormation API Reference, `RollbackStack`: a stack without an earlier stable state is deleted, with all its
/// resources that are not retained. So is it after the rollback that a creation does by itself, except for its name.
pub(super) async fn roll_back(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    view: &StackView,
    token: &str,
) -> Result<Sent, AwsError> {
    context.submitting("rollback", token).await;
    let send = || {
        let call = environment.client.rollback_stack().stack_name(&view.id);
        call.client_request_token(token).set_role_arn(request.execution_role_arn.clone()).send()
    };
    let mut is_sent = false;
    let holds = || still(environment, view);
    let caller = environment.caller(Some(context));
    let answer = caller
        .call_while("RollbackStack", holds, || {
            is_sent = true;
            send()
        })
        .await;
    let out_of_date = |how: &str| Sent::OutOfDate(how.to_owned());
    match answer {
        Ok(Some(_)) => Ok(Sent::Accepted { id: view.id.clone() }),
        // The answer to the first try was lost, or somebody else has done something.
        Ok(None) if is_sent => Ok(Sent::Known),
        Ok(None) => Ok(out_of_date("it is not what it was any more")),
        Err(error) if error.is(code::TOKEN_ALREADY_EXISTS) => Ok(Sent::Known),
        Err(error) if error.says_no_failure_to_roll_back() || error.says_no_such_stack() => {
            Ok(Sent::OutOfDate(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

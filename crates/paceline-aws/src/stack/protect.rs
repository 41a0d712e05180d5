//! Termination protection.
//!
//! Protection is not part of an operation, and it is set when it cannot prevent anything. A new stack is
//! protected when it is complete. If the creation fails, the stack can only be deleted, and a protected stack
//! could never be deployed again. An update turns protection on before it starts, so that it is on for every
//! result, and off when it has ended.
//!
//! A run sets protection after each of its own operations, and after it found nothing to change. So the next
//! run corrects an interrupted one. If somebody turned protection on during the operation, it stays on.

use paceline_engine::StepContext;

use super::remove::still;
use super::request::Request;
use crate::environment::Environment;
use crate::environment::StackView;
use crate::error::AwsError;

/// The detail of a step that changed nothing but protection.
pub(super) const TURNED_ON: &str = "termination protection turned on";
const CALL: &str = "UpdateTerminationProtection";

/// Turns protection on before an update, if the app wants it.
pub(super) async fn before_update(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: &StackView,
) -> Result<(), AwsError> {
    if request.termination_protection == Some(true) && !before.termination_protection {
        set(environment, context, before, true).await?;
    }
    Ok(())
}

/// Sets protection on a complete stack as the app wants it. Returns a text about the change.
pub(super) async fn after(
    environment: &Environment,
    context: &StepContext,
    request: &Request,
    before: Option<&StackView>,
    now: &StackView,
) -> Result<Option<&'static str>, AwsError> {
    let was_on = before.is_some_and(|view| view.termination_protection);
    match request.termination_protection {
        Some(true) if !now.termination_protection => {
            set(environment, context, now, true).await?;
            Ok(Some(TURNED_ON))
        }
        Some(false) if was_on && now.termination_protection => {
            set(environment, context, now, false).await?;
            Ok(Some("termination protection turned off"))
        }
        _ => Ok(None),
    }
}

/// Turns protection off on a stack that is about to be deleted, if the stack is unchanged. Returns whether it
/// was.
pub(super) async fn lift(
    environment: &Environment,
    context: &StepContext,
    view: &StackView,
) -> Result<bool, AwsError> {
    let send = || {
        let call = environment.client.update_termination_protection().stack_name(&view.id);
        call.enable_termination_protection(false).send()
    };
    let holds = || still(environment, view);
    Ok(environment.caller(Some(context)).call_while(CALL, holds, send).await?.is_some())
}

async fn set(
    environment: &Environment,
    context: &StepContext,
    view: &StackView,
    on: bool,
) -> Result<(), AwsError> {
    let send = || {
        let call = environment.client.update_termination_protection().stack_name(&view.id);
        call.enable_termination_protection(on).send()
    };
    environment.call(Some(context), CALL, send).await.map(drop)
}

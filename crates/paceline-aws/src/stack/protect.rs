//! Termination protection.
//!
//! It is no part of an operation, and it is set where it cannot get in the way: on a new stack once it is complete.
//! A stack whose creation fails is good for nothing but being deleted, and one that is protected could never be
//! deployed again. It is turned on before an update, so that it is on whatever becomes of that; and off after one.
//!
//! A run sees to it after each operation of its own, and after finding nothing to change, so that one that was
//! interrupted in between is made good by the next. Protection that somebody turned on during the operation is
//! left alone.

use paceline_engine::StepContext;

use super::remove::still;
use super::request::Request;
use crate::environment::Environment;
use crate::environment::StackView;
use crate::error::AwsError;

/// What is said of a stack on which nothing else had to be changed.
pub(super) const TURNED_ON: &str = "termination protection turned on";
const CALL: &str = "UpdateTerminationProtection";

/// Turns it on before an update, if it is to be on.
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

/// Sets it as it is to be on a stack that is complete. Says what was done.
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

/// Turns it off on a stack that is about to be deleted, as long as that is still what it was; whether it was.
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

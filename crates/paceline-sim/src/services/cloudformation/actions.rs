//! The operations that change stacks.

use std::sync::Arc;
use std::time::Duration;

use paceline_assembly::StackStatus;
use serde_json::{Value, json};

use super::{does_not_exist, key_of, submission};
use crate::stack::{self, Deletion};
use crate::wire::{Fault, Outcome, Request};
use crate::world::{Desired, ExecutionStatus, OnFailure, Stack, World};

fn answer(arn: &str) -> Value {
    json!({"StackId": arn})
}

/// The client token of a request. The error is for a token that is not well-formed.
pub(super) fn token(request: &Request) -> Result<Option<Arc<str>>, Fault> {
    let Some(token) = request.form.text("ClientRequestToken") else { return Ok(None) };
    let fits = token.len() <= 128 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits && !token.starts_with('-') {
        return Ok(Some(token.into()));
    }
    Err(Fault::validation(format!(
        "1 validation error detected: Value '{token}' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*"
    )))
}

/// Whether a request repeats one that is in progress. The token of an operation that has ended cannot be used
/// again.
pub(super) fn repeats(stack: &Stack, action: &str, token: Option<&Arc<str>>) -> Result<bool, Fault> {
    let Some(token) = token else { return Ok(false) };
    let Some(known) = stack.tokens.iter().rev().find(|known| known.text == *token) else { return Ok(false) };
    let current = stack.operation.as_ref().and_then(|operation| operation.token.as_ref());
    if known.action == action && (current == Some(token) || action == "CreateStack") {
        return Ok(true);
    }
    Err(Fault::bad("TokenAlreadyExistsException", format!("A client request token {token} already exists")))
}

pub(super) fn valid_name(name: &str) -> Result<(), Fault> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if starts && name.len() <= 128 && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(());
    }
    Err(Fault::validation(format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}

pub(super) fn create_stack(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("StackName")?;
    valid_name(name)?;
    let token = token(request)?;
    let place = &request.place;
    if let Some(key) = key_of(world, place, name) {
        let existing = world.region(place).and_then(|region| region.stacks.get(&key.arn));
        if existing.map(|stack| repeats(stack, "CreateStack", token.as_ref())).transpose()? == Some(true) {
            return Ok(answer(&key.arn));
        }
        return Err(Fault::bad("AlreadyExistsException", format!("Stack [{name}] already exists")));
    }
    let on_failure = submission::on_failure(&request.form)?;
    let limit = timeout(request)?;
    let wanted = submission::read(world, request, None)?;
    let key = stack::new_key(world, place, name);
    let desired = stack::desired(world, &key, name, wanted)?;
    let mut stack = Stack::new(key.clone(), name, Arc::new(desired), world.now);
    stack.protected = request.form.flag("EnableTerminationProtection");
    stack.disable_rollback = on_failure == OnFailure::Nothing;
    stack.keeps_failed_creation = request.form.text("OnFailure") == Some("DO_NOTHING");
    stack::create(world, stack, on_failure, token, Some("CreateStack"));
    if let Some(limit) = limit {
        stack::limit_creation(world, &key, limit);
    }
    Ok(answer(&key.arn))
}

/// The `TimeoutInMinutes` of a creation, which is at least one minute (CloudFormation API Reference,
/// `CreateStack`).
fn timeout(request: &Request) -> Result<Option<Duration>, Fault> {
    let Some(text) = request.form.text("TimeoutInMinutes") else { return Ok(None) };
    match text.parse::<u32>() {
        Ok(minutes @ 1..) => Ok(Some(Duration::from_secs(u64::from(minutes) * 60))),
        _ => Err(Fault::validation(format!(
            "1 validation error detected: Value '{text}' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 1"
        ))),
    }
}

/// Takes the stack that a request names out of the world, and hands it to `act`. If `act` refuses, the stack
/// goes back.
fn with_stack(
    world: &mut World,
    request: &Request,
    missing: impl Fn(&str) -> String,
    act: impl FnOnce(&mut World, Box<Stack>) -> Result<(), (Box<Stack>, Result<(), Fault>)>,
) -> Outcome {
    let name = request.form.required("StackName")?;
    let key = key_of(world, &request.place, name).ok_or_else(|| Fault::validation(missing(name)))?;
    let stack = world.take_stack(&key).ok_or_else(|| Fault::validation(missing(name)))?;
    if let Err((stack, verdict)) = act(world, stack) {
        world.put_stack(stack);
        verdict?;
    }
    Ok(answer(&key.arn))
}

/// The error for an update with rollback of a stack in a failed state, in the wording that
/// guidance-for-clickstream-analytics-on-aws#49 and aws-cdk#30546 quote.
pub(super) fn needs_disabled_rollback(stack: &Stack) -> Fault {
    Fault::validation(format!(
        "This stack is currently in a non-terminal [{}] state. To update the stack from this state, please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, use the rollback-stack API",
        stack.status
    ))
}

/// The error for a stack whose status allows no update. `None` if the status allows one.
pub(super) fn cannot_be_updated(stack: &Stack) -> Option<Fault> {
    let updatable = [
        StackStatus::CreateComplete,
        StackStatus::UpdateComplete,
        StackStatus::UpdateRollbackComplete,
        StackStatus::ImportComplete,
        StackStatus::ImportRollbackComplete,
        StackStatus::CreateFailed,
        StackStatus::UpdateFailed,
    ];
    // The wording is quoted in code-dot-org#68524.
    if stack.status == StackStatus::CreateFailed && stack.keeps_failed_creation {
        return Some(Fault::validation(format!(
            "This stack cannot be updated from [{}] state because it contains [on-failure: DO_NOTHING]. Please use disable-rollback option instead during stack creation.",
            stack.status
        )));
    }
    (!updatable.contains(&stack.status)).then(|| {
        Fault::validation(format!(
            "Stack:{} is in {} state and can not be updated.",
            stack.key.arn, stack.status
        ))
    })
}

pub(super) fn update_stack(world: &mut World, request: &Request) -> Outcome {
    let token = token(request)?;
    let missing = |name: &str| format!("Stack [{name}] does not exist");
    with_stack(world, request, missing, |world, mut stack| {
        match repeats(&stack, "UpdateStack", token.as_ref()) {
            Ok(false) => {}
            Ok(true) => return Err((stack, Ok(()))),
            Err(fault) => return Err((stack, Err(fault))),
        }
        match prepare_update(world, request, &stack) {
            Ok((desired, on_failure)) => {
                // CloudFormation API Reference, `DescribeChangeSet`: they were created for an earlier state
                // of the stack.
                stack.change_sets.iter_mut().for_each(|set| set.execution = ExecutionStatus::Obsolete);
                stack::update(world, stack, Arc::new(desired), on_failure, token, Some("UpdateStack"));
                Ok(())
            }
            Err(fault) => Err((stack, Err(fault))),
        }
    })
}

fn prepare_update(
    world: &mut World,
    request: &Request,
    stack: &Stack,
) -> Result<(Desired, OnFailure), Fault> {
    if let Some(fault) = cannot_be_updated(stack) {
        return Err(fault);
    }
    let on_failure = submission::on_failure(&request.form)?;
    if stack.status.failed() && on_failure != OnFailure::Nothing {
        return Err(needs_disabled_rollback(stack));
    }
    let wanted = submission::read(world, request, Some(stack))?;
    let desired = stack::desired(world, &stack.key, &stack.name, wanted)?;
    same_types(stack, &desired)?;
    if stack.desired.is_same(&desired) && !stack.status.failed() && !stack::has_changed(world, stack) {
        return Err(Fault::validation("No updates are to be performed."));
    }
    Ok((desired, on_failure))
}

/// Refuses a template that changes the type of a logical id.
pub(super) fn same_types(stack: &Stack, desired: &Desired) -> Result<(), Fault> {
    let changed: Vec<&str> = desired
        .template
        .resources()
        .filter(|(id, resource)| {
            stack
                .resources
                .get(*id)
                .is_some_and(|old| !old.is_gone() && old.applied && old.kind != resource.resource_type)
        })
        .map(|(id, _)| id)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(Fault::validation(format!(
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{}]",
        changed.join(", ")
    )))
}

pub(super) fn delete_stack(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("StackName")?;
    let token = token(request)?;
    // Deleting a stack that does not exist succeeds.
    let Some(key) = key_of(world, &request.place, name) else { return Ok(json!({})) };
    let Some(stack) = world.take_stack(&key) else { return Ok(json!({})) };
    let refusal = match repeats(&stack, "DeleteStack", token.as_ref()) {
        Err(fault) => Some(fault),
        _ if stack.is_deleted() || stack.status == StackStatus::DeleteInProgress => None,
        _ => deletion_refused(&stack, request),
    };
    let busy = stack.is_deleted() || stack.status == StackStatus::DeleteInProgress;
    if refusal.is_some() || busy {
        world.put_stack(stack);
        return refusal.map_or(Ok(json!({})), Err);
    }
    let retain = request.form.list("RetainResources").unwrap_or_default();
    let forced = request.form.text("DeletionMode") == Some("FORCE_DELETE_STACK");
    let how = Deletion { token, action: Some("DeleteStack"), retain: retain.into_iter().collect(), forced };
    stack::delete(world, stack, how);
    Ok(json!({}))
}

fn deletion_refused(stack: &Stack, request: &Request) -> Option<Fault> {
    if stack.protected {
        return Some(Fault::validation(format!(
            "Stack [{}] cannot be deleted while TerminationProtection is enabled",
            stack.name
        )));
    }
    if request.form.list("RetainResources").is_some_and(|list| !list.is_empty())
        && stack.status != StackStatus::DeleteFailed
    {
        return Some(Fault::validation(format!(
            "Invalid operation on stack [{}]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.",
            stack.key.arn
        )));
    }
    let busy = stack.is_in_progress() && stack.status != StackStatus::CreateInProgress;
    busy.then(|| {
        Fault::validation(format!(
            "Stack [{}] cannot be deleted while in status {}",
            stack.key.arn, stack.status
        ))
    })
}

pub(super) fn rollback_stack(world: &mut World, request: &Request) -> Outcome {
    let token = token(request)?;
    with_stack(world, request, does_not_exist, |world, stack| {
        match repeats(&stack, "RollbackStack", token.as_ref()) {
            Ok(false) => {}
            Ok(true) => return Err((stack, Ok(()))),
            Err(fault) => return Err((stack, Err(fault))),
        }
        if !matches!(stack.status, StackStatus::CreateFailed | StackStatus::UpdateFailed) {
            let message =
                format!("Stack:{} is in {} state and can not be rolled back.", stack.key.arn, stack.status);
            return Err((stack, Err(Fault::validation(message))));
        }
        stack::roll_back(world, stack, token);
        Ok(())
    })
}

pub(super) fn continue_update_rollback(world: &mut World, request: &Request) -> Outcome {
    let token = token(request)?;
    let skip = request.form.list("ResourcesToSkip").unwrap_or_default();
    with_stack(world, request, does_not_exist, |world, stack| {
        match repeats(&stack, "ContinueUpdateRollback", token.as_ref()) {
            Ok(false) => {}
            Ok(true) => return Err((stack, Ok(()))),
            Err(fault) => return Err((stack, Err(fault))),
        }
        if stack.status != StackStatus::UpdateRollbackFailed {
            let message = format!(
                "Stack:{} is in {} state and can not continue rolling back.",
                stack.key.arn, stack.status
            );
            return Err((stack, Err(Fault::validation(message))));
        }
        stack::continue_rollback(world, stack, skip.into_iter().collect(), token);
        Ok(())
    })
    .map(|_| json!({}))
}

pub(super) fn cancel_update_stack(world: &mut World, request: &Request) -> Outcome {
    let token = token(request)?;
    with_stack(world, request, does_not_exist, |world, stack| {
        if stack.status != StackStatus::UpdateInProgress {
            let message =
                format!("CancelUpdateStack cannot be called from current stack status {}", stack.status);
            return Err((stack, Err(Fault::validation(message))));
        }
        stack::cancel_update(world, stack, token);
        Ok(())
    })
    .map(|_| json!({}))
}

pub(super) fn update_termination_protection(world: &mut World, request: &Request) -> Outcome {
    let protected = request.form.flag("EnableTerminationProtection");
    with_stack(world, request, does_not_exist, |_, mut stack| {
        if stack.is_deleted() {
            let refusal = Fault::validation(does_not_exist(&stack.key.arn));
            return Err((stack, Err(refusal)));
        }
        stack.protected = protected;
        Err((stack, Ok(())))
    })
}

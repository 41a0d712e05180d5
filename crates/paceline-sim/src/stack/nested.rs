//! Nested stacks: resources whose work is the operation of another stack.

use std::collections::BTreeMap;
use std::sync::Arc;

use paceline_assembly::{ResourceStatus, RollbackTriggers, StackStatus};
use paceline_plan::stack_time::NESTED_NOTICE as NOTICE;
use serde_json::Value;

use super::elsewhere::has_changed;
use super::run::Run;
use super::{begin, resource, wanted};
use crate::resources::outputs_as_attributes;
use crate::template::Given;
use crate::world::{
    ANY_OPERATION, AccountRegion, Desired, Known, OnFailure, OperationKind, Resource, Stack, StackKey, Step,
    Work, World, text_of,
};

pub(super) const KIND: &str = "AWS::CloudFormation::Stack";

fn key_of(place: &AccountRegion, arn: &str) -> StackKey {
    StackKey { place: place.clone(), arn: arn.into() }
}

/// Creates or updates the nested stack of a resource.
pub(super) fn start(run: &mut Run<'_>, id: &str, resource: &Resource) {
    let place = run.stack.key.place.clone();
    let exists = resource.applied;
    let key = if exists {
        key_of(&place, &resource.physical)
    } else {
        let suffix =
            run.draws(&["nested", &run.stack.key.arn, id, &run.stack.events.len().to_string()]).upper(12);
        let name = format!("{}-{id}-{suffix}", run.stack.name);
        wanted::new_key(run.world, &place, &name)
    };
    let existing = if exists { run.world.take_stack(&key) } else { None };
    let existing = match existing {
        // The rollback found the nested stack still rolling back. When that ends, this resource is done too.
        Some(stack) if stack.is_in_progress() => return run.world.put_stack(stack),
        other => other,
    };
    let desired = match desired(run, &key, resource, existing.as_deref()) {
        Ok(desired) => Arc::new(desired),
        Err(reason) => {
            if let Some(stack) = existing {
                run.world.put_stack(stack);
            }
            return run.fail(
                id,
                if exists { ResourceStatus::UpdateFailed } else { ResourceStatus::CreateFailed },
                reason,
            );
        }
    };
    let operation = run.operation();
    let token = operation.and_then(|operation| operation.token.clone());
    let on_failure = operation.map_or(OnFailure::RollBack, |operation| operation.on_failure);
    if let Some(stack) = existing {
        if stack.desired.is_same(&desired) && !has_changed(run.world, &stack) {
            run.world.put_stack(stack);
            run.world.schedule(
                NOTICE,
                run.stack.key.clone(),
                ANY_OPERATION,
                Step::Child(id.to_owned(), Ok(BTreeMap::new())),
            );
            return;
        }
        begin::update(run.world, stack, desired, on_failure, token, None);
        return;
    }
    let name = key.arn.split('/').nth(1).unwrap_or_default().to_owned();
    let mut child = Stack::new(key.clone(), &name, Arc::clone(&desired), run.world.now);
    child.parent = Some((run.stack.key.clone(), id.to_owned()));
    child.root = Some(run.stack.root.clone().unwrap_or_else(|| run.stack.key.arn.clone()));
    child.disable_rollback = on_failure == OnFailure::Nothing;
    if let Some(resource) = run.stack.resources.get_mut(id) {
        resource.physical = key.arn.to_string();
    }
    let status = resource.status.clone();
    run.stack.mark(run.world.now, id, status, Some("Resource creation Initiated".to_owned()));
    begin::create(run.world, child, on_failure, token, None);
}

/// The wanted state of the nested stack.
fn desired(
    run: &mut Run<'_>,
    key: &StackKey,
    resource: &Resource,
    existing: Option<&Stack>,
) -> Result<Desired, String> {
    let url = resource.property("TemplateURL").ok_or("Property TemplateURL cannot be empty.")?;
    let parameters = resource.properties.get("Parameters").and_then(Value::as_object);
    let made_up = resource.made_up.contains("Parameters");
    let given = parameters
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            (name.clone(), if made_up { Given::MadeUp } else { Given::Value }(text_of(value)))
        })
        .collect();
    let parent = Arc::clone(&run.stack.desired);
    let name = key.arn.split('/').nth(1).unwrap_or_default();
    let request = wanted::Wanted {
        body: wanted::fetch(run.world, &key.place, url).map_err(|fault| fault.message)?,
        given,
        previous: existing.map(|stack| stack.desired.parameters.clone()).unwrap_or_default(),
        tags: parent.tags.clone(),
        notification_arns: parent.notification_arns.clone(),
        role_arn: parent.role_arn.clone(),
        triggers: RollbackTriggers::default(),
        capabilities: parent.capabilities.clone(),
    };
    wanted::desired(run.world, key, name, request).map_err(|fault| fault.message)
}

/// Cancels the operation of a nested stack whose resource was cancelled.
pub(super) fn cancel(world: &mut World, place: &AccountRegion, arn: &str) {
    let key = key_of(place, arn);
    let Some(mut stack) = world.take_stack(&key) else { return };
    let mut run = Run { world, stack: &mut stack };
    if matches!(run.kind(), Some(OperationKind::Create | OperationKind::Update)) {
        run.cancel_running();
        run.give_up("Resource creation cancelled.");
    }
    world.put_stack(stack);
}

/// Deletes the nested stack of a resource. Returns false if there is none.
pub(super) fn delete(run: &mut Run<'_>, arn: &str) -> bool {
    let key = key_of(&run.stack.key.place, arn);
    let Some(stack) = run.world.take_stack(&key) else { return false };
    if stack.is_deleted() {
        run.world.put_stack(stack);
        return false;
    }
    let token = run.operation().and_then(|operation| operation.token.clone());
    begin::delete(run.world, stack, begin::Deletion { token, ..begin::Deletion::default() });
    true
}

/// Tells the parent stack that a nested stack's operation ended.
pub(super) fn notify(world: &mut World, stack: &Stack) {
    let Some((parent, id)) = &stack.parent else { return };
    let outcome = match stack.status {
        StackStatus::CreateComplete
        | StackStatus::UpdateComplete
        | StackStatus::DeleteComplete
        | StackStatus::UpdateRollbackComplete => Ok(outputs_as_attributes(&stack.outputs)),
        _ => {
            let why = stack.events.iter().rev().filter(|event| event.logical == stack.name);
            let why =
                why.filter_map(|event| event.reason.as_deref()).find(|reason| reason.contains("failed to"));
            let why = why.or(stack.reason.as_deref()).unwrap_or_default();
            let why = why.trim_end_matches(" Rollback requested by user.");
            Err(format!("Embedded stack {} was not successfully completed: {why}", stack.key.arn))
        }
    };
    let step = Step::Child(id.clone(), outcome);
    world.schedule(NOTICE, parent.clone(), ANY_OPERATION, step);
}

/// Handles the end of a nested stack's operation for which its resource was waiting.
pub(super) fn ended(run: &mut Run<'_>, key: &str, outcome: Result<BTreeMap<String, Known>, String>) {
    let work = run.operation().and_then(|operation| operation.tasks.get(key)).map(|task| match &task.work {
        Work::Delete(resource) => Some(resource.clone()),
        _ => None,
    });
    match (work, outcome) {
        (None, _) => {}
        (Some(Some(doomed)), Ok(_)) => resource::deleted(run, key, &doomed),
        (Some(Some(_)), Err(reason)) => run.fail(key, ResourceStatus::DeleteFailed, reason),
        (Some(None), outcome) => settled(run, key, outcome),
    }
}

fn settled(run: &mut Run<'_>, id: &str, outcome: Result<BTreeMap<String, Known>, String>) {
    let reverts = run.kind() == Some(OperationKind::RollBackUpdate);
    let child = run.stack.resources.get(id).map(|resource| resource.physical.clone()).unwrap_or_default();
    let child = run.world.region(&run.stack.key.place).and_then(|region| region.stacks.get(&*child));
    let outputs = child.map(|child| outputs_as_attributes(&child.outputs)).unwrap_or_default();
    // If the child's update was rolled back, a rollback of the parent succeeds and an update of the parent
    // fails.
    let rolled_back = child.is_some_and(|child| child.status == StackStatus::UpdateRollbackComplete);
    let Some(resource) = run.stack.resources.get_mut(id) else { return };
    let asked = resource::asked_for(&resource.status);
    match outcome {
        Err(reason) if !reverts => return run.fail(id, asked.failed(), reason),
        Ok(_) if rolled_back && !reverts => {
            let reason = format!("Embedded stack {} was not successfully updated.", resource.physical);
            return run.fail(id, asked.failed(), reason);
        }
        _ => {}
    }
    resource.applied = true;
    resource.attributes = outputs;
    if reverts {
        resource.previous = None;
    }
    run.stack.mark(run.world.now, id, asked.complete(), None);
    run.ended(id);
}

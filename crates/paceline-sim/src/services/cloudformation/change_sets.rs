//! Change sets.

use std::sync::Arc;
use std::time::Duration;

use paceline_assembly::StackStatus;
use serde_json::{Value, json};

use super::actions::{cannot_be_updated, needs_disabled_rollback, repeats, same_types, token, valid_name};
use super::{key_of, page, submission};
use crate::stack;
use crate::wire::{Fault, Outcome, Request};
use crate::world::{
    ChangeSet, ChangeSetStatus, ExecutionStatus, OnFailure, Stack, StackKey, Step, World, written,
};

pub(super) fn create(world: &mut World, request: &Request) -> Outcome {
    let form = &request.form;
    let (name, change_set) = (form.required("StackName")?, form.required("ChangeSetName")?);
    valid_name(change_set)?;
    let existing = key_of(world, &request.place, name);
    let is_there = existing.as_ref().and_then(|key| world.region(&key.place)?.stacks.get(&key.arn));
    let creates = match form.text("ChangeSetType").unwrap_or("UPDATE") {
        "CREATE" => true,
        "UPDATE" => false,
        // CloudFormation User Guide, "Import existing resources": an import extends an existing stack, or
        // creates one.
        "IMPORT" => is_there.is_none_or(|stack| stack.status == StackStatus::ReviewInProgress),
        other => {
            return Err(Fault::validation(format!("ChangeSetType {other} is not simulated")));
        }
    };
    let key = match existing.clone() {
        Some(key) => key,
        None if creates => {
            valid_name(name)?;
            stack::new_key(world, &request.place, name)
        }
        None => return Err(Fault::validation(format!("Stack [{name}] does not exist"))),
    };
    let old = existing.and_then(|key| world.take_stack(&key));
    let prepared = prepare(world, request, &key, old.as_deref(), change_set, creates);
    let new = match prepared {
        Ok(Prepared::New(new)) => new,
        other => {
            if let Some(old) = old {
                world.put_stack(old);
            }
            return other.map(|known| json!({"Id": known.arn(), "StackId": &*key.arn}));
        }
    };
    let mut stack = old.unwrap_or_else(|| {
        let mut stack = Stack::new(key.clone(), name, Arc::clone(&new.desired), world.now);
        stack.enter(world, StackStatus::ReviewInProgress, Some("User Initiated".to_owned()));
        world.region_mut(&key.place).names.insert(name.to_owned(), key.arn.clone());
        stack
    });
    // Large templates take longer to compare.
    let resources = u32::try_from(new.desired.template.resource_count()).unwrap_or(u32::MAX);
    let duration = world.options.change_set + Duration::from_millis(10) * resources;
    let arn = new.arn.clone();
    stack.change_sets.retain(|set| set.execution != ExecutionStatus::Complete);
    stack.change_sets.push(*new);
    world.put_stack(stack);
    world.schedule(duration, key.clone(), 0, Step::ChangeSet(arn.clone()));
    Ok(json!({"Id": arn, "StackId": &*key.arn}))
}

enum Prepared {
    New(Box<ChangeSet>),
    /// The request repeats an earlier one.
    Known(String),
}

impl Prepared {
    fn arn(&self) -> &str {
        match self {
            Self::New(set) => &set.arn,
            Self::Known(arn) => arn,
        }
    }
}

fn prepare(
    world: &mut World,
    request: &Request,
    key: &StackKey,
    old: Option<&Stack>,
    name: &str,
    creates: bool,
) -> Result<Prepared, Fault> {
    let form = &request.form;
    let token = form.text("ClientToken");
    if let Some(old) = old {
        let mut known = old.change_sets.iter();
        if let Some(known) =
            known.find(|known| known.name == name && known.execution != ExecutionStatus::Complete)
        {
            if token.is_some() && known.token.as_deref() == token {
                return Ok(Prepared::Known(known.arn.clone()));
            }
            return Err(Fault::bad("AlreadyExistsException", format!("ChangeSet {name} already exists")));
        }
        let review = old.status == StackStatus::ReviewInProgress;
        if creates && !review {
            return Err(Fault::validation(format!(
                "Stack [{}] already exists and cannot be created again with the changeSet [{name}].",
                old.name
            )));
        }
        if !creates && review {
            return Err(Fault::validation(format!(
                "Stack:{} is in REVIEW_IN_PROGRESS state and can not be updated.",
                old.key.arn
            )));
        }
        if let Some(fault) = cannot_be_updated(old).filter(|_| !review) {
            return Err(fault);
        }
    }
    let existing = old.filter(|old| old.status != StackStatus::ReviewInProgress);
    let wanted = submission::read(world, request, existing)?;
    let stack_name = old.map_or_else(|| form.text("StackName").unwrap_or_default(), |old| &old.name);
    let desired = stack::desired(world, key, stack_name, wanted)?;
    if let Some(existing) = existing {
        same_types(existing, &desired)?;
    }
    let count = old.map_or(0, |old| old.events.len() + old.change_sets.len());
    let id = world.draws(&["change set", &key.arn, name, &count.to_string(), &written(world.now)]).uuid();
    Ok(Prepared::New(Box::new(ChangeSet {
        arn: key.place.arn("cloudformation", &format!("changeSet/{name}/{id}")),
        name: name.to_owned(),
        description: form.text("Description").map(str::to_owned),
        created: world.now,
        status: ChangeSetStatus::InProgress,
        reason: None,
        execution: ExecutionStatus::Unavailable,
        creates,
        imports: form.text("ChangeSetType") == Some("IMPORT"),
        token: token.map(str::to_owned),
        on_failure: form.has("OnStackFailure").then(|| submission::on_failure(form)).transpose()?,
        nested: form.flag("IncludeNestedStacks"),
        options: json!({
            "ImportExistingResources": form.flag("ImportExistingResources"),
            "DeploymentMode": form.text("DeploymentMode"),
        }),
        desired: Arc::new(desired),
        changes: Vec::new(),
    })))
}

/// The stack and the change set that a request names.
pub(super) fn find<'a>(
    world: &'a World,
    request: &Request,
    name: &str,
) -> Result<(&'a Stack, &'a ChangeSet), Fault> {
    let absent = || Fault::new(404, "ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"));
    let by_arn = name.starts_with("arn:");
    let region = world.region(&request.place);
    let stack = if by_arn {
        let mut stacks = region.into_iter().flat_map(|region| region.stacks.values());
        stacks.find(|stack| stack.change_sets.iter().any(|set| set.arn == name)).ok_or_else(absent)?
    } else {
        let stack = request.form.text("StackName").ok_or_else(|| {
            Fault::validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
        })?;
        key_of(world, &request.place, stack)
            .and_then(|key| region?.stacks.get(&key.arn))
            .ok_or_else(|| Fault::validation(format!("Stack [{stack}] does not exist")))?
    };
    let set = stack.change_sets.iter().find(|set| set.arn == name || set.name == name).ok_or_else(absent)?;
    Ok((stack, set))
}

pub(super) fn describe(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("ChangeSetName")?;
    let size = world.options.page_size;
    let (stack, set) = find(world, request, name)?;
    let (changes, next) = page(set.changes.clone(), request.form.text("NextToken"), size)?;
    let desired = &set.desired;
    let mut shown = json!({
        "ChangeSetName": set.name,
        "ChangeSetId": set.arn,
        "StackId": &*stack.key.arn,
        "StackName": stack.name,
        "Description": set.description,
        "Parameters": desired.parameters.iter().map(super::describe::parameter).collect::<Vec<_>>(),
        "CreationTime": written(set.created),
        "ExecutionStatus": set.execution.as_str(),
        "Status": set.status.as_str(),
        "StatusReason": set.reason,
        "NotificationARNs": desired.notification_arns,
        "Capabilities": desired.capabilities,
        "Tags": super::describe::tags(&desired.tags),
        "Changes": changes,
        "NextToken": next,
        "IncludeNestedStacks": set.nested,
        "RollbackConfiguration": super::describe::rollback_configuration(desired),
    });
    if let (Value::Object(shown), Value::Object(options)) = (&mut shown, set.options.clone()) {
        shown.extend(options);
    }
    Ok(shown)
}

pub(super) fn list(world: &mut World, request: &Request) -> Outcome {
    let stack = super::named(world, request, |name| format!("Stack [{name}] does not exist"))?;
    let sets: Vec<Value> = stack
        .change_sets
        .iter()
        .map(|set| {
            json!({
                "ChangeSetName": set.name, "ChangeSetId": set.arn, "StackId": &*stack.key.arn,
                "StackName": stack.name, "Status": set.status.as_str(), "StatusReason": set.reason,
                "ExecutionStatus": set.execution.as_str(), "CreationTime": written(set.created),
                "Description": set.description, "IncludeNestedStacks": set.nested,
            })
        })
        .collect();
    let (sets, next) = page(sets, request.form.text("NextToken"), world.options.page_size)?;
    Ok(json!({"Summaries": sets, "NextToken": next}))
}

pub(super) fn delete(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("ChangeSetName")?;
    let (key, arn) = match find(world, request, name) {
        Ok((stack, set)) => (stack.key.clone(), set.arn.clone()),
        // Deleting a change set that does not exist succeeds.
        Err(fault) if fault.code == "ChangeSetNotFound" => return Ok(json!({})),
        Err(fault) => return Err(fault),
    };
    if let Some(stack) = world.region_mut(&key.place).stacks.get_mut(&key.arn) {
        stack.change_sets.retain(|set| set.arn != arn);
    }
    Ok(json!({}))
}

pub(super) fn execute(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("ChangeSetName")?;
    let token = token(request)?;
    let (stack, set) = find(world, request, name)?;
    if repeats(stack, "ExecuteChangeSet", token.as_ref())? {
        return Ok(json!({}));
    }
    if set.execution != ExecutionStatus::Available {
        return Err(Fault::bad(
            "InvalidChangeSetStatus",
            // The wording is quoted in aws/amazon-chime-sdk-js#1089.
            format!(
                "ChangeSet [{}] cannot be executed in its current execution status of [{}]",
                set.arn,
                set.execution.as_str()
            ),
        ));
    }
    if let Some(fault) = cannot_be_updated(stack).filter(|_| !set.creates) {
        return Err(fault);
    }
    let requested = submission::on_failure(&request.form)?;
    let on_failure = match set.on_failure {
        Some(on_failure) => on_failure,
        None => requested,
    };
    if !set.creates && stack.status.failed() && on_failure != OnFailure::Nothing {
        return Err(needs_disabled_rollback(stack));
    }
    let (key, set) = (stack.key.clone(), set.clone());
    let Some(mut stack) = world.take_stack(&key) else {
        return Err(Fault::validation(format!("Stack [{name}] does not exist")));
    };
    stack.disable_rollback = on_failure == OnFailure::Nothing;
    // Executing a change set deletes all other change sets of the stack.
    stack.change_sets.retain(|other| other.arn == set.arn);
    for set in &mut stack.change_sets {
        set.execution = ExecutionStatus::Complete;
        set.changes.clear();
    }
    if set.imports {
        stack::import(world, stack, set.desired, token, Some("ExecuteChangeSet"));
    } else if set.creates {
        stack.desired = set.desired;
        stack::create(world, stack, on_failure, token, Some("ExecuteChangeSet"));
    } else {
        stack::update(world, stack, set.desired, on_failure, token, Some("ExecuteChangeSet"));
    }
    Ok(json!({}))
}

//! Reads of one stack, or of all stacks.

use std::sync::Arc;

use jiff::Timestamp;
use paceline_assembly::{RollbackTriggers, StackStatus};
use serde_json::{Value, json};

use super::{does_not_exist, key_of, named, page};
use crate::services::service::{denied, is_denied};
use crate::wire::{Fault, Outcome, Request};
use crate::world::{AccountRegion, BoundParameter, Desired, Event, Resource, Stack, World, add, written};

/// The name of the stack that `cdk bootstrap` creates.
const TOOLKIT: &str = "CDKToolkit";

/// Replaces values that must not be shown.
const HIDDEN: &str = "****";

pub(super) fn stacks(world: &mut World, request: &Request) -> Outcome {
    let at = reading_time(world);
    // CloudFormation API Reference, `DescribeStacks`: without a name, the call needs the permission to list
    // stacks.
    if request.form.text("StackName").is_none() && is_denied(world, "cloudformation", "ListStacks") {
        return Err(denied(request));
    }
    let region = world.region(&request.place);
    let size = world.options.page_size;
    if let Some(name) = request.form.text("StackName") {
        let key = key_of(world, &request.place, name);
        if key.is_none() && name == TOOLKIT && world.is_bootstrapped(&request.place) {
            return Ok(json!({"Stacks": [toolkit(&request.place)]}));
        }
        let stack = key.and_then(|key| region?.stacks.get(&key.arn));
        let shown = stack.and_then(|stack| described(stack, at));
        return match shown {
            Some(shown) => Ok(json!({"Stacks": [shown]})),
            None => Err(Fault::validation(does_not_exist(name))),
        };
    }
    let live: Vec<&Stack> = region
        .into_iter()
        .flat_map(|region| region.stacks.values())
        .map(|stack| &**stack)
        .filter(|stack| !stack.is_deleted())
        .collect();
    let (live, next) = page(live, request.form.text("NextToken"), size)?;
    let shown: Vec<Value> = live.into_iter().filter_map(|stack| described(stack, at)).collect();
    Ok(listed("Stacks", shown, next))
}

/// The stack that `cdk bootstrap` creates, with only the fields that clients read. It appears in no list,
/// because nobody deploys it here.
fn toolkit(place: &AccountRegion) -> Value {
    let bucket = format!("cdk-hnb659fds-assets-{}-{}", place.account, place.region);
    let domain = format!("{bucket}.s3.{}.{}", place.region, place.url_suffix());
    let output = |key: &str, value: String| json!({"OutputKey": key, "OutputValue": value});
    json!({
        "StackId": place.arn("cloudformation", &format!("stack/{TOOLKIT}/00000000-0000-4000-a000-000000000000")),
        "StackName": TOOLKIT,
        "CreationTime": written(Timestamp::UNIX_EPOCH),
        "StackStatus": StackStatus::CreateComplete,
        "Outputs": [output("BucketName", bucket), output("BucketDomainName", domain)],
    })
}

/// One page of a list. It is built by hand, because `json!` copies its parts, and these are the largest
/// answers.
fn listed(name: &str, items: Vec<Value>, next: Value) -> Value {
    Value::Object(
        [(name.to_owned(), Value::Array(items)), ("NextToken".to_owned(), next)].into_iter().collect(),
    )
}

/// The moment that a read of stacks describes: now or, with stale reads, a while ago.
fn reading_time(world: &mut World) -> Timestamp {
    let Some(stale) = world.options.faults.stale_reads else { return world.now };
    if !world.random.chance(stale.probability) {
        return world.now;
    }
    let age = stale.up_to.mul_f64(world.random.unit());
    let back = world.now.duration_since(add(world.now, age));
    world.now.saturating_add(back).unwrap_or(world.now)
}

/// A stack as it was at a time. `None` if it did not exist yet.
fn described(stack: &Stack, at: Timestamp) -> Option<Value> {
    // Events that are about the stack itself record its earlier statuses.
    let own = stack.events.iter().rev().filter(|event| event.logical == stack.name);
    let current = own.clone().find(|event| event.at <= at);
    let (status, reason) = match current {
        Some(event) => (event.status.as_str(), event.reason.as_deref()),
        None if stack.created <= at => (stack.status.as_str(), stack.reason.as_deref()),
        None => return None,
    };
    let mut updates = [stack.updated, stack.updated_before].into_iter().flatten();
    let updated = updates.find(|updated| *updated <= at);
    let shows_outputs = stack.outputs_since.is_some_and(|since| since <= at);
    let desired = &stack.desired;
    let outputs: Vec<Value> = stack
        .outputs
        .iter()
        .filter(|_| shows_outputs)
        .map(|output| {
            json!({
                "OutputKey": output.key, "OutputValue": output.value,
                "Description": output.description, "ExportName": output.export,
            })
        })
        .collect();
    let mut shown = json!({
        "StackId": &*stack.key.arn,
        "StackName": stack.name,
        "AliasName": stack.alias,
        "Description": desired.template.value().get("Description").and_then(Value::as_str),
        "CreationTime": written(stack.created),
        "LastUpdatedTime": updated.map(written),
        "DeletionTime": stack.deleted.filter(|deleted| *deleted <= at).map(written),
        "StackStatus": status,
        "StackStatusReason": reason,
        "DisableRollback": stack.disable_rollback,
        "EnableTerminationProtection": stack.protected,
        "RoleARN": desired.role_arn,
        "ParentId": stack.parent.as_ref().map(|(parent, _)| &*parent.arn),
        "RootId": stack.root.as_deref(),
        "Capabilities": desired.capabilities,
        "NotificationARNs": desired.notification_arns,
        "RollbackConfiguration": rollback_configuration(desired),
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    });
    shown["Parameters"] = Value::Array(desired.parameters.iter().map(parameter).collect());
    shown["Tags"] = Value::Array(tags(&desired.tags));
    shown["Outputs"] = Value::Array(outputs);
    Some(shown)
}

pub(super) fn rollback_configuration(desired: &Desired) -> Value {
    let RollbackTriggers { alarms, minutes } = &desired.triggers;
    let trigger = |arn: &String| json!({"Arn": arn, "Type": "AWS::CloudWatch::Alarm"});
    json!({
        "RollbackTriggers": alarms.iter().flatten().map(trigger).collect::<Vec<_>>(),
        "MonitoringTimeInMinutes": minutes,
    })
}

pub(super) fn parameter(parameter: &BoundParameter) -> Value {
    let shown = |text: &str| if parameter.no_echo { HIDDEN.to_owned() } else { text.to_owned() };
    json!({
        "ParameterKey": parameter.key,
        "ParameterValue": shown(&parameter.value),
        "ResolvedValue": parameter.resolved.as_deref().map(shown),
    })
}

pub(super) fn tags(tags: &[(String, String)]) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

pub(super) fn events(world: &mut World, request: &Request) -> Outcome {
    let size = world.options.page_size;
    let stack = named(world, request, |name| format!("Stack [{name}] does not exist"))?;
    let newest_first: Vec<&Event> = stack.events.iter().rev().collect();
    let (events, next) = page(newest_first, request.form.text("NextToken"), size)?;
    let shown: Vec<Value> = events
        .into_iter()
        .map(|event| {
            json!({
                "StackId": &*stack.key.arn,
                "StackName": stack.name,
                "EventId": event.id,
                "LogicalResourceId": event.logical,
                "PhysicalResourceId": event.physical,
                "ResourceType": event.kind,
                "Timestamp": written(event.at),
                "ResourceStatus": event.status,
                "ResourceStatusReason": event.reason,
                "ClientRequestToken": event.token.as_deref(),
            })
        })
        .collect();
    Ok(listed("StackEvents", shown, next))
}

pub(super) fn operation_events(world: &mut World, request: &Request) -> Outcome {
    let size = world.options.page_size;
    if let Some(name) = request.form.text("ChangeSetName") {
        let (stack, set) = super::change_sets::find(world, request, name)?;
        let findings = world.options.faults.findings.iter().filter(|finding| finding.stack == stack.name);
        let shown = findings.map(|finding| {
            json!({
                "EventId": format!("{}-{}", set.name, finding.path),
                "StackId": &*stack.key.arn,
                "EventType": "VALIDATION_ERROR",
                "OperationType": "CREATE_CHANGESET",
                "Timestamp": written(set.created),
                "ValidationName": finding.check,
                "ValidationFailureMode": if finding.fails { "FAIL" } else { "WARN" },
                "ValidationStatus": "FAILED",
                "ValidationStatusReason": finding.reason,
                "ValidationPath": finding.path,
            })
        });
        return Ok(listed("OperationEvents", shown.collect(), Value::Null));
    }
    let stack = named(world, request, |name| format!("Stack [{name}] does not exist"))?;
    let failed_only = request.form.flag("Filters.FailedEvents");
    let chosen: Vec<&Event> =
        stack.events.iter().rev().filter(|event| !failed_only || event.status.failed()).collect();
    let (events, next) = page(chosen, request.form.text("NextToken"), size)?;
    let shown: Vec<Value> = events
        .into_iter()
        .map(|event| {
            let failed = event.status.failed();
            json!({
                "EventId": event.id,
                "StackId": &*stack.key.arn,
                "EventType": if failed { "PROVISIONING_ERROR" } else { "STACK_EVENT" },
                "LogicalResourceId": event.logical,
                "PhysicalResourceId": event.physical,
                "ResourceType": event.kind,
                "Timestamp": written(event.at),
                "ResourceStatus": event.status,
                "ResourceStatusReason": event.reason,
                "ClientRequestToken": event.token.as_deref(),
            })
        })
        .collect();
    Ok(listed("OperationEvents", shown, next))
}

fn resource_fields(stack: &Stack, resource: &Resource, time_key: &str) -> Value {
    let mut fields = json!({
        "StackId": &*stack.key.arn,
        "StackName": stack.name,
        "LogicalResourceId": resource.id,
        "PhysicalResourceId": resource.physical,
        "ResourceType": resource.kind,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    });
    fields[time_key] = json!(written(resource.updated));
    fields
}

pub(super) fn resource(world: &mut World, request: &Request) -> Outcome {
    let stack = named(world, request, |name| format!("Stack '{name}' does not exist"))?;
    let id = request.form.required("LogicalResourceId")?;
    let resource = stack
        .resources
        .get(id)
        .ok_or_else(|| Fault::validation(format!("Resource {id} does not exist for stack {}", stack.name)))?;
    Ok(json!({"StackResourceDetail": resource_fields(stack, resource, "LastUpdatedTimestamp")}))
}

pub(super) fn resources(world: &mut World, request: &Request) -> Outcome {
    let physical = request.form.text("PhysicalResourceId");
    let stack = match physical {
        Some(physical) if !request.form.has("StackName") => world
            .region(&request.place)
            .into_iter()
            .flat_map(|region| region.stacks.values())
            .map(|stack| &**stack)
            .find(|stack| stack.resources.values().any(|resource| resource.physical == physical))
            .ok_or_else(|| Fault::validation(format!("Stack for {physical} does not exist")))?,
        _ => named(world, request, does_not_exist)?,
    };
    let wanted = request.form.text("LogicalResourceId");
    let shown: Vec<Value> = stack
        .resources
        .values()
        .filter(|resource| wanted.is_none_or(|wanted| wanted == resource.id))
        // CloudFormation API Reference, `DescribeStackResources`: the answer has the first 100 resources.
        .take(100)
        .map(|resource| resource_fields(stack, resource, "Timestamp"))
        .collect();
    Ok(json!({"StackResources": shown}))
}

pub(super) fn template(world: &mut World, request: &Request) -> Outcome {
    if let Some(change_set) = request.form.text("ChangeSetName") {
        let desired = Arc::clone(&super::change_sets::find(world, request, change_set)?.1.desired);
        return Ok(template_answer(&desired.body));
    }
    let stack = named(world, request, does_not_exist)?;
    Ok(template_answer(&stack.desired.body))
}

fn template_answer(body: &str) -> Value {
    // GetTemplate answers `?` for every character that is not ASCII.
    let body: String = body.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    json!({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]})
}

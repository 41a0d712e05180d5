//! Lists, and answers about a template that is not deployed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{does_not_exist, named, page, submission};
use crate::template::{capabilities, has_transform, parse};
use crate::wire::{Fault, Outcome, Request};
use crate::world::{World, text_of, written};

pub(super) fn stacks(world: &mut World, request: &Request) -> Outcome {
    let filter = request.form.list("StackStatusFilter").unwrap_or_default();
    let size = world.options.page_size;
    let all: Vec<Value> = world
        .region(&request.place)
        .into_iter()
        .flat_map(|region| region.stacks.values())
        .filter(|stack| filter.is_empty() || filter.iter().any(|status| *status == stack.status.as_str()))
        .map(|stack| {
            json!({
                "StackId": &*stack.key.arn,
                "StackName": stack.name,
                "TemplateDescription": stack.desired.template.value().get("Description").and_then(Value::as_str),
                "CreationTime": written(stack.created),
                "LastUpdatedTime": stack.updated.map(written),
                "DeletionTime": stack.deleted.map(written),
                "StackStatus": stack.status,
                "StackStatusReason": stack.reason,
                "ParentId": stack.parent.as_ref().map(|(parent, _)| &*parent.arn),
                "RootId": stack.root.as_deref(),
                "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
            })
        })
        .collect();
    let (shown, next) = page(all, request.form.text("NextToken"), size)?;
    Ok(json!({"StackSummaries": shown, "NextToken": next}))
}

pub(super) fn resources(world: &mut World, request: &Request) -> Outcome {
    let size = world.options.page_size;
    let stack = named(world, request, does_not_exist)?;
    let all: Vec<Value> = stack
        .resources
        .values()
        .map(|resource| {
            json!({
                "LogicalResourceId": resource.id,
                "PhysicalResourceId": resource.physical,
                "ResourceType": resource.kind,
                "ResourceStatus": resource.status,
                "ResourceStatusReason": resource.reason,
                "LastUpdatedTimestamp": written(resource.updated),
                "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
            })
        })
        .collect();
    let (shown, next) = page(all, request.form.text("NextToken"), size)?;
    Ok(json!({"StackResourceSummaries": shown, "NextToken": next}))
}

pub(super) fn exports(world: &mut World, request: &Request) -> Outcome {
    let size = world.options.page_size;
    let all: Vec<Value> = world
        .region(&request.place)
        .into_iter()
        .flat_map(|region| &region.exports)
        .map(
            |(name, export)| json!({"Name": name, "Value": export.value, "ExportingStackId": &*export.stack}),
        )
        .collect();
    let (shown, next) = page(all, request.form.text("NextToken"), size)?;
    Ok(json!({"Exports": shown, "NextToken": next}))
}

pub(super) fn imports(world: &mut World, request: &Request) -> Outcome {
    let name = request.form.required("ExportName")?;
    let size = world.options.page_size;
    let all: Vec<String> = world
        .region(&request.place)
        .into_iter()
        .flat_map(|region| region.stacks.values())
        .filter(|stack| !stack.is_deleted() && stack.imports.contains(name))
        .map(|stack| stack.name.clone())
        .collect();
    if all.is_empty() {
        return Err(Fault::validation(format!("Export '{name}' is not imported by any stack.")));
    }
    let (shown, next) = page(all, request.form.text("NextToken"), size)?;
    Ok(json!({"Imports": shown, "NextToken": next}))
}

pub(super) fn template_summary(world: &mut World, request: &Request) -> Outcome {
    let body = if request.form.has("StackName") {
        named(world, request, does_not_exist)?.desired.body.clone()
    } else {
        submission::body(world, request, None)?
    };
    described(&body, true)
}

pub(super) fn validate_template(world: &mut World, request: &Request) -> Outcome {
    let body = submission::body(world, request, None)?;
    described(&body, false)
}

fn described(body: &str, summary: bool) -> Outcome {
    let template = parse(body)?;
    let parameters: Vec<Value> = template
        .parameters()
        .map(|(key, declaration)| {
            let text = |field: &str| declaration.get(field).map(text_of);
            let no_echo = text("NoEcho").is_some_and(|flag| flag == "true");
            let default = text("Default");
            let mut shown =
                json!({"ParameterKey": key, "NoEcho": no_echo, "Description": text("Description")});
            shown["DefaultValue"] = json!(default);
            if summary {
                shown["ParameterType"] = json!(text("Type"));
            }
            shown
        })
        .collect();
    let needed = capabilities(&template, has_transform(&template), &[]).err().map(|fault| {
        let name = fault.message.rsplit('[').next().unwrap_or_default();
        (name.trim_end_matches(']').to_owned(), fault.message.clone())
    });
    let types: BTreeSet<&str> = template.resources().map(|(_, resource)| resource.resource_type).collect();
    let (capability, reason) = needed.unzip();
    Ok(json!({
        "Description": template.value().get("Description").and_then(Value::as_str),
        "Parameters": parameters,
        "Capabilities": capability.into_iter().collect::<Vec<_>>(),
        "CapabilitiesReason": reason,
        "ResourceTypes": if summary { json!(types) } else { Value::Null },
        "Version": if summary { json!("2010-09-09") } else { Value::Null },
    }))
}

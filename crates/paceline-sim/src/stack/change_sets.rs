//! Change sets that are being created.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::elsewhere::has_changed;
use super::names::is_renamed;
use crate::template::{active_resources, imports};
use crate::world::{ChangeSetStatus, Desired, ExecutionStatus, Resource, Stack, World};

const EMPTY: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

/// Completes a change set whose creation time is over: its changes are known now.
pub(super) fn ready(world: &mut World, stack: &mut Stack, arn: &str) {
    let Some(index) = stack.change_sets.iter().position(|set| set.arn == arn) else { return };
    let desired = Arc::clone(&stack.change_sets[index].desired);
    let creates = stack.change_sets[index].creates;
    let scope = desired.scope(world, &stack.key, &stack.name, &stack.resources);
    let missing = imports(&scope).and_then(|names| {
        let exports = world.region(&stack.key.place).map(|region| &region.exports);
        match names.into_iter().find(|name| exports.is_none_or(|exports| !exports.contains_key(name))) {
            Some(name) => Err(format!("No export named {name} found.")),
            None => Ok(()),
        }
    });
    let failed = stack.status.failed();
    let verdict = if !creates && !failed && stack.desired.is_same(&desired) && !has_changed(world, stack) {
        Err(EMPTY.to_owned())
    } else {
        missing.map(|()| changes(world, stack, &desired))
    };
    let mut findings = world.options.faults.findings.iter();
    let fails = findings.any(|finding| finding.fails && finding.stack == stack.name);
    // CloudFormation's words are not documented.
    let refused = Err("early validation has failed".to_owned());
    let verdict = if fails && verdict.is_ok() { refused } else { verdict };
    let set = &mut stack.change_sets[index];
    match verdict {
        Ok(changes) => {
            set.status = ChangeSetStatus::Complete;
            if set.execution != ExecutionStatus::Obsolete {
                set.execution = ExecutionStatus::Available;
            }
            set.changes = changes;
        }
        Err(reason) => {
            set.status = ChangeSetStatus::Failed;
            set.reason = Some(reason);
        }
    }
}

/// The changes that a change set would make, as far as they can be known before its execution.
fn changes(world: &World, stack: &Stack, desired: &Desired) -> Vec<Value> {
    let mut scope = desired.scope(world, &stack.key, &stack.name, &stack.resources);
    scope.lenient = true;
    let active = active_resources(&scope);
    let live: BTreeMap<&String, &Resource> =
        stack.resources.iter().filter(|(_, resource)| !resource.is_gone()).collect();
    let mut changes = Vec::new();
    let mut change = |action: &str, id: &str, kind: &str, physical: Option<&str>, replaces: &str| {
        let modifies = action == "Modify";
        changes.push(json!({"Type": "Resource", "ResourceChange": {
            "Action": action,
            "LogicalResourceId": id,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Replacement": modifies.then_some(replaces),
            "Scope": if modifies { json!(["Properties"]) } else { json!([]) },
            "Details": [],
        }}));
    };
    for id in &active {
        let Some(body) = desired.template.resource(id) else { continue };
        let properties = body.properties.map_or(Ok(Value::Null), |properties| {
            scope.value(&format!("Resources.{id}.Properties"), properties)
        });
        match live.get(id) {
            None => change("Add", id, body.resource_type, None, ""),
            Some(old) if properties.as_ref().ok() != Some(&*old.properties) => {
                let replaces = match &properties {
                    Ok(new) if is_renamed(body.resource_type, &old.properties, new) => "True",
                    Ok(_) => "False",
                    Err(_) => "Conditional",
                };
                change("Modify", id, body.resource_type, Some(&old.physical), replaces);
            }
            Some(_) => {}
        }
    }
    for (id, old) in live.iter().filter(|(id, _)| !active.contains(**id)) {
        change("Remove", id, &old.kind, Some(&old.physical), "");
    }
    changes
}

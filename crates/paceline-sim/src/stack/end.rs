//! Ends operations: outputs and exports, the final status, and the state that is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paceline_assembly::StackStatus;
use serde_json::Value;

use super::nested;
use super::run::Run;
use crate::template::imports;
use crate::world::{Export, Known, OnFailure, OperationKind, Output, Stack, World, text_of};

/// Ends an operation, or switches to the one that follows it.
pub(super) fn finish(run: &mut Run<'_>) {
    let Some(kind) = run.kind() else { return };
    let failures = run.failures();
    let failed = run.operation().is_some_and(|operation| !operation.failed.is_empty());
    match kind {
        OperationKind::Create if failed => settle(run, StackStatus::CreateFailed, Some(failures)),
        OperationKind::Update if failed => settle(run, StackStatus::UpdateFailed, Some(failures)),
        OperationKind::Create | OperationKind::Update | OperationKind::Import => {
            match outputs(run).and_then(|outputs| publish(run, outputs)) {
                Err(reason) => run.give_up(&reason),
                Ok(()) if kind == OperationKind::Update => run.switch(OperationKind::Cleanup, None),
                Ok(()) => {
                    commit(run);
                    settle(
                        run,
                        if kind == OperationKind::Import {
                            StackStatus::ImportComplete
                        } else {
                            StackStatus::CreateComplete
                        },
                        None,
                    );
                }
            }
        }
        // A cleanup leaves behind what it cannot delete, and the update still succeeds.
        OperationKind::Cleanup => {
            commit(run);
            settle(run, StackStatus::UpdateComplete, None);
        }
        OperationKind::RollBackCreate if failed => settle(run, StackStatus::RollbackFailed, Some(failures)),
        OperationKind::RollBackCreate => {
            run.stack.imports.clear();
            settle(run, StackStatus::RollbackComplete, None);
        }
        OperationKind::RollBackUpdate if failed => {
            settle(run, StackStatus::UpdateRollbackFailed, Some(failures));
        }
        OperationKind::RollBackUpdate => {
            if let Some(stable) = run.stack.stable.take() {
                run.stack.desired = stable;
            }
            run.switch(OperationKind::RollBackCleanup, None);
        }
        OperationKind::RollBackCleanup => {
            commit(run);
            settle(run, StackStatus::UpdateRollbackComplete, None);
        }
        OperationKind::Delete if failed => settle(run, StackStatus::DeleteFailed, Some(failures)),
        OperationKind::Delete => deleted(run),
    }
}

/// Ends an import that failed: the stack returns to its earlier state.
pub(super) fn import_failed(run: &mut Run<'_>, reason: String) {
    if let Some(stable) = run.stack.stable.take() {
        run.stack.desired = stable;
    }
    run.stack.resources.retain(|_, resource| !resource.is_new);
    settle(run, StackStatus::ImportRollbackComplete, Some(reason));
}

/// Puts a stack to rest in a status.
pub(super) fn settle(run: &mut Run<'_>, status: StackStatus, reason: Option<String>) {
    let reason = reason.map(|reason| reason.trim_end().to_owned()).filter(|reason| !reason.is_empty());
    run.stack.enter(run.world, status, reason);
    run.stack.operation = None;
    run.stack.ended = Some(run.world.now);
    nested::notify(run.world, run.stack);
}

/// Cancels a deletion before it begins.
///
/// As reported in rlister/stax#40: the stack goes back to its earlier status, with the reason.
pub(super) fn call_off(run: &mut Run<'_>, reason: String) {
    let Some(before) = run.operation().map(|operation| operation.before.clone()) else { return };
    settle(run, before, Some(reason));
}

/// Makes the result of the operation the state to which later rollbacks return.
fn commit(run: &mut Run<'_>) {
    let stack = &mut *run.stack;
    stack.stable = None;
    stack.has_been_stable = true;
    stack.resources.retain(|_, resource| !resource.is_gone());
    for resource in stack.resources.values_mut() {
        resource.previous = None;
        resource.is_new = false;
    }
    let scope = stack.desired.scope(run.world, &stack.key, &stack.name, &stack.resources);
    let imported = imports(&scope).unwrap_or_default();
    stack.imports = imported;
}

fn deleted(run: &mut Run<'_>) {
    let stack = &mut *run.stack;
    let region = run.world.region_mut(&stack.key.place);
    region.exports.retain(|_, export| export.stack != stack.key.arn);
    if region.names.get(&stack.name) == Some(&stack.key.arn) {
        region.names.remove(&stack.name);
    }
    stack.deleted = Some(run.world.now);
    stack.imports.clear();
    stack.change_sets.clear();
    stack.stable = None;
    // Deleted stacks stay readable for 90 days, but nobody evaluates their resources again.
    for resource in stack.resources.values_mut() {
        resource.properties = Arc::new(Value::Null);
        resource.attributes = BTreeMap::new();
        resource.previous = None;
    }
    settle(run, StackStatus::DeleteComplete, None);
}

fn outputs(run: &Run<'_>) -> Result<Vec<Output>, String> {
    let stack = &*run.stack;
    let scope = stack.desired.scope(run.world, &stack.key, &stack.name, &stack.resources);
    let mut outputs = Vec::new();
    for (key, body) in stack.desired.template.outputs() {
        let condition = body.get("Condition").and_then(Value::as_str);
        if condition.is_some_and(|condition| !scope.condition_holds(condition)) {
            continue;
        }
        let Known { value, made_up } =
            scope.known(&format!("Outputs.{key}.Value"), body.get("Value").unwrap_or(&Value::Null))?;
        let export = body.get("Export").and_then(|export| export.get("Name"));
        outputs.push(Output {
            key: key.to_owned(),
            value: text_of(&value),
            description: body.get("Description").map(text_of),
            export: export.map(|name| scope.text(&format!("Outputs.{key}.Export.Name"), name)).transpose()?,
            made_up,
        });
    }
    Ok(outputs)
}

/// Publishes the exports among the outputs. Fails if a name is taken, or if another stack imports an export
/// that would change or disappear.
fn publish(run: &mut Run<'_>, outputs: Vec<Output>) -> Result<(), String> {
    let stack = &mut *run.stack;
    let wanted: BTreeMap<&str, (&str, bool)> = outputs
        .iter()
        .filter_map(|output| Some((output.export.as_deref()?, (output.value.as_str(), output.made_up))))
        .collect();
    let known: BTreeMap<String, Export> =
        run.world.region(&stack.key.place).map(|region| region.exports.clone()).unwrap_or_default();
    for name in wanted.keys() {
        if let Some(other) = known.get(*name).filter(|export| export.stack != stack.key.arn) {
            return Err(format!(
                "Export with name {name} is already exported by stack {}.",
                other.stack_name
            ));
        }
    }
    for (name, export) in known.iter().filter(|(_, export)| export.stack == stack.key.arn) {
        let kept = wanted.get(name.as_str());
        if kept.is_some_and(|(value, _)| *value == export.value) {
            continue;
        }
        if let Some(users) = importers(run.world, stack, name) {
            let verb = if kept.is_some() { "updated" } else { "deleted" };
            return Err(format!("Export {name} cannot be {verb} as it is in use by {users}"));
        }
    }
    let region = run.world.region_mut(&stack.key.place);
    region.exports.retain(|_, export| export.stack != stack.key.arn);
    for (name, (value, made_up)) in wanted {
        let export = Export {
            value: value.to_owned(),
            stack: stack.key.arn.clone(),
            stack_name: stack.name.clone(),
            made_up,
        };
        region.exports.insert(name.to_owned(), export);
    }
    if stack.outputs != outputs {
        stack.outputs_since = Some(run.world.now);
        stack.outputs = outputs;
    }
    Ok(())
}

/// The names of the other stacks that import an export.
fn importers(world: &World, stack: &Stack, export: &str) -> Option<String> {
    let region = world.region(&stack.key.place)?;
    let users: BTreeSet<&str> = region
        .stacks
        .values()
        .filter(|other| !other.is_deleted() && other.imports.contains(export))
        .map(|other| other.name.as_str())
        .collect();
    (!users.is_empty()).then(|| users.into_iter().collect::<Vec<_>>().join(" and "))
}

/// The reason why a stack cannot be deleted, if other stacks import from it.
pub(super) fn exports_in_use(run: &Run<'_>) -> Option<String> {
    // The deletion that follows a failed creation is not a request, so it cannot be refused.
    if run.operation().is_some_and(|operation| operation.on_failure == OnFailure::Delete) {
        return None;
    }
    let stack = &*run.stack;
    let region = run.world.region(&stack.key.place)?;
    let own = region.exports.iter().filter(|(_, export)| export.stack == stack.key.arn);
    own.map(|(name, _)| name).find_map(|name| {
        let users = importers(run.world, stack, name)?;
        Some(format!("Export {name} cannot be deleted as it is in use by {users}"))
    })
}

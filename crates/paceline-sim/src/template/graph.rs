//! Dependencies inside a template.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Intrinsic, Node, Template, walk};
use serde_json::Value;

use super::check::named;
use super::scope::Scope;
use crate::wire::Fault;

/// The resources whose conditions hold.
pub(crate) fn active_resources(scope: &Scope<'_>) -> BTreeSet<String> {
    let holds = |condition: Option<&str>| condition.is_none_or(|condition| scope.condition_holds(condition));
    scope
        .template
        .resources()
        .filter(|(_, resource)| holds(resource.condition))
        .map(|(id, _)| id.to_owned())
        .collect()
}

/// For each active resource, the active resources that it waits for: those in its `DependsOn`, and those that
/// it refers to outside of branches that are not taken.
pub(crate) fn order(scope: &Scope<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let active = active_resources(scope);
    active
        .iter()
        .map(|id| {
            let mut waits = references_of(scope, id);
            waits.retain(|other| active.contains(other));
            (id.clone(), waits)
        })
        .collect()
}

/// The resources that a resource names in its `DependsOn` or refers to.
pub(crate) fn references_of(scope: &Scope<'_>, id: &str) -> BTreeSet<String> {
    let Some(resource) = scope.template.resource(id) else { return BTreeSet::new() };
    let conditions = |name: &str| Some(scope.condition_holds(name));
    let mut found: BTreeSet<&str> = resource.depends_on.iter().copied().collect();
    resource.properties.into_iter().for_each(|body| collect(body, &conditions, &mut found));
    resource.metadata.into_iter().for_each(|body| collect(body, &conditions, &mut found));
    found.remove(id);
    found.into_iter().map(str::to_owned).collect()
}

/// The names of the exports that a stack imports. They cannot depend on the stack's resources.
pub(crate) fn imports(scope: &Scope<'_>) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for id in active_resources(scope) {
        let body = scope.template.resource(&id).and_then(|resource| resource.properties);
        body.map_or(Ok(()), |body| import_names(scope, body, &mut found))?;
    }
    for (_, output) in scope.template.outputs() {
        let condition = output.get("Condition").and_then(Value::as_str);
        if condition.is_none_or(|condition| scope.condition_holds(condition)) {
            import_names(scope, output, &mut found)?;
        }
    }
    Ok(found)
}

fn import_names(scope: &Scope<'_>, value: &Value, found: &mut BTreeSet<String>) -> Result<(), String> {
    if let Some(intrinsic) = Intrinsic::of(value) {
        if intrinsic.name == "Fn::ImportValue" {
            found.insert(scope.text("Fn::ImportValue", intrinsic.argument)?);
            return Ok(());
        }
        if let Some(branch) = taken_branch(&intrinsic, &|name| Some(scope.condition_holds(name))) {
            return import_names(scope, branch, found);
        }
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| import_names(scope, item, found)),
        Value::Object(fields) => fields.values().try_for_each(|field| import_names(scope, field, found)),
        _ => Ok(()),
    }
}

/// The branch that an `Fn::If` takes, if that is known.
fn taken_branch<'a>(
    intrinsic: &Intrinsic<'a>,
    conditions: &dyn Fn(&str) -> Option<bool>,
) -> Option<&'a Value> {
    let parts = (intrinsic.name == "Fn::If").then(|| intrinsic.argument.as_array()).flatten()?;
    let holds = conditions(parts.first()?.as_str()?)?;
    parts.get(if holds { 1 } else { 2 })
}

fn collect<'a>(value: &'a Value, conditions: &dyn Fn(&str) -> Option<bool>, found: &mut BTreeSet<&'a str>) {
    if let Some(intrinsic) = Intrinsic::of(value) {
        if let Some(branch) = taken_branch(&intrinsic, conditions) {
            return collect(branch, conditions, found);
        }
        found.extend(named(&intrinsic).into_iter().map(|(name, _)| name));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, conditions, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, conditions, found)),
        _ => {}
    }
}

/// Refuses a template whose resources, or whose conditions, wait for each other.
pub(super) fn cycle(template: &Template) -> Result<(), Fault> {
    let resources = template
        .resources()
        .map(|(id, resource)| {
            let mut found: BTreeSet<&str> = resource.depends_on.iter().copied().collect();
            resource.properties.into_iter().for_each(|body| collect(body, &|_| None, &mut found));
            (id, found)
        })
        .collect();
    let (_, stuck) = sorted(resources);
    if !stuck.is_empty() {
        let stuck = stuck.join(", ");
        return Err(Fault::validation(format!("Circular dependency between resources: [{stuck}]")));
    }
    let (_, stuck) = sorted(condition_graph(template));
    if !stuck.is_empty() {
        let stuck = stuck.join(", ");
        return Err(Fault::validation(format!(
            "Template error: circular dependency between conditions: [{stuck}]"
        )));
    }
    Ok(())
}

/// The values of the template's conditions.
pub(crate) fn conditions(scope: &Scope<'_>) -> Result<BTreeMap<String, bool>, String> {
    let mut known = BTreeMap::new();
    let (ids, _) = sorted(condition_graph(scope.template));
    for id in ids {
        let body = scope.template.value().get("Conditions").and_then(|conditions| conditions.get(id));
        let holds = Scope { conditions: &known, ..*scope }
            .holds(&format!("Conditions.{id}"), body.unwrap_or(&Value::Null))?;
        known.insert(id.to_owned(), holds);
    }
    Ok(known)
}

fn condition_graph(template: &Template) -> BTreeMap<&str, BTreeSet<&str>> {
    template
        .conditions()
        .map(|(id, body)| {
            let mut found = BTreeSet::new();
            walk(body, &mut |_, node| {
                if let Node::Intrinsic(intrinsic) = node {
                    let name = if intrinsic.name == "Fn::If" {
                        intrinsic.argument.get(0)
                    } else {
                        Some(intrinsic.argument)
                    };
                    let refers = matches!(intrinsic.name, "Condition" | "Fn::If");
                    found.extend(name.filter(|_| refers).and_then(Value::as_str));
                }
            });
            (id, found)
        })
        .collect()
}

/// The ids, each after those that it waits for; and the ids in or behind a cycle, which can never start.
fn sorted<'a>(mut waits: BTreeMap<&'a str, BTreeSet<&'a str>>) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut followed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let ids: BTreeSet<&str> = waits.keys().copied().collect();
    for (id, others) in &mut waits {
        others.retain(|other| ids.contains(other));
        for other in others.iter() {
            followed_by.entry(other).or_default().push(id);
        }
    }
    let mut order = Vec::new();
    let mut free: BTreeSet<&str> =
        waits.iter().filter(|(_, others)| others.is_empty()).map(|(id, _)| *id).collect();
    while !free.is_empty() {
        let mut next = BTreeSet::new();
        for id in &free {
            waits.remove(id);
            for follower in followed_by.remove(id).unwrap_or_default() {
                if let Some(others) = waits.get_mut(follower) {
                    others.remove(id);
                    if others.is_empty() {
                        next.insert(follower);
                    }
                }
            }
        }
        order.extend(free);
        free = next;
    }
    (order, waits.into_keys().collect())
}

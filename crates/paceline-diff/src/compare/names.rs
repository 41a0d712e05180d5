//! Names that would collide.

use std::collections::{BTreeSet, HashMap};

use paceline_assembly::{Assembly, Resource, Stack, Template};
use paceline_plan::Plan;

use super::prepared::construct;
use crate::model::{Collision, Effect, NameConflict, Place, StackDiff};
use crate::rules;

/// The kind of the name of an export.
const EXPORT: &str = "export";

/// A resource with a name that the app chooses.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    stack: String,
    place: Place,
    key: Key,
    /// Whether the resource stays when it is removed from the template.
    is_retained: bool,
}

/// A name, and where it means something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    kind: String,
    name: String,
    account: Option<String>,
    region: Option<String>,
}

impl Named {
    fn is_at(&self, other: &Self) -> bool {
        let id = |it: &Self| (it.stack.clone(), it.place.nested.clone(), it.place.logical_id.clone());
        id(self) == id(other)
    }
}

/// The names that a stack chooses, as far as they are known before the deployment.
pub(crate) fn of_stack(stack: &Stack) -> Vec<Named> {
    let stack = stack.opened();
    let mut found = Vec::new();
    of_template(&stack, &[], &stack.template, &mut found);
    for nested in stack.nested_that_may_be_made() {
        let path: Vec<String> = nested.logical_ids().cloned().collect();
        of_template(&stack, &path, &nested.template, &mut found);
    }
    found
}

fn of_template(stack: &Stack, path: &[String], template: &Template, found: &mut Vec<Named>) {
    let resolver = template.resolver();
    let mut push = |kind: &str, name: String, place: Place, is_retained: bool| {
        // A bucket's name is taken in all accounts, and those of IAM in all regions (S3 User Guide, "Bucket naming rules";
        // IAM User Guide, "IAM and AWS STS quotas").
        let (is_of_all_accounts, is_global) = (kind == "AWS::S3::Bucket", kind.starts_with("AWS::IAM::"));
        let known = |text: &Option<String>, is_left_out: bool| text.clone().filter(|_| !is_left_out);
        let key = Key {
            kind: kind.to_owned(),
            name,
            account: known(&stack.environment.account, is_of_all_accounts),
            region: known(&stack.environment.region, is_of_all_accounts || is_global),
        };
        found.push(Named { stack: stack.id.clone(), place, key, is_retained });
    };
    for (id, resource) in template.resources() {
        if let Some(name) = physical_name(&resource, &|value| resolver.resolve(value).known())
            && !resolver.is_left_out(resource.body)
        {
            let place = Place {
                nested: path.to_vec(),
                logical_id: id.to_owned(),
                construct: construct(resource.body).or_else(|| stack.construct_paths.get(id).cloned()),
            };
            push(resource.resource_type, name, place, resource.is_retained());
        }
    }
    for (id, output) in template.outputs() {
        let name = output["Export"].get("Name").and_then(|name| resolver.resolve(name).known());
        if let Some(name) = name.filter(|_| !resolver.is_left_out(output)) {
            let place = Place { nested: path.to_vec(), logical_id: format!("Outputs.{id}"), construct: None };
            push(EXPORT, name, place, false);
        }
    }
}

fn physical_name(
    resource: &Resource<'_>,
    resolve: &dyn Fn(&serde_json::Value) -> Option<String>,
) -> Option<String> {
    let property = rules::name_property(resource.resource_type)?;
    resolve(resource.properties?.get(property)?)
}

/// The names of the app that another resource has at the same time.
pub(crate) fn collisions(base: &[Named], app: &[Named], plan: &Plan) -> Vec<Collision> {
    let by_key = |all: &'_ [Named]| {
        let mut map: HashMap<Key, Vec<Named>> = HashMap::new();
        for it in all {
            map.entry(it.key.clone()).or_default().push(it.clone());
        }
        map
    };
    let (had, has) = (by_key(base), by_key(app));
    let nobody = Vec::new();
    let mut found = Vec::new();
    for it in app {
        let had = had.get(&it.key).unwrap_or(&nobody);
        let is_new = !had.iter().any(|old| old.is_at(it));
        if !is_new {
            continue;
        }
        let all = has.get(&it.key).unwrap_or(&nobody);
        let twin = all.iter().find(|other| !other.is_at(it));
        let conflict = if let Some(twin) = twin {
            let is_first_new = had.iter().all(|old| !old.is_at(twin)) && is_before(it, twin, app);
            // Two new ones are reported once.
            if is_first_new {
                continue;
            }
            NameConflict::Twice { stack: twin.stack.clone(), place: twin.place.clone() }
        } else if let Some(old) = had.iter().find(|old| !is_gone_before(old, it, plan)) {
            NameConflict::StillThere { stack: old.stack.clone(), place: old.place.clone() }
        } else {
            continue;
        };
        found.push(Collision {
            stack: it.stack.clone(),
            place: it.place.clone(),
            kind: it.key.kind.clone(),
            name: it.key.name.clone(),
            conflict,
        });
    }
    found
}

fn is_before(it: &Named, other: &Named, all: &[Named]) -> bool {
    let position = |wanted: &Named| all.iter().position(|named| named.is_at(wanted));
    position(it) < position(other)
}

/// Whether the old resource is deleted before the new one is created. CloudFormation deletes after it creates, so that
/// needs another stack, which the plan deploys before.
fn is_gone_before(old: &Named, new: &Named, plan: &Plan) -> bool {
    if old.is_retained || old.stack == new.stack {
        return false;
    }
    let number = |id: &str| plan.stacks.iter().position(|stack| stack.id == id);
    match (number(&old.stack), number(&new.stack)) {
        (Some(old), Some(new)) => plan.stack_graph().all_needs(new)[old],
        _ => false,
    }
}

/// Resources that are replaced and keep the name that the app gives them (CloudFormation User Guide, "Update behaviors of
/// stack resources": a resource with a custom name cannot be replaced unless the name changes).
pub(crate) fn of_replaced(stacks: &[StackDiff], app: &Assembly) -> Vec<Collision> {
    let mut found = Vec::new();
    for diff in stacks {
        let replaced: BTreeSet<&Place> = diff
            .resources
            .iter()
            .filter(|it| it.effect == Effect::Replace && it.type_before.is_none())
            .filter(|it| {
                let name = rules::name_property(&it.resource_type).unwrap_or_default();
                !it.changes.iter().any(|change| change.path == format!("Properties.{name}"))
            })
            .map(|it| &it.place)
            .collect();
        if replaced.is_empty() {
            continue;
        }
        let Some(stack) = app.stack(&diff.id) else { continue };
        let named = of_stack(stack).into_iter().filter(|it| it.key.kind != EXPORT);
        let is_replaced = |it: &Named| {
            replaced
                .iter()
                .any(|place| (&place.nested, &place.logical_id) == (&it.place.nested, &it.place.logical_id))
        };
        found.extend(named.filter(is_replaced).map(|it| Collision {
            stack: it.stack,
            place: it.place,
            kind: it.key.kind,
            name: it.key.name,
            conflict: NameConflict::Replaced,
        }));
    }
    found
}

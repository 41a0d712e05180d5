//! One stack: its templates, nested ones too, and its settings.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Resource, Stack, Template};
use serde_json::Value;

use super::cascade::cascade;
use super::equality::Equality;
use super::prepared::{construct, prepared};
use super::values::{Difference, differences};
use crate::access;
use crate::model::{
    Effect, ElementDiff, Place, PropertyChange, ResourceDiff, StackChange, StackDiff, Widening,
};
use crate::rules;

/// The sections whose entries are compared one by one, apart from the resources.
const SECTIONS: [&str; 6] = ["Parameters", "Mappings", "Conditions", "Rules", "Hooks", "Outputs"];
/// The attributes of a resource that change the template and not the resource.
const TEMPLATE_ONLY: [&str; 6] =
    ["DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy"];

/// The values of parameters, in the path of a change.
const VALUES: &str = "ParameterValues";
/// Stands for the value of a secret parameter.
const SECRET: &str = "(secret)";

/// What a stack of the app changes. `base` is the same stack in the base, if that has it.
pub(crate) fn compare_stack(
    base: Option<&Stack>,
    stack: &Stack,
    equality: Equality,
    strict: bool,
) -> StackDiff {
    let mut diff = empty(stack, if base.is_none() { StackChange::Added } else { StackChange::Unchanged });
    let Some(base) = base else {
        let stack = stack.opened();
        each_template(None, &stack, strict, &mut |it| compare_templates(it, &stack, equality, &mut diff));
        return diff;
    };
    diff.settings = settings(base, stack, equality.is_stored);
    let fingerprints = |stack: &Stack| {
        let nested = stack.nested.iter().map(|nested| nested.template.fingerprint());
        std::iter::once(stack.template.fingerprint()).chain(nested).collect::<Vec<_>>()
    };
    if fingerprints(base) != fingerprints(stack) {
        let (base, stack) = (base.opened(), stack.opened());
        each_template(Some(&base), &stack, strict, &mut |it| {
            compare_templates(it, &stack, equality, &mut diff);
        });
        let is_same = |before: &Template, after: &Template| equality.values(before.value(), after.value());
        if diff.resources.is_empty() && diff.elements.is_empty() {
            let is_same = is_same(&base.template, &stack.template)
                && base.nested.len() == stack.nested.len()
                && base.nested.iter().zip(&stack.nested).all(|(a, b)| is_same(&a.template, &b.template));
            if !is_same {
                diff.change = StackChange::Equivalent;
            }
        }
    }
    if !(diff.resources.is_empty() && diff.elements.is_empty() && diff.settings.is_empty()) {
        diff.change = StackChange::Changed;
    }
    diff.resources.sort_by_key(weight);
    diff
}

/// The resources are listed in this order: what is lost first.
fn weight(resource: &ResourceDiff) -> (bool, u8) {
    let effect = match resource.effect {
        Effect::Remove => 0,
        Effect::Replace => 1,
        Effect::MayReplace => 2,
        Effect::Add => 3,
        Effect::Update => 4,
        Effect::TemplateOnly => 5,
    };
    (resource.is_only_caused(), effect)
}

/// A stack without any changes in it.
pub(crate) fn empty(stack: &Stack, change: StackChange) -> StackDiff {
    StackDiff {
        id: stack.id.clone(),
        name: stack.name.clone(),
        account: stack.environment.account.clone(),
        region: stack.environment.region.clone(),
        change,
        resources: Vec::new(),
        elements: Vec::new(),
        settings: Vec::new(),
        widenings: Vec::new(),
    }
}

/// A template of the app and the one in the base, either of which may be missing.
struct Pair {
    nested: Vec<String>,
    before: Option<Template>,
    after: Option<Template>,
}

impl Pair {
    fn templates(&self) -> [Option<&Template>; 2] {
        [self.before.as_ref(), self.after.as_ref()]
    }

    /// The resources before and after, by logical id.
    fn resources(&self) -> [BTreeMap<&str, Resource<'_>>; 2] {
        self.templates().map(|it| it.into_iter().flat_map(Template::resources).collect())
    }

    /// The templates as they are written.
    fn values(&self) -> [Option<&Value>; 2] {
        self.templates().map(|it| it.map(Template::value))
    }
}

/// The template of the stack, then the nested ones.
fn each_template(base: Option<&Stack>, stack: &Stack, strict: bool, visit: &mut dyn FnMut(&Pair)) {
    let templates = |stack: &Stack| -> BTreeMap<Vec<String>, Template> {
        let nested = stack
            .nested
            .iter()
            .map(|it| (it.logical_ids().cloned().collect(), prepared(&it.template, strict)));
        std::iter::once((Vec::new(), prepared(&stack.template, strict))).chain(nested).collect()
    };
    let mut before = base.map(templates).unwrap_or_default();
    let mut after = templates(stack);
    let paths: BTreeSet<Vec<String>> = before.keys().chain(after.keys()).cloned().collect();
    for nested in paths {
        let (before, after) = (before.remove(&nested), after.remove(&nested));
        visit(&Pair { nested, before, after });
    }
}

fn compare_templates(pair: &Pair, stack: &Stack, equality: Equality, diff: &mut StackDiff) {
    let (resources, elements) = (diff.resources.len(), diff.elements.len());
    let originals = Originals::of(pair, stack);
    let [before, after] = pair.resources();
    let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for &id in &ids {
        let (before, after) = (before.get(id), after.get(id));
        let place = originals.place(id);
        if let Some(after) = after
            && before.is_none_or(|before| !equality.values(before.body, after.body))
        {
            let widenings = access::widened(before, after).into_iter().map(|access| Widening {
                place: place.clone(),
                resource_type: after.resource_type.to_owned(),
                access,
            });
            diff.widenings.extend(widenings);
        }
        diff.resources.extend(compare_resource(place, before, after, pair, equality));
    }
    add_caused(pair, &originals, &mut diff.resources, resources);
    sections(pair, equality, &mut diff.elements);
    // A loop can be written in another way that makes the same.
    let is_nothing_found = diff.resources.len() == resources && diff.elements.len() == elements;
    if is_nothing_found {
        let [before, after] = pair.values();
        let changes = differences(before, after, "", equality);
        if !changes.is_empty() {
            diff.elements.push(element(pair, "Resources", None, changes));
        }
    }
}

/// Adds the resources that may be replaced because another one of the same template is. The resources of the template
/// begin at `first`.
fn add_caused(pair: &Pair, originals: &Originals<'_>, all: &mut Vec<ResourceDiff>, first: usize) {
    let Some(template) = &pair.after else { return };
    let [before, after] = pair.resources();
    let is_replaced = |it: &&ResourceDiff| matches!(it.effect, Effect::Replace | Effect::MayReplace);
    let replaced = all[first..].iter().filter(is_replaced).map(|it| it.place.logical_id.clone()).collect();
    for (id, because) in cascade(template, &replaced, |id| !before.contains_key(id)) {
        let Some(resource) = after.get(id.as_str()) else { continue };
        let known = all[first..].iter().position(|it| it.place.logical_id == id);
        let at = known.map_or(all.len(), |at| first + at);
        if at == all.len() {
            all.push(unchanged(originals.place(&id), resource));
        }
        let changed = &mut all[at];
        changed.effect = changed.effect.max(Effect::MayReplace);
        changed.because = Some(because);
        changed.data = rules::data_loss(before.get(id.as_str()), Some(resource), changed.effect);
    }
}

/// A resource before anything is known about its changes.
fn unchanged(place: Place, resource: &Resource<'_>) -> ResourceDiff {
    ResourceDiff {
        place,
        resource_type: resource.resource_type.to_owned(),
        type_before: None,
        effect: Effect::TemplateOnly,
        because: None,
        changes: Vec::new(),
        data: None,
    }
}

/// The names of resources as the assembly has them. What is compared has no construct paths any more.
struct Originals<'a> {
    nested: &'a [String],
    stack: &'a Stack,
    constructs: BTreeMap<String, String>,
}

impl<'a> Originals<'a> {
    fn of(pair: &'a Pair, stack: &'a Stack) -> Self {
        let resources = stack.template_at(&pair.nested).into_iter().flat_map(Template::resources);
        let constructs =
            resources.filter_map(|(id, it)| Some((id.to_owned(), construct(it.body)?))).collect();
        Self { nested: &pair.nested, stack, constructs }
    }

    fn place(&self, id: &str) -> Place {
        let known = self.nested.is_empty().then(|| self.stack.construct_paths.get(id)).flatten();
        Place {
            nested: self.nested.to_vec(),
            logical_id: id.to_owned(),
            construct: self.constructs.get(id).or(known).cloned(),
        }
    }
}

fn compare_resource(
    place: Place,
    before: Option<&Resource<'_>>,
    after: Option<&Resource<'_>>,
    pair: &Pair,
    equality: Equality,
) -> Option<ResourceDiff> {
    let mut diff = unchanged(place, after.or(before)?);
    let (Some(old), Some(new)) = (before, after) else {
        diff.effect = if after.is_some() { Effect::Add } else { Effect::Remove };
        diff.data = rules::data_loss(before, after, diff.effect);
        return Some(diff);
    };
    if equality.values(old.body, new.body) {
        return None;
    }
    if old.resource_type != new.resource_type {
        diff.type_before = Some(old.resource_type.to_owned());
        diff.effect = Effect::Replace;
    }
    let found = differences(Some(old.body), Some(new.body), "", equality);
    diff.changes =
        found.into_iter().filter(|it| it.path != "Type").map(|it| change(&diff.resource_type, it)).collect();
    let effects = diff.changes.iter().map(|change| change.effect);
    diff.effect = effects.max().unwrap_or(diff.effect).max(diff.effect);
    // A condition decides whether the resource is there at all.
    let left_out = |template: Option<&Template>, it: &Resource<'_>| {
        template.is_some_and(|template| template.resolver().is_left_out(it.body))
    };
    let [before_template, after_template] = pair.templates();
    match (left_out(before_template, old), left_out(after_template, new)) {
        (true, true) => diff.effect = Effect::TemplateOnly,
        (true, false) => diff.effect = Effect::Add,
        (false, true) => diff.effect = Effect::Remove,
        (false, false) => {}
    }
    diff.data = rules::data_loss(before, after, diff.effect);
    Some(diff)
}

fn change(resource_type: &str, it: Difference) -> PropertyChange {
    let attribute = it.path.split(['.', '[']).next().unwrap_or_default();
    let effect = if TEMPLATE_ONLY.contains(&attribute) {
        Effect::TemplateOnly
    } else {
        rules::effect(resource_type, &it.path, it.before.as_ref(), it.after.as_ref())
    };
    PropertyChange { path: it.path, before: it.before, after: it.after, effect }
}

fn sections(pair: &Pair, equality: Equality, found: &mut Vec<ElementDiff>) {
    let [before, after] = pair
        .templates()
        .map(|it| it.and_then(|template| template.expanded().as_object()).cloned().unwrap_or_default());
    let names: BTreeSet<&String> =
        before.keys().chain(after.keys()).filter(|name| *name != "Resources").collect();
    for name in names {
        let (before, after) = (before.get(name), after.get(name));
        let is_map = |value: Option<&Value>| value.is_none_or(Value::is_object);
        if !SECTIONS.contains(&name.as_str()) || !is_map(before) || !is_map(after) {
            let changes = differences(before, after, "", equality);
            if !changes.is_empty() {
                found.push(element(pair, name, None, changes));
            }
            continue;
        }
        let entry = |section: Option<&Value>, id: &str| section.and_then(|it| it.get(id)).cloned();
        let ids = [before, after].into_iter().flatten().filter_map(Value::as_object).flat_map(|it| it.keys());
        for id in ids.collect::<BTreeSet<_>>() {
            let changes = differences(entry(before, id).as_ref(), entry(after, id).as_ref(), "", equality);
            if !changes.is_empty() {
                found.push(element(pair, name, Some(id), changes));
            }
        }
    }
}

fn element(pair: &Pair, section: &str, id: Option<&str>, changes: Vec<Difference>) -> ElementDiff {
    let whole = changes.first().filter(|it| it.path.is_empty());
    let effect = match whole.map(|it| (&it.before, &it.after)) {
        Some((None, _)) => Effect::Add,
        Some((_, None)) => Effect::Remove,
        _ => Effect::Update,
    };
    ElementDiff {
        nested: pair.nested.clone(),
        section: section.to_owned(),
        id: id.map(str::to_owned),
        effect,
        changes: changes.into_iter().map(updated).collect(),
    }
}

fn updated(it: Difference) -> PropertyChange {
    PropertyChange { path: it.path, before: it.before, after: it.after, effect: Effect::Update }
}

/// The changes of what the template does not show. `is_stored` says that the base was read from CloudFormation, which
/// gives the values of all parameters.
fn settings(base: &Stack, stack: &Stack, is_stored: bool) -> Vec<PropertyChange> {
    let mut found = Vec::new();
    let mut maps = |what: &str, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>| {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
            let is_secret = what == VALUES && stack.template.is_secret(name);
            let value = |values: &BTreeMap<String, String>| {
                let value = values.get(name)?.as_str();
                Some(Value::from(if is_secret { SECRET } else { value }))
            };
            let path = format!("{what}.{name}");
            found.push(updated(Difference { path, before: value(before), after: value(after) }));
        }
    };
    maps("Tags", &base.tags, &stack.tags);
    let mut before = base.parameters.clone();
    if is_stored {
        before.retain(|name, _| stack.parameters.contains_key(name));
    }
    maps(VALUES, &before, &stack.parameters);
    let protection = |stack: &Stack| stack.termination_protection.map(Value::from);
    if stack.termination_protection.is_some()
        && base.termination_protection.unwrap_or_default() != stack.termination_protection.unwrap_or_default()
    {
        let path = "TerminationProtection".to_owned();
        found.push(updated(Difference { path, before: protection(base), after: protection(stack) }));
    }
    found
}

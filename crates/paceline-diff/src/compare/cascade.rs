//! Resources that are replaced because they refer to one that is.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Intrinsic, Node, Template, sub_variables, walk};
use serde_json::Value;

use crate::model::{Because, Effect};
use crate::rules;

/// For each resource that may be replaced because a property of it refers to a resource that is replaced, that property.
/// `replaced` are the resources that are replaced by their own changes. A new resource is never replaced.
pub(crate) fn cascade(
    template: &Template,
    replaced: &BTreeSet<String>,
    is_new: impl Fn(&str) -> bool,
) -> BTreeMap<String, Because> {
    let mut found: BTreeMap<String, Because> = BTreeMap::new();
    let mut latest: BTreeSet<String> = replaced.clone();
    while !latest.is_empty() {
        let mut next = BTreeSet::new();
        for (id, resource) in template.resources() {
            if replaced.contains(id) || found.contains_key(id) || is_new(id) {
                continue;
            }
            let properties = resource.properties.and_then(Value::as_object).into_iter().flatten();
            let because = properties.filter_map(|(name, value)| {
                let property = format!("Properties.{name}");
                let effect = rules::effect(resource.resource_type, &property, Some(value), None);
                let replaced =
                    (effect >= Effect::MayReplace).then(|| first_reference(value, &latest)).flatten()?;
                Some(Because { property, replaced })
            });
            if let Some(because) = because.min_by(|a, b| a.property.cmp(&b.property)) {
                next.insert(id.to_owned());
                found.insert(id.to_owned(), because);
            }
        }
        latest = next;
    }
    found
}

/// The first of these resources that a value refers to.
fn first_reference(value: &Value, to: &BTreeSet<String>) -> Option<String> {
    let mut found = None;
    walk(value, &mut |_, node| {
        if let Node::Intrinsic(it) = node
            && found.is_none()
        {
            found = referred(&it).into_iter().find(|name| to.contains(*name)).map(str::to_owned);
        }
    });
    found
}

fn referred<'v>(it: &Intrinsic<'v>) -> Vec<&'v str> {
    let mut names: Vec<&str> =
        it.reference().into_iter().chain(it.attribute().map(|(name, _)| name)).collect();
    let variables = it.substitution().into_iter().flat_map(sub_variables);
    names.extend(variables.map(|name| name.split('.').next().unwrap_or_default()));
    names
}

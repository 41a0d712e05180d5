//! How long a stack operation takes: the longest chain of resources inside the stack.
//!
//! CloudFormation works on resources in parallel and waits only where one refers to another, so a
//! stack takes as long as its heaviest chain and not as the sum of its resources.

use std::collections::HashMap;
use std::time::Duration;

use paceline_assembly::{NestedTemplate, Resource, Stack, Template};
use serde_json::Value;

use super::durations::{Durations, ResourceOperation, Source};
use crate::model::graph::Graph;

/// CloudFormation's own time before the first and after the last resource of an operation, both together. An
/// estimate: no figure is documented. Published deployments take about so much longer than their resources.
pub const STACK_OVERHEAD: Duration = Duration::from_secs(12);
/// How long the stack around a nested one takes to start it, and to see its end. An estimate too.
pub const NESTED_NOTICE: Duration = Duration::from_secs(1);

/// How long an operation on a stack typically takes.
pub fn typical_of(stack: &Stack, durations: &Durations, operation: ResourceOperation) -> Duration {
    Resources::of(stack, operation, durations).time()
}

/// The resources of a stack, what each waits for inside it, and how long each takes.
#[derive(Debug)]
pub(crate) struct Resources<'a> {
    /// The logical ids.
    pub(crate) ids: Vec<&'a str>,
    /// Their types.
    pub(crate) types: Vec<&'a str>,
    /// What waits for what, by position.
    pub(crate) graph: Graph,
    /// How long each takes.
    pub(crate) weights: Vec<Duration>,
    /// The types that are in no table, and all, nested stacks included.
    unknown: (usize, usize),
}

impl<'a> Resources<'a> {
    /// The resources of a stack.
    pub(crate) fn of(stack: &'a Stack, operation: ResourceOperation, durations: &Durations) -> Self {
        Self::of_template(&stack.template, &[], &stack.nested, operation, durations)
    }

    /// `path` is the logical ids of the nested stacks that lead to the template, outermost first.
    fn of_template(
        template: &'a Template,
        path: &[String],
        nested: &'a [NestedTemplate],
        operation: ResourceOperation,
        durations: &Durations,
    ) -> Self {
        let resolver = template.resolver();
        // What a condition leaves out takes no time.
        let resources = template.resources().filter(|(_, resource)| !resolver.is_left_out(resource.body));
        let resources: Vec<(&str, Resource<'_>)> = resources.collect();
        let len = resources.len();
        let mut all = Self {
            ids: Vec::with_capacity(len),
            types: Vec::with_capacity(len),
            graph: Graph::new(len),
            weights: Vec::with_capacity(len),
            unknown: (0, len),
        };
        let numbers: HashMap<&str, usize> =
            resources.iter().enumerate().map(|(number, (id, _))| (*id, number)).collect();
        let children: HashMap<&str, &NestedTemplate> = nested
            .iter()
            .filter(|child| child.parents == path)
            .map(|child| (child.logical_id.as_str(), child))
            .collect();
        for (number, (id, resource)) in resources.into_iter().enumerate() {
            let kind = resource.resource_type;
            all.ids.push(id);
            all.types.push(kind);
            let weight = if let Some(child) = children.get(id) {
                let path: Vec<String> =
                    path.iter().map(String::as_str).chain([id]).map(str::to_owned).collect();
                let inner = Resources::of_template(&child.template, &path, nested, operation, durations);
                all.unknown.0 += inner.unknown.0;
                all.unknown.1 += inner.unknown.1;
                NESTED_NOTICE + inner.time() + NESTED_NOTICE
            } else {
                let is_unknown = durations.lookup(kind, operation).source == Source::Default;
                all.unknown.0 += usize::from(is_unknown);
                durations.of(kind, operation)
            };
            all.weights.push(weight);
            let graph = &mut all.graph;
            let mut need = |name: &str| {
                if let Some(&other) = numbers.get(name).filter(|&&other| other != number) {
                    graph.add(number, other);
                }
            };
            resource.depends_on.iter().copied().for_each(&mut need);
            for value in resource.properties.into_iter().chain(resource.metadata) {
                references(value, &mut need);
            }
        }
        all
    }

    /// Of an update from another template: what has not changed takes no time, and what is new is created.
    pub(crate) fn since(mut self, before: &Stack, now: &Stack, durations: &Durations) -> Self {
        let of = |stack: &'_ Stack, id: &str| stack.template.resource(id).map(|it| it.body.clone());
        for (number, id) in self.ids.iter().enumerate() {
            match of(before, id) {
                None => self.weights[number] = durations.of(self.types[number], ResourceOperation::Create),
                same if same == of(now, id) => self.weights[number] = Duration::ZERO,
                Some(_) => {}
            }
        }
        self
    }

    /// How long the operation takes. CloudFormation refuses a template without resources, so nothing is done.
    pub(crate) fn time(&self) -> Duration {
        if self.ids.is_empty() {
            return Duration::ZERO;
        }
        self.ends().into_iter().max().unwrap_or_default() + STACK_OVERHEAD / 2
    }

    /// When each resource is complete, from the start of the operation. CloudFormation refuses a cycle; the
    /// forecast of such a stack is its heaviest resource.
    pub(crate) fn ends(&self) -> Vec<Duration> {
        let mut ends = self.weights.clone();
        for number in self.graph.order().unwrap_or_default() {
            let before = self.graph.needs(number).iter().map(|&need| ends[need]).max();
            ends[number] += before.unwrap_or_default();
        }
        ends.into_iter().map(|end| end + STACK_OVERHEAD / 2).collect()
    }

    /// The resources of the heaviest chain, from its first to its last.
    pub(crate) fn longest_chain(&self) -> Vec<usize> {
        self.graph
            .order()
            .map_or_else(|_| Vec::new(), |order| self.graph.critical_path(&order, &self.weights))
    }

    /// Whether most of the types are in no table, so that the time says little.
    pub(crate) fn is_mostly_unknown(&self) -> bool {
        self.unknown.0 * 2 > self.unknown.1
    }
}

/// Every name that the value's intrinsics refer to: `Ref`, `Fn::GetAtt`, `${…}` in `Fn::Sub`.
pub(crate) fn references(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        Value::Object(map) => {
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("Ref", Value::String(name)) => visit(name),
                    ("Fn::GetAtt", Value::String(path)) => visit(path.split('.').next().unwrap_or_default()),
                    ("Fn::GetAtt", Value::Array(path)) => {
                        if let Some(name) = path.first().and_then(Value::as_str) {
                            visit(name);
                        }
                    }
                    ("Fn::Sub", Value::String(pattern)) => in_pattern(pattern, visit),
                    ("Fn::Sub", Value::Array(parts)) => {
                        if let Some(pattern) = parts.first().and_then(Value::as_str) {
                            in_pattern(pattern, visit);
                        }
                        parts.iter().skip(1).for_each(|part| references(part, visit));
                    }
                    _ => references(inner, visit),
                }
            }
        }
        _ => {}
    }
}

fn in_pattern(pattern: &str, visit: &mut impl FnMut(&str)) {
    for part in pattern.split("${").skip(1) {
        if let Some((name, _)) = part.split_once('}') {
            visit(name.split('.').next().unwrap_or_default());
        }
    }
}

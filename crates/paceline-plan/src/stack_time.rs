//! How long a stack operation takes: the longest chain of resources inside the stack.
//!
//! CloudFormation works on resources in parallel and waits only where one refers to another, so a
//! stack takes as long as its heaviest chain and not as the sum of its resources.

use std::collections::HashMap;
use std::time::Duration;

use paceline_assembly::{NestedTemplate, Stack};
use serde_json::Value;

use crate::durations::{Durations, Operation};
use crate::graph::Graph;

/// CloudFormation's own time before the first and after the last resource of an operation. An
/// estimate: no figure is documented.
pub const STACK_OVERHEAD: Duration = Duration::from_secs(4);

/// How long creating a stack typically takes.
pub fn typical(stack: &Stack, durations: &Durations) -> Duration {
    typical_of(stack, durations, Operation::Create)
}

/// How long an operation on a stack typically takes.
pub fn typical_of(stack: &Stack, durations: &Durations, operation: Operation) -> Duration {
    template_time(stack.template.value(), &[], &stack.nested, durations, operation)
}

/// `path` is the logical ids of the nested stacks that lead to the template, outermost first.
fn template_time(
    template: &Value,
    path: &[String],
    nested: &[NestedTemplate],
    durations: &Durations,
    operation: Operation,
) -> Duration {
    let Some(resources) = template["Resources"].as_object() else { return STACK_OVERHEAD };
    let numbers: HashMap<&str, usize> =
        resources.keys().enumerate().map(|(number, id)| (id.as_str(), number)).collect();
    let children: HashMap<&str, &NestedTemplate> = nested
        .iter()
        .filter(|child| child.parents == path)
        .map(|child| (child.logical_id.as_str(), child))
        .collect();
    let mut graph = Graph::new(resources.len());
    let mut weights = Vec::with_capacity(resources.len());
    for (number, (id, resource)) in resources.iter().enumerate() {
        let kind = resource["Type"].as_str().unwrap_or_default();
        weights.push(match children.get(id.as_str()) {
            Some(child) => {
                let path: Vec<String> = path.iter().chain([id]).cloned().collect();
                template_time(child.template.value(), &path, nested, durations, operation)
            }
            None => durations.of(kind, operation),
        });
        let mut need = |name: &str| {
            if let Some(&other) = numbers.get(name).filter(|&&other| other != number) {
                graph.add(number, other);
            }
        };
        match &resource["DependsOn"] {
            Value::String(name) => need(name),
            Value::Array(names) => names.iter().filter_map(Value::as_str).for_each(need),
            _ => {}
        }
        references(&resource["Properties"], &mut |name| {
            if let Some(&other) = numbers.get(name).filter(|&&other| other != number) {
                graph.add(number, other);
            }
        });
    }
    // A deletion goes the other way, which makes its heaviest chain no other. CloudFormation refuses a cycle; the forecast of such a stack is its heaviest resource.
    let longest = match graph.order() {
        Ok(order) => graph.remaining(&order, &weights).into_iter().max(),
        Err(_) => weights.iter().copied().max(),
    };
    longest.unwrap_or_default() + STACK_OVERHEAD
}

/// Every name that the value's intrinsics refer to: `Ref`, `Fn::GetAtt`, `${…}` in `Fn::Sub`.
fn references(value: &Value, visit: &mut impl FnMut(&str)) {
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

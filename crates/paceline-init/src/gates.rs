//! Where something depends on a role that was only just created.

use std::collections::BTreeSet;

use paceline_assembly::{Assembly, Stack};
use paceline_plan::{Plan, Reason};
use paceline_text::first_few;
use paceline_yaml::inline;
use serde_json::Value;

use crate::out::Out;

/// How many stacks that use a role are named.
const NAMED: usize = 3;

/// Writes a gate after each stack that hands a role of its own to another.
pub(crate) fn write(out: &mut Out, assembly: &Assembly, plan: &Plan) {
    let mut gates: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for stack in &assembly.stacks {
        let dependents: BTreeSet<&str> = plan
            .stacks
            .iter()
            .filter(|it| it.depends_on.iter().any(|edge| edge.to == stack.id && hands_over(edge.reason)))
            .map(|it| it.id.as_str())
            .collect();
        if !dependents.is_empty() && hands_out_role(stack) {
            gates.push((&stack.id, dependents));
        }
    }
    if gates.is_empty() {
        return;
    }
    out.blank();
    out.comment(
        "A new IAM role takes a while to be usable everywhere. These stacks hand roles of theirs to others, which \
         wait until the roles are.",
    );
    out.line("gates:");
    for (stack, dependents) in gates {
        let users = first_few(dependents, NAMED);
        out.line(&format!("  - after: {} # used by {users}", inline::word(stack)));
        out.line("    iam-roles: all");
    }
}

fn hands_over(reason: Reason) -> bool {
    matches!(reason, Reason::Import | Reason::Output | Reason::Ssm | Reason::CrossRegion)
}

/// Whether a role of the stack is what it exports or keeps in a parameter.
fn hands_out_role(stack: &Stack) -> bool {
    let opened = stack.opened();
    let roles: BTreeSet<&str> = opened
        .template
        .resources()
        .filter(|(_, resource)| {
            matches!(resource.resource_type, "AWS::IAM::Role" | "AWS::IAM::InstanceProfile")
        })
        .map(|(id, _)| id)
        .collect();
    if roles.is_empty() {
        return false;
    }
    let outputs = opened.template.outputs().map(|(_, output)| output);
    let parameters = opened.template.resources().filter_map(|(_, resource)| match resource.resource_type {
        "AWS::SSM::Parameter" | "Custom::CrossRegionExportWriter" => resource.properties,
        _ => None,
    });
    outputs.chain(parameters).any(|value| names_one_of(value, &roles))
}

/// Whether a `Ref` or an `Fn::GetAtt` somewhere in a value names one of the resources.
fn names_one_of(value: &Value, ids: &BTreeSet<&str>) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            let named = match (key.as_str(), value) {
                ("Ref" | "Fn::GetAtt", Value::String(text)) => text.split('.').next(),
                ("Fn::GetAtt", Value::Array(parts)) => parts.first().and_then(Value::as_str),
                _ => None,
            };
            named.is_some_and(|id| ids.contains(id)) || names_one_of(value, ids)
        }),
        Value::Array(items) => items.iter().any(|item| names_one_of(item, ids)),
        _ => false,
    }
}

//! What a stack read from elsewhere: parameters of Parameter Store, and outputs of other stacks.
//!
//! AWS does not document whether an update with the same template finds out that such a value has changed. The simulator
//! assumes that it does.

use serde_json::Value;

use crate::world::{Stack, World, text_of};

/// Whether anything that the stack read when it was last deployed has another value now.
pub(crate) fn has_changed(world: &World, stack: &Stack) -> bool {
    let template = &stack.desired.template;
    let scope = stack.desired.scope(world, &stack.key, &stack.name, &stack.resources);
    let resources = template.resources().any(|(id, body)| {
        let had = stack.resources.get(id).filter(|it| !it.is_gone() && it.applied);
        let (Some(had), Some(properties)) = (had, body.properties.filter(|it| reads(it))) else {
            return false;
        };
        let now = scope.properties(&format!("Resources.{id}.Properties"), properties);
        now.map_or(true, |(now, _)| now != *had.properties)
    });
    let outputs = || {
        template.outputs().any(|(key, body)| {
            let had = stack.outputs.iter().find(|output| output.key == key);
            let (Some(had), Some(value)) = (had, body.get("Value").filter(|it| reads(it))) else {
                return false;
            };
            let now = scope.value(&format!("Outputs.{key}.Value"), value);
            now.map_or(true, |now| text_of(&now) != had.value)
        })
    };
    resources || outputs()
}

fn reads(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{resolve:ssm"),
        Value::Array(items) => items.iter().any(reads),
        Value::Object(map) => map.iter().any(|(key, inner)| key == "Fn::GetStackOutput" || reads(inner)),
        _ => false,
    }
}

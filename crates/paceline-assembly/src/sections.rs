//! The entries of a template's section `Resources`.

use serde_json::Value;

/// The key that calls a macro, in place of a name.
pub(crate) const MACRO: &str = "Fn::Transform";

/// Whether the entry of a section is a resource, and not the call of a macro.
pub(crate) fn is_resource(id: &str, body: &Value) -> bool {
    body.is_object() && id != MACRO
}

/// The number of resources in a template.
pub(crate) fn count_resources(template: &Value) -> usize {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources.map_or(0, |all| all.iter().filter(|(id, body)| is_resource(id, body)).count())
}

//! Reads members of a JSON request.

use serde_json::Value;

use super::answer::Fault;

/// A member that is required to be text.
pub(crate) fn text<'a>(json: &'a Value, key: &str) -> Result<&'a str, Fault> {
    json[key].as_str().ok_or_else(|| {
        Fault::bad(
            "ValidationException",
            format!("1 validation error detected: Value null at '{key}' failed to satisfy constraint: Member must not be null"),
        )
    })
}

/// A member that is a list of texts.
pub(crate) fn strings<'a>(json: &'a Value, key: &str) -> Vec<&'a str> {
    json[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

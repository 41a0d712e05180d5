//! Values, each with whether the simulator made it up.

use serde_json::Value;

/// A value, and whether any part of it is made up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) value: Value,
    pub(crate) made_up: bool,
}

impl Known {
    /// A value from a template or a request.
    pub(crate) fn said(value: impl Into<Value>) -> Self {
        Self { value: value.into(), made_up: false }
    }

    /// A value that the simulator made up.
    pub(crate) fn made_up(value: impl Into<Value>) -> Self {
        Self { value: value.into(), made_up: true }
    }
}

/// A value as text, as `Fn::Join` or a parameter needs it.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

//! When two texts of templates are the same.

use paceline_assembly::is_stored_as;
use paceline_plan::without_times;
use serde_json::Value;

/// When two texts of templates are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Equality {
    /// Whether the base was read from CloudFormation, which replaces characters outside of ASCII.
    pub(crate) is_stored: bool,
    /// Whether texts are compared without the times of their synthesis.
    pub(crate) ignores_times: bool,
}

impl Equality {
    pub(crate) fn texts(self, before: &str, after: &str) -> bool {
        if before == after || (self.is_stored && is_stored_as(before, after)) {
            return true;
        }
        self.ignores_times && {
            let (before, after) = (without_times(before), without_times(after));
            before == after || (self.is_stored && is_stored_as(&before, &after))
        }
    }

    pub(crate) fn values(self, before: &Value, after: &Value) -> bool {
        match (before, after) {
            (Value::String(before), Value::String(after)) => self.texts(before, after),
            (Value::Array(before), Value::Array(after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|(before, after)| self.values(before, after))
            }
            (Value::Object(before), Value::Object(after)) => {
                let other = |key: &str| {
                    after.get(key).or_else(|| Some(after.iter().find(|(other, _)| self.texts(key, other))?.1))
                };
                before.len() == after.len()
                    && before
                        .iter()
                        .all(|(key, value)| other(key).is_some_and(|other| self.values(value, other)))
            }
            (before, after) => before == after,
        }
    }
}

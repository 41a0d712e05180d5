//! Limits the work of resolving a template's functions: a few hundred bytes of nested `Fn::Sub` can describe
//! a text of gigabytes.

use std::cell::Cell;

use serde_json::Value;

/// The limit of one text, in addition to twice the template: few texts are longer than their template.
const TEXT: usize = 64 << 10;
/// The limit of all texts together, in addition to ten times the template.
const ALL: usize = 8 << 20;

/// Counts the values that are read and the bytes that are produced.
#[derive(Debug)]
pub(super) struct Bounds {
    text: usize,
    left_of_text: Cell<usize>,
    left_of_all: Cell<usize>,
    exceeded: Cell<bool>,
}

impl Bounds {
    pub(super) fn of(template: &Value) -> Self {
        let size = size(template);
        let text = TEXT + 2 * size;
        Self {
            text,
            left_of_text: Cell::new(text),
            left_of_all: Cell::new(ALL + 10 * size),
            exceeded: Cell::new(false),
        }
    }

    /// Produces one value within the limits. `None` if a limit was exceeded.
    pub(super) fn one<T>(&self, make: impl FnOnce() -> T) -> Option<T> {
        self.left_of_text.set(self.text);
        let before = self.exceeded.take();
        let made = make();
        let exceeded = self.exceeded.get();
        self.exceeded.set(before || exceeded);
        (!exceeded).then_some(made)
    }

    /// Takes `cost` from the limits. Once this fails, it fails for the rest of the text.
    pub(super) fn spend(&self, cost: usize) -> bool {
        let text = self.left_of_text.get().checked_sub(cost);
        let all = self.left_of_all.get().checked_sub(cost);
        if text.is_none() || all.is_none() {
            self.exceeded.set(true);
        }
        self.left_of_text.set(text.unwrap_or_default());
        self.left_of_all.set(if text.is_some() { all.unwrap_or_default() } else { self.left_of_all.get() });
        text.is_some() && all.is_some()
    }

    /// Whether any limit was exceeded since the last call.
    pub(super) fn take_exceeded(&self) -> bool {
        self.exceeded.take()
    }
}

/// The approximate length of a value as text.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => 3 + text.len(),
        Value::Array(items) => 2 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields.iter().map(|(key, field)| 4 + key.len() + size(field)).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
    }
}

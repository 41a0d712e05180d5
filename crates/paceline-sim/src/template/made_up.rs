//! Replacements for made-up values that do not have the form that a function needs.
//!
//! Ids, attributes and foreign parameters are made up, in the form of their type as far as that is known. A
//! function that takes them apart must not fail because of that: only values from the template may make it
//! fail. Every value therefore records whether any part of it is made up, through outputs, exports and
//! parameters. `Fn::Select`, `Fn::Split`, `Fn::Cidr` and similar functions then use a plausible value instead
//! of failing.

use serde_json::Value;

use crate::world::{Known, text_of};

/// The block that `Fn::Cidr` uses instead of a made-up value that is no block.
pub(super) const BLOCK: &str = "10.0.0.0/16";

/// A list that replaces a value that is no list.
pub(super) fn list(value: &Value) -> Vec<Value> {
    text_of(value).split(',').map(|item| Value::String(item.to_owned())).collect()
}

/// An item that replaces a missing item of a list.
pub(super) fn item(items: &[Value]) -> Value {
    items.last().cloned().unwrap_or_else(|| Value::String("made-up".to_owned()))
}

/// An entry of the mappings, where a missing key that is made up stands for any key.
pub(super) fn entry<'a>(maps: &'a Value, keys: &[Known; 3]) -> Option<&'a Value> {
    keys.iter().try_fold(maps, |map, key| {
        let any = || map.as_object()?.values().next().filter(|_| key.made_up);
        map.get(text_of(&key.value)).or_else(any)
    })
}

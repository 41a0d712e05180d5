//! What stands in for a value that the simulator made up where its form does not fit.
//!
//! Ids, attributes and foreign parameters are made up, in the form that their type has as far as that is known. A
//! function that takes them apart must not fail for that: only what the template itself says may fail. So every
//! value carries whether any part of it is made up, through outputs, exports and parameters, and `Fn::Select`,
//! `Fn::Split`, `Fn::Cidr` and the like then take something plausible instead of failing.

use serde_json::Value;

use crate::world::{Known, text_of};

/// The block of addresses that `Fn::Cidr` takes where it got something else.
pub(super) const BLOCK: &str = "10.0.0.0/16";

/// A list in the place of what is none.
pub(super) fn list(value: &Value) -> Vec<Value> {
    text_of(value).split(',').map(|item| Value::String(item.to_owned())).collect()
}

/// An item of a list that has no item at the wanted place.
pub(super) fn item(items: &[Value]) -> Value {
    items.last().cloned().unwrap_or_else(|| Value::String("made-up".to_owned()))
}

/// An entry of the mappings, where a key that is not there is made up.
pub(super) fn entry<'a>(maps: &'a Value, keys: &[Known; 3]) -> Option<&'a Value> {
    keys.iter().try_fold(maps, |map, key| {
        let any = || map.as_object()?.values().next().filter(|_| key.made_up);
        map.get(text_of(&key.value)).or_else(any)
    })
}

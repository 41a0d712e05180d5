//! Replaces loops with the entries that they expand to.

use serde_json::{Map, Value};

use super::{LOOP, LoopTrouble, LoopTroubleKind, LoopValues, SECTIONS};
use crate::values::UNKNOWN;

/// The number of loops that may be nested in each other.
pub(super) const MAX_DEPTH: usize = 5;
/// The number of problems that are reported.
const MOST_TROUBLES: usize = 100;
/// The memory of a value without its text, in bytes.
const NODE: usize = 64;

/// The way in which loops are expanded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Goes {
    /// Each loop once per element, within this many bytes.
    Through(usize),
    /// Each loop once, as if its elements were not known.
    Once,
}

pub(super) struct Expander<'a> {
    template: &'a Value,
    values: &'a dyn LoopValues,
    goes: Goes,
    /// The bytes that are left.
    left: usize,
    /// The loop in which the bytes ran out.
    exceeded: Option<String>,
    /// The elements by identifier, with the outermost loop first.
    elements: Vec<(&'a str, String)>,
    depth: usize,
    /// The keys that lead to the current value.
    path: Vec<&'a str>,
    troubles: Vec<LoopTrouble>,
}

impl<'a> Expander<'a> {
    pub(super) fn new(template: &'a Value, values: &'a dyn LoopValues, goes: Goes) -> Self {
        let left = match goes {
            Goes::Through(room) => room,
            Goes::Once => usize::MAX,
        };
        Self {
            template,
            values,
            goes,
            left,
            exceeded: None,
            elements: Vec::new(),
            depth: 0,
            path: Vec::new(),
            troubles: Vec::new(),
        }
    }

    /// Expands all loops. Returns the template, the problems, and the loop in which the bytes ran out.
    pub(super) fn all(mut self) -> (Value, Vec<LoopTrouble>, Option<String>) {
        let mut expanded = Map::new();
        for (section, body) in self.template.as_object().into_iter().flatten() {
            let body = if SECTIONS.contains(&section.as_str()) {
                self.path.push(section);
                let mut body = self.value(body);
                self.path.pop();
                self.attributes(&mut body);
                body
            } else {
                body.clone()
            };
            expanded.insert(section.clone(), body);
        }
        (Value::Object(expanded), self.troubles, self.exceeded)
    }

    /// Replaces functions in those attributes of resources and outputs that need names.
    fn attributes(&self, section: &mut Value) {
        for entry in
            section.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut)
        {
            for attribute in ["Condition", "DeletionPolicy", "UpdateReplacePolicy"] {
                let function = entry.get(attribute).filter(|value| value.is_object());
                match function.and_then(|function| self.values.name(function)) {
                    Some(Value::Null) => drop(entry.remove(attribute)),
                    Some(name) => drop(entry.insert(attribute.to_owned(), name)),
                    None => {}
                }
            }
        }
    }

    fn value(&mut self, value: &'a Value) -> Value {
        if !self.has_room(NODE) {
            return Value::Null;
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => {
                if let Some(value) = self.reference(fields) {
                    return value;
                }
                let mut out = Map::new();
                self.fragment(fields, &mut out);
                Value::Object(out)
            }
            scalar => scalar.clone(),
        }
    }

    /// A `Ref` to an element, or a `Ref` or an `Fn::GetAtt` with a function in the place of a name.
    fn reference(&mut self, fields: &'a Map<String, Value>) -> Option<Value> {
        let (key, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
        let argument = match (key.as_str(), argument) {
            ("Ref", Value::String(name)) => {
                let element = self.element(name)?.to_owned();
                self.has_room(element.len());
                return Some(Value::String(element));
            }
            ("Ref", function @ Value::Object(_)) => self.name(function),
            ("Fn::GetAtt", Value::Array(parts)) => {
                Value::Array(parts.iter().map(|part| self.name(part)).collect())
            }
            _ => return None,
        };
        Some(Value::Object(Map::from_iter([(key.clone(), argument)])))
    }

    fn name(&mut self, value: &'a Value) -> Value {
        let value = self.value(value);
        match value.is_object().then(|| self.values.name(&value)).flatten() {
            Some(name @ Value::String(_)) => name,
            _ => value,
        }
    }

    /// Adds the entries of a map, including those of its loops.
    fn fragment(&mut self, fields: &'a Map<String, Value>, out: &mut Map<String, Value>) {
        let (loops, others): (Vec<_>, Vec<_>) = fields.iter().partition(|(key, _)| key.starts_with(LOOP));
        for (key, field) in others {
            self.path.push(key);
            let (key, field) = (self.text(key), self.value(field));
            // A key costs about as much as a value.
            if out.contains_key(&key) {
                self.trouble(LoopTroubleKind::Twice(key));
            } else if self.has_room(NODE) {
                out.insert(key, field);
            }
            self.path.pop();
        }
        for (key, field) in loops {
            self.path.push(key);
            self.each(field, out);
            self.path.pop();
        }
    }

    fn each(&mut self, field: &'a Value, out: &mut Map<String, Value>) {
        let parts = field.as_array().map(Vec::as_slice);
        let Some([identifiers, collection, Value::Object(fragment)]) = parts else {
            return self.trouble(LoopTroubleKind::Malformed);
        };
        let Some(identifiers) = texts(identifiers) else { return self.trouble(LoopTroubleKind::Malformed) };
        for name in &identifiers {
            let is_parameter = self.template["Parameters"].get(name).is_some();
            if is_parameter || self.element(name).is_some() {
                self.trouble(LoopTroubleKind::Taken((*name).to_owned()));
            }
        }
        let collection = self.value(collection);
        let elements = if self.depth >= MAX_DEPTH {
            self.trouble(LoopTroubleKind::TooDeep);
            None
        } else if self.goes == Goes::Once {
            None
        } else {
            let elements = self.values.collection(&collection);
            if elements.as_ref().is_none_or(|elements| elements.iter().any(is_partly_unknown)) {
                self.trouble(LoopTroubleKind::NotKnown);
            }
            elements
        };
        self.depth += 1;
        let known = self.elements.len();
        let elements = elements.unwrap_or_else(|| {
            let unknown = || Value::from(UNKNOWN.to_string());
            vec![Value::Array(identifiers.iter().map(|_| unknown()).collect())]
        });
        for element in elements {
            if let Some(texts) = element_texts(&element).filter(|texts| texts.len() == identifiers.len()) {
                self.elements.extend(identifiers.iter().copied().zip(texts));
                self.fragment(fragment, out);
                self.elements.truncate(known);
            } else {
                self.trouble(LoopTroubleKind::Malformed);
            }
            if !self.has_room(NODE) {
                break;
            }
        }
        self.depth -= 1;
    }

    /// A text with elements in the place of their identifiers. There is one pass: inserted text is not
    /// searched again.
    fn text(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{').filter(|_| !self.elements.is_empty()) {
            let (before, after) = rest.split_at(start);
            let element =
                after[1..].find('}').and_then(|end| Some((self.element(&after[1..=end])?, end + 2)));
            let marked = before.strip_suffix('$').map(|it| (it, false));
            let marked = marked.or_else(|| before.strip_suffix('&').map(|it| (it, true)));
            let (Some((element, end)), Some((before, only_alphanumeric))) = (element, marked) else {
                out.push_str(&rest[..=start]);
                rest = &rest[start + 1..];
                continue;
            };
            out.push_str(before);
            if only_alphanumeric {
                out.extend(element.chars().filter(|c| c.is_ascii_alphanumeric() || *c == UNKNOWN));
            } else {
                out.push_str(element);
            }
            rest = &after[end..];
            if out.len() > self.left {
                break;
            }
        }
        out.push_str(rest);
        self.has_room(out.len());
        out
    }

    /// The element of the innermost loop with this identifier.
    fn element(&self, name: &str) -> Option<&str> {
        let found = self.elements.iter().rev().find(|(identifier, _)| *identifier == name);
        found.map(|(_, element)| element.as_str())
    }

    /// Takes this many of the bytes that are left. Returns false if there are not enough.
    fn has_room(&mut self, bytes: usize) -> bool {
        if self.left >= bytes && self.exceeded.is_none() {
            self.left -= bytes;
            return true;
        }
        self.left = 0;
        if self.exceeded.is_none() {
            self.exceeded = Some(self.place());
        }
        false
    }

    fn trouble(&mut self, kind: LoopTroubleKind) {
        if self.troubles.len() < MOST_TROUBLES {
            let trouble = LoopTrouble { place: self.place(), kind };
            if !self.troubles.contains(&trouble) {
                self.troubles.push(trouble);
            }
        }
    }

    /// The path to the innermost loop around the current value, or to the value itself.
    fn place(&self) -> String {
        let end =
            self.path.iter().rposition(|key| key.starts_with(LOOP)).map_or(self.path.len(), |at| at + 1);
        self.path[..end].join(".")
    }
}

/// The number of entries that a fragment expands to, which may be more than can be created.
pub(super) fn count(fragment: &Value, values: &dyn LoopValues) -> usize {
    let entries = fragment.as_object().into_iter().flatten();
    let counts =
        entries.map(|(key, value)| match (key.starts_with(LOOP), value.as_array().map(Vec::as_slice)) {
            (true, Some([_, collection, fragment])) => {
                let elements = values.collection(collection).map_or(1, |elements| elements.len());
                elements.saturating_mul(count(fragment, values))
            }
            _ => 1,
        });
    counts.fold(0, usize::saturating_add)
}

/// A text, or a non-empty list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(vec![text]),
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| item.as_str().filter(|text| !text.is_empty())).collect()
        }
        _ => None,
    }
}

fn element_texts(element: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    match element {
        Value::Array(items) => items.iter().map(text).collect(),
        single => text(single).map(|text| vec![text]),
    }
}

fn is_partly_unknown(element: &Value) -> bool {
    match element {
        Value::String(text) => text.contains(UNKNOWN),
        Value::Array(items) => items.iter().any(is_partly_unknown),
        _ => false,
    }
}

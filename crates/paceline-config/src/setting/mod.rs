//! How a setting is read from the file, and how the JSON Schema describes it: one [`Setting`] for each type of value.
//!
//! Structs and enums are declared with [`settings!`] and [`choices!`], which make both out of the declaration: the key
//! is the name of the field, the description its documentation, and the default what stands behind the `=`.

mod choices;
mod problem;
mod settings;
mod values;

use paceline_yaml::{Key, Kind, Node};
use serde_json::{Map, Value, json};

pub(crate) use choices::choices;
pub use problem::SettingError;
pub(crate) use problem::{Problem, one_of};
pub(crate) use settings::settings;
pub(crate) use values::{DURATION_PATTERN, not_a_duration, shown_as_written, text, text_setting};

/// A value of `paceline.yaml`.
pub(crate) trait Setting: Sized {
    /// Reads the value.
    fn read(node: &Node) -> Result<Self, Problem>;

    /// The JSON Schema of the value.
    fn schema() -> Value;

    /// The value of a key that is not there. `None` when the key must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// The value as the schema's `default` shows it. `None` shows no default.
    fn shown(&self) -> Option<Value> {
        None
    }
}

/// The entries of a map, by the fields of a struct.
pub(crate) struct Fields<'a> {
    node: &'a Node,
    entries: &'a [(Key, Node)],
    /// The keys that the struct has.
    known: &'a [String],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(node: &'a Node, known: &'a [String]) -> Result<Self, Problem> {
        let Kind::Map(entries) = &node.kind else {
            return Err(match &node.kind {
                Kind::Scalar { .. } if node.is_null() => Problem::at(
                    node.at,
                    "fields are expected here, and there are none",
                    "indent those that belong here, or remove the line",
                ),
                Kind::Scalar { text, .. } => Problem::at(
                    node.at,
                    format!("fields are expected here, and not `{text}`"),
                    "write them as `name: value`",
                ),
                _ => Problem::at(
                    node.at,
                    "fields are expected here, and not a list",
                    "write them as `name: value`",
                ),
            });
        };
        Ok(Self { node, entries, known })
    }

    /// The value of a key.
    pub(crate) fn read<T: Setting>(
        &self,
        key: &str,
        absent: impl FnOnce() -> Option<T>,
    ) -> Result<T, Problem> {
        match self.entries.iter().find(|(found, _)| found.text == key) {
            Some((_, node)) => T::read(node),
            None => match absent() {
                Some(value) => Ok(value),
                // A field that is not there may be there with another name.
                None => self.end().and_then(|()| Err(Problem::missing(self.node.at, key))),
            },
        }
    }

    /// Refuses a key that is not known. What is wrong with the values is said first: a field that a wrong indentation
    /// put here is known there.
    pub(crate) fn end(&self) -> Result<(), Problem> {
        match self.entries.iter().find(|(key, _)| !self.known.contains(&key.text)) {
            Some((key, _)) => {
                let hint = one_of(&key.text, self.known.iter().map(String::as_str));
                Err(Problem::at(key.at, format!("unknown field `{}`", key.text), hint))
            }
            None => Ok(()),
        }
    }
}

/// The key of a field in the file: `queued_timeout` is `queued-timeout` there.
pub(crate) fn key(field: &str) -> String {
    field.replace('_', "-")
}

/// The first paragraph of a documentation comment. What follows an empty line is for programmers.
pub(crate) fn description(lines: &[&str]) -> String {
    let paragraph = lines.iter().map(|line| line.trim()).take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

/// A field of a struct in the schema.
pub(crate) struct Property {
    pub(crate) key: String,
    pub(crate) description: String,
    pub(crate) schema: Value,
    pub(crate) default: Option<Value>,
    pub(crate) is_required: bool,
}

impl Property {
    pub(crate) fn new<T: Setting>(field: &str, documentation: &[&str], absent: Option<&T>) -> Self {
        Self {
            key: key(field),
            description: description(documentation),
            schema: T::schema(),
            default: absent.and_then(T::shown),
            is_required: absent.is_none(),
        }
    }
}

/// The schema of a struct.
pub(crate) fn object(documentation: &[&str], properties: Vec<Property>) -> Value {
    let required: Vec<String> =
        properties.iter().filter(|it| it.is_required).map(|it| it.key.clone()).collect();
    let property = |it: Property| {
        let mut schema = it.schema;
        schema["description"] = it.description.into();
        if let Some(default) = it.default {
            schema["default"] = default;
        }
        (it.key, schema)
    };
    let properties: Map<String, Value> = properties.into_iter().map(property).collect();
    let mut schema = json!({
        "type": "object",
        "description": description(documentation),
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

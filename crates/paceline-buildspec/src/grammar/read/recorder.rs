//! Records the requests of the reader as JSON Schema.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The grammar of one place of a buildspec.
#[derive(Debug, Default)]
pub(in crate::grammar) struct Recorder {
    schema: BTreeMap<&'static str, Value>,
    properties: BTreeMap<String, Value>,
    required: Vec<Value>,
    /// The paths of all properties, including nested ones.
    pub(in crate::grammar) paths: Vec<String>,
}

impl Recorder {
    pub(super) fn object(&mut self) {
        self.schema.insert("type", json!("object"));
        self.schema.insert("additionalProperties", json!(false));
    }

    /// The reader accepts YAML's numbers and booleans as texts, and a missing value too.
    pub(super) fn text(&mut self) {
        self.schema.insert("type", json!(["string", "number", "boolean", "null"]));
    }

    pub(super) fn pattern(&mut self, pattern: &str) {
        self.schema.insert("type", json!("string"));
        self.schema.insert("pattern", json!(pattern));
    }

    pub(super) fn count(&mut self) {
        self.schema.insert("type", json!("integer"));
        self.schema.insert("minimum", json!(1));
    }

    pub(super) fn flag(&mut self) {
        self.schema.insert("enum", json!([true, false, "yes", "no"]));
    }

    /// Words in upper or lower case. The list is for the suggestions of an editor, and the pattern for
    /// validation.
    pub(super) fn one_of<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        let words: Vec<&str> = words.collect();
        let numbers: Option<Vec<f64>> = words.iter().map(|word| word.parse().ok()).collect();
        if let Some(numbers) = numbers {
            let both = numbers.into_iter().map(Value::from).chain(words.into_iter().map(Value::from));
            self.schema.insert("enum", both.collect());
            return;
        }
        let patterns: Vec<_> = words.iter().map(|word| in_any_case(word)).collect();
        let pattern = format!("^({})$", patterns.join("|"));
        self.schema.insert("anyOf", json!([{ "enum": words }, { "type": "string", "pattern": pattern }]));
    }

    /// A list of texts, or a single text.
    pub(super) fn texts(&mut self) {
        self.schema.insert("type", json!(["array", "string", "number", "boolean", "null"]));
        self.schema.insert("items", json!({ "type": ["string", "number", "boolean", "null"] }));
    }

    pub(super) fn list(&mut self, items: Self) {
        self.schema.insert("type", json!("array"));
        let items = self.take_in(items);
        self.schema.insert("items", items);
    }

    pub(super) fn map(&mut self, values: Self) {
        self.schema.insert("type", json!("object"));
        let values = self.take_in(values);
        self.schema.insert("additionalProperties", values);
    }

    pub(super) fn require(&mut self, key: &str) {
        self.required.push(json!(key));
    }

    pub(super) fn property(&mut self, key: &str, path: &str, value: Self) {
        self.paths.push(path.to_owned());
        let mut value = self.take_in(value);
        if let Some(description) = crate::grammar::descriptions::description(path) {
            value["description"] = json!(description);
        }
        self.properties.insert(key.to_owned(), value);
    }

    pub(super) fn exactly_one(&mut self, keys: &[&str]) {
        let each = keys.iter().map(|key| json!({ "required": [key] }));
        self.schema.insert("oneOf", each.collect());
    }

    pub(super) fn not_both(&mut self, one: &str, other: &str) {
        self.schema.insert("not", json!({ "required": [one, other] }));
    }

    fn take_in(&mut self, mut inner: Self) -> Value {
        self.paths.append(&mut inner.paths);
        inner.schema()
    }

    pub(in crate::grammar) fn schema(self) -> Value {
        let mut schema: serde_json::Map<_, _> =
            self.schema.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        if !self.properties.is_empty() {
            schema.insert("properties".to_owned(), self.properties.into_iter().collect());
        }
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        Value::Object(schema)
    }
}

fn in_any_case(word: &str) -> String {
    let letter = |c: char| match c {
        _ if c.is_ascii_alphabetic() => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        _ if c.is_ascii_digit() || c == '/' => c.to_string(),
        _ => format!("\\{c}"),
    };
    word.chars().map(letter).collect()
}

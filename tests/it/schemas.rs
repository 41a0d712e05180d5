//! `paceline schema`, and the JSON that commands print: the published schemas describe all of it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use crate::harness::{Place, Ran};
use crate::workshop;

impl Ran {
    /// The document on stdout, which is as the published schema says.
    #[track_caller]
    pub(crate) fn document(&self, schema: &str) -> Value {
        let document = self.stdout_json();
        assert_is(schema, &document);
        document
    }

    /// The documents on the lines of stdout, each as the published schema says.
    #[track_caller]
    pub(crate) fn documents(&self, schema: &str) -> Vec<Value> {
        let documents: Vec<Value> =
            self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!documents.is_empty(), "{}", self.stderr);
        for document in &documents {
            assert_is(schema, document);
        }
        documents
    }
}

/// Fails unless a document is as a published schema says, and has no field without a description.
#[track_caller]
pub(crate) fn assert_is(schema: &str, document: &Value) {
    static READ: LazyLock<Mutex<BTreeMap<String, Value>>> = LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap();
    let published = read.entry(schema.to_owned()).or_insert_with(|| {
        let path = workshop::repository().join(format!("docs/schema/{schema}.schema.json"));
        serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
    });
    let mut found = Vec::new();
    wrong(document, published, schema, &mut found);
    drop(read);
    assert_eq!(found, [""; 0], "{document:#}");
}

/// Collects what is wrong with a value, for the keywords of the schemas of documents.
fn wrong(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    const KNOWN: [&str; 11] = [
        "$schema",
        "title",
        "description",
        "type",
        "properties",
        "additionalProperties",
        "required",
        "items",
        "anyOf",
        "const",
        "minimum",
    ];
    let keywords = schema.as_object().unwrap();
    for keyword in keywords.keys() {
        assert!(KNOWN.contains(&keyword.as_str()), "{path}: {keyword} is not checked by this test");
    }
    let is_of = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let is_typed = match keywords.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is_of),
        Some(kind) => is_of(kind),
        None => true,
    };
    let accepts = |schema: &Value| {
        let mut found = Vec::new();
        wrong(value, schema, path, &mut found);
        found.is_empty()
    };
    let is_any = keywords.get("anyOf").is_none_or(|all| all.as_array().unwrap().iter().any(accepts));
    let is_constant = keywords.get("const").is_none_or(|constant| constant == value);
    let is_large = keywords.get("minimum").is_none_or(|minimum| value.as_f64() >= minimum.as_f64());
    if !(is_typed && is_any && is_constant && (is_large || value.is_null())) {
        found.push(format!("{path}: {value} is not as the schema says"));
    }
    for key in keywords.get("required").and_then(Value::as_array).into_iter().flatten() {
        if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
            found.push(format!("{path}: {key} is missing"));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        wrong(item, &schema["items"], &format!("{path}[]"), found);
    }
    // A list may have items of several kinds, and an object of which nothing is promised any fields.
    let is_open = keywords.get("properties").is_none() && keywords.get("additionalProperties").is_none();
    for (key, value) in value.as_object().into_iter().flatten().filter(|_| !is_open) {
        let path = format!("{path}.{key}");
        match schema["properties"].get(key).or(keywords.get("additionalProperties")) {
            Some(schema) => wrong(value, schema, &path, found),
            None => found.push(format!("{path} is in no schema")),
        }
    }
}

/// What `paceline schema` can print.
fn published() -> Vec<String> {
    let ran = Place::new().paceline(["schema", "nothing"]).run().expect(2);
    let (_, values) = ran.stderr.split_once("[possible values: ").unwrap();
    let (values, _) = values.split_once(']').unwrap();
    values.split(',').map(|value| value.trim().to_owned()).collect()
}

#[test]
fn the_committed_schemas_are_those_that_are_printed() {
    let place = Place::new();
    let mut files = Vec::new();
    for of in published() {
        let file = if of == "config" { "paceline" } else { &of };
        let committed = workshop::repository().join(format!("docs/schema/{file}.schema.json"));
        let printed = place.paceline(["schema", &of]).run().expect(0).stdout;
        assert!(
            printed == fs_err::read_to_string(committed).unwrap(),
            "{file} is stale: run cargo xtask schema"
        );
        files.push(format!("{file}.schema.json"));
    }
    files.sort();
    let committed = workshop::repository().join("docs/schema").read_dir().unwrap();
    let mut committed: Vec<_> =
        committed.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    committed.sort();
    assert_eq!(files, committed);
    assert_eq!(place.paceline(["schema"]).run().stdout, place.paceline(["schema", "config"]).run().stdout);
}

#[test]
fn every_command_with_json_has_a_published_schema() {
    let page = fs_err::read_to_string(workshop::repository().join("docs/json.md")).unwrap();
    for of in published() {
        let link = format!("](schema/{of}.schema.json)");
        assert!(["config", "buildspec"].contains(&of.as_str()) || page.contains(&link), "{of}");
    }
    let reference =
        fs_err::read_to_string(workshop::repository().join("docs/reference/commands.md")).unwrap();
    for section in reference.split("\n## ").skip(1) {
        let (command, help) = section.split_once('\n').unwrap();
        let is_named = page.contains(&format!("`{command}`"));
        assert!(
            is_named || help.contains("\nCommands:\n"),
            "docs/json.md does not say what {command} prints"
        );
    }
}

//! The JSON Schema of buildspecs: it accepts what the reader accepts, and the committed file is up to date.

use paceline_buildspec::Buildspec;
use paceline_buildspec::grammar::schema;
use paceline_buildspec::yaml::parse;
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use crate::grammar::{BATCHES, LENIENT, any_buildspec};

/// Collects the errors of a value, for the keywords that this schema uses.
fn wrong(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    let mut say = |what: &str| found.push(format!("{path}: {what}"));
    for keyword in schema.as_object().unwrap().keys() {
        let known = [
            "$schema",
            "title",
            "description",
            "type",
            "properties",
            "additionalProperties",
            "required",
            "items",
            "enum",
            "anyOf",
            "oneOf",
            "not",
            "pattern",
            "minimum",
        ];
        assert!(known.contains(&keyword.as_str()), "{keyword} is not checked by this test");
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
    match schema.get("type") {
        Some(Value::Array(kinds)) if !kinds.iter().any(is_of) => say("not of these types"),
        Some(kind @ Value::String(_)) if !is_of(kind) => say("not of this type"),
        _ => {}
    }
    if schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value)) {
        say("not one of these");
    }
    if let (Some(pattern), Some(text)) = (schema.get("pattern"), value.as_str())
        && !Regex::new(pattern.as_str().unwrap()).unwrap().is_match(text)
    {
        say("not of this form");
    }
    if schema.get("minimum").is_some_and(|minimum| value.as_f64() < minimum.as_f64()) {
        say("too small");
    }
    let accepts = |schema: &Value| {
        let mut found = Vec::new();
        wrong(value, schema, path, &mut found);
        found.is_empty()
    };
    if schema.get("anyOf").is_some_and(|all| !all.as_array().unwrap().iter().any(accepts)) {
        say("none of these forms");
    }
    if schema
        .get("oneOf")
        .is_some_and(|all| all.as_array().unwrap().iter().filter(|one| accepts(one)).count() != 1)
    {
        say("not exactly one of these forms");
    }
    if schema.get("not").is_some_and(accepts) {
        say("what it must not be");
    }
    for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
            say(&format!("{key} is missing"));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        if let Some(schema) = schema.get("items") {
            wrong(item, schema, &format!("{path}[]"), found);
        }
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match (schema["properties"].get(key), schema.get("additionalProperties")) {
            (None, Some(Value::Bool(false))) => found.push(format!("{path}: unknown")),
            (Some(schema), _) | (None, Some(schema)) => wrong(value, schema, &path, found),
            (None, None) => {}
        }
    }
}

fn check(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    wrong(&parse(text).unwrap().to_json(), &schema(), "", &mut found);
    found
}

#[test]
fn the_schema_accepts_every_form_that_the_reader_accepts() {
    // YAML 1.2 has no booleans other than true and false, and editors only know the first two words.
    let text = LENIENT
        .replace("git-credential-helper: Yes", "git-credential-helper: yes")
        .replace("logs: off", "logs: no");
    let text = text.replace("    finally:\n", "").replace("  pre_build: ~\n", "");
    assert_eq!(check(&text), [""; 0]);
    for batch in BATCHES {
        let text = format!("version: 0.2\nbatch:\n  {batch}\nphases:\n  build:\n    commands: [x]\n");
        assert_eq!(check(&text), [""; 0], "{text}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    for (text, expected) in [
        ("phases: {}", ": \"version\" is missing"),
        ("version: 0.3\nphases: {}", ".version: not one of these"),
        ("version: 0.2\nphases: {build: {}}", ".phases.build: \"commands\" is missing"),
        (
            "version: 0.2\nphases: {build: {commands: [{a: b}]}}",
            ".phases.build.commands[]: not of these types",
        ),
        (
            "version: 0.2\nphases: {build: {commands: [a], runtime-versions: {nodejs: 1}}}",
            ".phases.build.runtime-versions: unknown",
        ),
        ("version: 0.2\nphases: {}\nenv: {shell: zsh}", ".env.shell: none of these forms"),
        (
            "version: 0.2\nphases: {install: {on-failure: STOP}}",
            ".phases.install.on-failure: not of this form",
        ),
        ("version: 0.2\nphases: {}\nproxy: {logs: maybe}", ".proxy.logs: not one of these"),
        (
            "version: 0.2\nphases: {}\nbatch: {build-fanout: {parallelism: 0}}",
            ".batch.build-fanout.parallelism: too small",
        ),
        (
            "version: 0.2\nphases: {}\nbatch: {build-list: [], build-graph: []}",
            ".batch: not exactly one of these forms",
        ),
        (
            "version: 0.2\nphases: {}\nbatch: {build-list: [{identifier: a, env: {fleet: f, compute-type: c}}]}",
            ".batch.build-list[].env: what it must not be",
        ),
    ] {
        assert_eq!(check(text), [expected], "{text}");
        let read = Buildspec::read(text);
        assert!(read.is_err() || !read.unwrap().unknown.is_empty(), "{text}");
    }
}

#[test]
fn every_key_has_a_description() {
    fn look(schema: &Value, path: &str) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            assert!(value["description"].is_string(), "{path}");
            look(value, &path);
        }
        for part in ["items", "additionalProperties"] {
            if schema[part].is_object() {
                look(&schema[part], path);
            }
        }
    }
    look(&schema(), "");
}

#[test]
fn the_committed_schema_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/buildspec.schema.json");
    let committed: Value = serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    assert!(committed == schema(), "docs/schema/buildspec.schema.json is stale: run cargo xtask schema");
    assert_eq!(committed["$schema"], json!("https://json-schema.org/draft/2020-12/schema"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_accepts_every_written_buildspec(buildspec in any_buildspec()) {
        prop_assert_eq!(check(&buildspec.to_yaml()), [""; 0], "{}", buildspec.to_yaml());
    }
}

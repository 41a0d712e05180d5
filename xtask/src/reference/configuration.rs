//! The page of all settings, from the JSON Schema of `paceline.yaml`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};
use xshell::Shell;

use super::GENERATED;

const SCHEMA: &str = "docs/schema/paceline.schema.json";
const INTRODUCTION: &str = "\
Every setting of `paceline.yaml`. All of them are optional, and so is the file. `paceline schema` prints the JSON Schema that
this page comes from; editors complete and check the file with it. A `*` stands for a name of your own, `[]` for each
element of a list. `paceline init` writes a first file.
";

/// The page, from the committed schema, which `cargo xtask schema` keeps current.
pub(super) fn page(sh: &Shell) -> Result<String> {
    let schema: Value = serde_json::from_str(&sh.read_file(SCHEMA)?)?;
    let settings = schema["properties"].as_object().context("the schema has no properties")?;
    let mut sections = String::new();
    for (name, setting) in settings {
        writeln!(sections, "\n## {name}\n")?;
        let mut rows = Vec::new();
        rows_of(name, setting, &mut rows);
        let (own, parts) = rows.split_first().context("a setting has a row of its own")?;
        writeln!(sections, "{}", sentence(own))?;
        if !parts.is_empty() {
            writeln!(sections, "\n| setting | value | default | |\n|---|---|---|---|")?;
        }
        for Row { path, value, default, description } in parts {
            writeln!(sections, "| `{path}` | {value} | {default} | {description} |")?;
        }
    }
    Ok(format!("# Configuration\n\n{GENERATED}\n\n{INTRODUCTION}{sections}"))
}

/// A setting, as a row of a table.
struct Row {
    path: String,
    value: String,
    default: String,
    description: String,
}

/// The description of a whole section, with the values that it can have if it has no parts.
fn sentence(row: &Row) -> String {
    let Row { value, default, description, .. } = row;
    let values = if value.is_empty() { String::new() } else { format!(" Value: {value}.") };
    let default = if default.is_empty() { String::new() } else { format!(" Default: {default}.") };
    format!("{description}{values}{default}")
}

/// Adds the row of a setting, and those of its parts.
fn rows_of(path: &str, schema: &Value, rows: &mut Vec<Row>) {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    rows.push(Row {
        path: path.to_owned(),
        value: values_of(schema).join(" or "),
        default: schema.get("default").map(quoted).unwrap_or_default(),
        description: text("description").replace('|', "\\|"),
    });
    parts_of(path, schema, rows);
}

fn parts_of(path: &str, schema: &Value, rows: &mut Vec<Row>) {
    for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        rows_of(&format!("{path}.{name}"), part, rows);
    }
    if let Some(each) = schema.get("additionalProperties").filter(|it| it.is_object()) {
        parts_of(&format!("{path}.*"), each, rows);
    }
    if let Some(each) = schema.get("items") {
        parts_of(&format!("{path}[]"), each, rows);
    }
    for choice in choices(schema) {
        parts_of(path, choice, rows);
    }
}

fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// The values that a setting can have: words in backquotes, or the name of a type.
fn values_of(schema: &Value) -> Vec<String> {
    if let Some(word) = schema.get("const") {
        return vec![quoted(word)];
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(quoted).collect();
    }
    let mut values: Vec<String> = choices(schema).flat_map(values_of).collect();
    values.dedup();
    if !values.is_empty() {
        return values;
    }
    let object = schema.as_object();
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => vec![format!("whole number{}", object.map(bounds).unwrap_or_default())],
        Some("number") => vec![format!("number{}", object.map(bounds).unwrap_or_default())],
        Some("string") => vec!["text".to_owned()],
        Some("boolean") => vec![quoted(&Value::Bool(true)), quoted(&Value::Bool(false))],
        Some("array") => {
            let each = schema.get("items").map(values_of).unwrap_or_default();
            vec![if each.is_empty() { "list".to_owned() } else { format!("list of {}", each.join(" or ")) }]
        }
        Some("object") if schema.get("additionalProperties").is_some_and(Value::is_object) => {
            vec!["names with values".to_owned()]
        }
        _ => Vec::new(),
    }
}

fn bounds(schema: &Map<String, Value>) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(schema: &Value) -> Vec<[String; 4]> {
        let mut rows = Vec::new();
        rows_of("a", schema, &mut rows);
        rows.into_iter().map(|it| [it.path, it.value, it.default, it.description]).collect()
    }

    fn row(path: &str, value: &str, default: &str, description: &str) -> [String; 4] {
        [path, value, default, description].map(str::to_owned)
    }

    #[test]
    fn parts_of_objects_lists_and_choices_have_rows_of_their_own() {
        let schema = json!({
            "type": "object",
            "properties": {
                "n": { "type": "integer", "minimum": 1, "default": 4, "description": "How many." },
                "to": { "oneOf": [{ "const": "all" }, { "type": "array", "items": { "type": "string" } }] },
                "each": {
                    "type": "object",
                    "additionalProperties": { "type": "object", "properties": { "dir": { "type": "string" } } },
                },
            },
        });
        assert_eq!(
            rows(&schema),
            [
                row("a", "", "", ""),
                row("a.each", "names with values", "", ""),
                row("a.each.*.dir", "text", "", ""),
                row("a.n", "whole number, at least 1", "`4`", "How many."),
                row("a.to", "`all` or list of text", "", ""),
            ]
        );
    }
}

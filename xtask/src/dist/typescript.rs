//! A JSON Schema of this workspace as a TypeScript type. It knows the keywords that those schemas use.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The declaration of the type that a schema describes.
pub(super) fn declaration(name: &str, schema: &Value) -> String {
    let mut text = comment(schema, 0);
    let _ = writeln!(text, "export type {name} = {};", of(schema, 0));
    text
}

/// The type of a value. `depth` is the indentation of the line on which it starts.
fn of(schema: &Value, depth: usize) -> String {
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return union(values.iter().map(Value::to_string));
    }
    for key in ["oneOf", "anyOf"] {
        // Beside a type, these only say which properties go together.
        if let Some(cases) = schema[key].as_array().filter(|_| schema.get("type").is_none()) {
            return union(cases.iter().map(|case| of(case, depth)));
        }
    }
    match &schema["type"] {
        Value::String(name) => named(name, schema, depth),
        Value::Array(names) => {
            union(names.iter().filter_map(Value::as_str).map(|name| named(name, schema, depth)))
        }
        _ => "unknown".to_owned(),
    }
}

fn named(name: &str, schema: &Value, depth: usize) -> String {
    match name {
        "integer" | "number" => "number".to_owned(),
        "array" => match schema.get("items") {
            Some(items) => format!("Array<{}>", of(items, depth)),
            None => "unknown[]".to_owned(),
        },
        "object" => match schema["properties"].as_object() {
            Some(properties) => object(properties, schema, depth),
            None => match schema.get("additionalProperties").filter(|it| it.is_object()) {
                Some(values) => format!("Record<string, {}>", of(values, depth)),
                None => "Record<string, unknown>".to_owned(),
            },
        },
        other => other.to_owned(),
    }
}

fn object(properties: &Map<String, Value>, schema: &Value, depth: usize) -> String {
    let is_required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
    let mut text = "{\n".to_owned();
    for (name, property) in properties {
        text.push_str(&comment(property, depth + 1));
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let key = if is_plain { name.clone() } else { format!("'{name}'") };
        let mark = if is_required(name) { "" } else { "?" };
        let _ = writeln!(text, "{}{key}{mark}: {};", indent(depth + 1), of(property, depth + 1));
    }
    text + &indent(depth) + "}"
}

fn union(types: impl Iterator<Item = String>) -> String {
    let mut types: Vec<String> = types.collect();
    let mut seen = std::collections::BTreeSet::new();
    types.retain(|ty| seen.insert(ty.clone()));
    match types.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", types.join(" | ")),
    }
}

fn comment(schema: &Value, depth: usize) -> String {
    let Some(description) = schema["description"].as_str() else { return String::new() };
    format!("{}/** {} */\n", indent(depth), description.replace("*/", "*\\/").replace('\n', " "))
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_schema_becomes_a_type_with_its_descriptions() {
        let schema = json!({
            "description": "A run.",
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "string", "description": "Its id." },
                "dry-run": { "type": ["boolean", "null"] },
                "stacks": { "type": "array", "items": { "enum": ["all", 1] } },
                "context": { "type": "object", "additionalProperties": { "type": "integer" } },
                "either": { "oneOf": [{ "const": "a" }, { "type": "object", "properties": { "x": { "type": "number" } } }] },
            },
        });
        assert_eq!(
            super::declaration("Run", &schema),
            r#"/** A run. */
export type Run = {
  context?: Record<string, number>;
  'dry-run'?: (boolean | null);
  either?: ("a" | {
    x?: number;
  });
  /** Its id. */
  id: string;
  stacks?: Array<("all" | 1)>;
};
"#
        );
    }
}

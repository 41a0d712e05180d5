//! Values of templates as texts that people can compare: `${Table.Arn}/*`.

use paceline_assembly::Intrinsic;
use serde_json::Value;

/// A value on one line. Functions become what they mean, where that is short; everything else is JSON.
pub(crate) fn rendered(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    match Intrinsic::of(value).and_then(|it| function(&it)) {
        Some(text) => text,
        None => in_json(value),
    }
}

/// The same, with quotes around a text: `"a"` is not the number `1`.
pub(crate) fn quoted_value(value: &Value) -> String {
    if value.is_string() { value.to_string() } else { rendered(value) }
}

fn function(it: &Intrinsic<'_>) -> Option<String> {
    if let Some(name) = it.reference() {
        return Some(format!("${{{name}}}"));
    }
    if let Some((resource, attribute)) = it.attribute() {
        return Some(format!("${{{resource}.{attribute}}}"));
    }
    match (it.name, it.argument) {
        ("Fn::Sub", Value::String(text)) => Some(text.clone()),
        ("Fn::Join", Value::Array(parts)) => {
            let [Value::String(delimiter), Value::Array(items)] = parts.as_slice() else { return None };
            Some(items.iter().map(rendered).collect::<Vec<_>>().join(delimiter))
        }
        ("Fn::ImportValue", name) => Some(format!("${{import {}}}", rendered(name))),
        ("Fn::If", Value::Array(parts)) => {
            let [Value::String(condition), yes, no] = parts.as_slice() else { return None };
            Some(format!("${{if {condition}: {}, else {}}}", rendered(yes), rendered(no)))
        }
        _ => None,
    }
}

/// JSON in which functions are rendered.
fn in_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(quoted_value).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key}: {}", quoted_value(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_become_what_they_mean() {
        for (value, expected) in [
            (json!({"Ref": "Table"}), "${Table}"),
            (json!({"Fn::GetAtt": ["Table", "Arn"]}), "${Table.Arn}"),
            (json!({"Fn::Join": ["", [{"Fn::GetAtt": "Files.Arn"}, "/*"]]}), "${Files.Arn}/*"),
            (json!({"Fn::Sub": "${A}-x"}), "${A}-x"),
            (json!({"Fn::ImportValue": "Vpc"}), "${import Vpc}"),
            (json!({"Fn::If": ["Big", 2, 1]}), "${if Big: 2, else 1}"),
            (json!({"Fn::Select": [0, {"Ref": "L"}]}), "{Fn::Select: [0, ${L}]}"),
            (json!([1, "a", {"k": true}]), r#"[1, "a", {k: true}]"#),
        ] {
            assert_eq!(rendered(&value), expected);
        }
        assert_eq!(quoted_value(&json!("1")), r#""1""#);
    }
}

//! A tree whose every node knows its line and column.

use std::ops::Range;

use serde_saphyr::granit_parser::Span;

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub line: usize,
    pub column: usize,
}

impl At {
    pub(crate) fn of(span: Span) -> Self {
        Self { line: span.start.line().max(1), column: span.start.col() + 1 }
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub at: At,
    /// The bytes of the text it was read from. Of an alias, those of the alias.
    pub span: Range<usize>,
    pub kind: Kind,
    /// A tag of the application, without its `!`: that of `!Sub x` is `Sub`.
    pub tag: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Scalar { text: String, style: Style },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// How a scalar was written. All but a plain one can only be a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// Plain, with a tag that makes it a string.
    Tagged,
    SingleQuoted,
    DoubleQuoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub at: At,
    pub span: Range<usize>,
    pub text: String,
}

impl Node {
    /// Whether this is an absent value: `key:` with nothing after it, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, style: Style::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What this is, in an error message.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The tree as JSON, plain scalars resolved by the YAML 1.2 core schema, and `!Ref`, `!Sub` and `!GetAtt` of
    /// CloudFormation in their long forms.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::{Value, json};
        if let (Some(tag), Kind::Scalar { text, .. }) = (&self.tag, &self.kind) {
            match (tag.as_str(), text.split_once('.')) {
                ("Ref", _) => return json!({ "Ref": text }),
                ("Sub", _) => return json!({ "Fn::Sub": text }),
                ("GetAtt", Some((resource, attribute))) => {
                    return json!({ "Fn::GetAtt": [resource, attribute] });
                }
                _ => {}
            }
        }
        match &self.kind {
            _ if self.is_null() => Value::Null,
            Kind::Scalar { text, style } if *style != Style::Plain => Value::String(text.clone()),
            Kind::Scalar { text, .. } => match text.as_str() {
                "true" | "True" | "TRUE" => Value::Bool(true),
                "false" | "False" | "FALSE" => Value::Bool(false),
                _ => match text.parse::<i64>() {
                    Ok(number) => Value::from(number),
                    Err(_) => match text.parse::<f64>() {
                        Ok(number) if number.is_finite() && text.contains(|c: char| c.is_ascii_digit()) => {
                            Value::from(number)
                        }
                        _ => Value::String(text.clone()),
                    },
                },
            },
            Kind::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|(key, value)| (key.text.clone(), value.to_json())).collect(),
            ),
        }
    }
}

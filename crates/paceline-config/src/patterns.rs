//! How a configuration names stacks.

use paceline_yaml::{Kind, Node};
use serde_json::{Value, json};

use crate::setting::{Problem, Setting, text};

/// Ids or names of stacks, as written, and where that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// An id or a name. `*` stands for any text, `?` for any character.
    pub text: String,
    /// The line it is on, from 1.
    pub line: usize,
    /// The column it starts at, from 1.
    pub column: usize,
}

impl Setting for Pattern {
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?.to_owned();
        Ok(Self { text, line: node.at.line, column: node.at.column })
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// One or several, written as a text or as a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(pub Vec<Pattern>);

impl Setting for Patterns {
    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.kind {
            Kind::Scalar { .. } => Ok(Self(vec![Pattern::read(node)?])),
            Kind::List(items) => items.iter().map(Pattern::read).collect::<Result<_, _>>().map(Self),
            Kind::Map(_) => Err(Problem::at(
                node.at,
                "a name or a list of names is expected here",
                "write `name`, or `[name, name]`",
            )),
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [Pattern::schema(), Vec::<Pattern>::schema()] })
    }
}

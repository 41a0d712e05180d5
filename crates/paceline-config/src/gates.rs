//! Waiters between a stack and the stacks that depend on it.

use paceline_yaml::{Kind, Node};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};

use crate::patterns::Pattern;
use crate::setting::{Problem, Setting, settings};

settings! {
    /// A waiter between a stack and the stacks that depend on it.
    pub struct GateConfig {
        /// The stack or stacks whose deployment it follows. `*` stands for any text, `?` for any character.
        pub after: Pattern,
        /// The IAM roles and instance profiles that must be usable before a dependent stack starts: `all` that the
        /// stack creates, or a list of logical ids or names.
        pub iam_roles: IamRoles,
    }
}

/// The roles of a stack that a gate waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IamRoles {
    /// Every role and instance profile that the stack creates.
    All,
    /// These, by logical id or name.
    Named(Vec<String>),
}

impl Setting for IamRoles {
    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.kind {
            Kind::Scalar { text, .. } if text == "all" => Ok(Self::All),
            Kind::List(_) => Vec::read(node).map(Self::Named),
            Kind::Scalar { .. } | Kind::Map(_) => Err(Problem::at(
                node.at,
                "`all` or a list of role names is expected here",
                "write `all`, or `[RoleA, RoleB]`",
            )),
        }
    }

    fn schema() -> Value {
        json!({ "oneOf": [{ "const": "all" }, Vec::<String>::schema()] })
    }
}

/// As in the file.
impl Serialize for IamRoles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Named(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for IamRoles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Names(Vec<String>),
        }
        match Written::deserialize(deserializer)? {
            Written::Word(word) if word == "all" => Ok(Self::All),
            Written::Word(word) => Err(de::Error::custom(format!("`{word}` is not `all`"))),
            Written::Names(names) => Ok(Self::Named(names)),
        }
    }
}

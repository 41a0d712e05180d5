//! How a configuration names stacks.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// Ids or names of stacks, as written, and where that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// An id or a name; `*` and `?` match any text and any character.
    pub text: String,
    /// The line it is on, from 1.
    pub line: u64,
    /// The column it starts at, from 1.
    pub column: u64,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<String>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        Ok(Self { text: spanned.value, line, column })
    }
}

/// One or several, written as a text or as a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(pub Vec<Pattern>);

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<OneOrMany>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        Ok(Self(match spanned.value {
            OneOrMany::One(text) => vec![Pattern { text, line, column }],
            OneOrMany::Many(patterns) => patterns,
        }))
    }
}

enum OneOrMany {
    One(String),
    Many(Vec<Pattern>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = list.next_element()? {
                    patterns.push(pattern);
                }
                Ok(OneOrMany::Many(patterns))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

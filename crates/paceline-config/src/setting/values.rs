//! The plain values: texts, numbers, switches, durations, lists and maps.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use camino::Utf8PathBuf;
use paceline_yaml::{Kind, Node};
use serde_json::{Value, json};

use super::{Problem, Setting, SettingError};
use crate::duration::{parse_duration, show_duration};

/// What a duration looks like, for the schema.
pub(crate) const DURATION_PATTERN: &str = "^([0-9]+[hms])+$";

/// Implements [`Setting`] for a type that is written as one text and read with `FromStr`. The schema is that of a
/// string unless another is given.
macro_rules! text_setting {
    ($type:ty) => {
        text_setting!($type, serde_json::json!({ "type": "string" }));
    };
    ($type:ty, $schema:expr) => {
        impl $crate::setting::Setting for $type {
            fn read(node: &paceline_yaml::Node) -> Result<Self, $crate::setting::Problem> {
                $crate::setting::text(node)?
                    .parse()
                    .map_err(|error| $crate::setting::Problem::with(node.at, $crate::SettingError::from(error)))
            }

            fn schema() -> serde_json::Value {
                $schema
            }

            fn shown(&self) -> Option<serde_json::Value> {
                Some(self.to_string().into())
            }
        }
    };
}
pub(crate) use text_setting;

/// Shows settings of one text as this text.
macro_rules! shown_as_written {
    ($($name:ident),+) => {
        $(impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        })+
    };
}
pub(crate) use shown_as_written;

/// The text of a value. Nothing at all is no text.
pub(crate) fn text(node: &Node) -> Result<&str, Problem> {
    match &node.kind {
        Kind::Scalar { .. } if node.is_null() => {
            Err(Problem::at(node.at, "a value is missing here", "write one, or remove the line"))
        }
        Kind::Scalar { text, .. } => Ok(text),
        Kind::List(_) | Kind::Map(_) => Err(Problem::at(
            node.at,
            "one text is expected here, and no list or fields",
            "write the text behind the colon",
        )),
    }
}

impl Setting for String {
    fn read(node: &Node) -> Result<Self, Problem> {
        text(node).map(str::to_owned)
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }

    fn shown(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

impl Setting for Utf8PathBuf {
    fn read(node: &Node) -> Result<Self, Problem> {
        text(node).map(Self::from)
    }

    fn schema() -> Value {
        String::schema()
    }

    fn shown(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

impl Setting for bool {
    /// Every word that a reader of YAML 1.1 takes for a boolean is one.
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?;
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(&["true", "yes", "on", "y"]) {
            Ok(true)
        } else if is(&["false", "no", "off", "n"]) {
            Ok(false)
        } else {
            Err(Problem::at(
                node.at,
                format!("`{text}` is neither true nor false"),
                "write `true` or `false`",
            ))
        }
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }

    fn shown(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Setting for u32 {
    fn read(node: &Node) -> Result<Self, Problem> {
        number(node, 0)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }

    fn shown(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Setting for NonZeroUsize {
    fn read(node: &Node) -> Result<Self, Problem> {
        let number: usize = number(node, 1)?;
        Self::new(number).ok_or_else(|| too_small(node, 1))
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1 })
    }

    fn shown(&self) -> Option<Value> {
        Some(self.get().into())
    }
}

/// A whole number. `1_000` and `0x10` are numbers in YAML 1.1.
fn number<T: TryFrom<u64>>(node: &Node, least: u64) -> Result<T, Problem> {
    let text = text(node)?;
    let digits = text.replace('_', "");
    let number = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => u64::from_str(&digits),
    };
    let hint = format!("write a whole number of {least} or more");
    let number = number.map_err(|_| Problem::at(node.at, format!("`{text}` is not a whole number"), hint))?;
    if number < least {
        return Err(too_small(node, least));
    }
    T::try_from(number).map_err(|_| {
        Problem::at(node.at, format!("`{text}` is too large"), "write a number that is closer to the default")
    })
}

fn too_small(node: &Node, least: u64) -> Problem {
    let text = text(node).unwrap_or_default();
    let hint = format!("write a number of {least} or more");
    Problem::at(node.at, format!("`{text}` is too small: it must be at least {least}"), hint)
}

impl Setting for Duration {
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?;
        match parse_duration(text) {
            None => Err(Problem::with(node.at, not_a_duration(text))),
            Some(time) if time.is_zero() => Err(Problem::at(
                node.at,
                format!("`{text}` leaves no time at all"),
                "write a longer time, or remove the line",
            )),
            Some(time) => Ok(time),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": DURATION_PATTERN })
    }

    fn shown(&self) -> Option<Value> {
        Some(show_duration(*self).into())
    }
}

/// The error of a text that [`parse_duration`] does not take.
pub(crate) fn not_a_duration(text: &str) -> SettingError {
    SettingError::new(format!("`{text}` is not a duration"), "write it like `240m` or `4h`")
}

impl<T: Setting> Setting for Option<T> {
    fn read(node: &Node) -> Result<Self, Problem> {
        if node.is_null() { Ok(None) } else { T::read(node).map(Some) }
    }

    fn schema() -> Value {
        T::schema()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn shown(&self) -> Option<Value> {
        self.as_ref().and_then(T::shown)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(node: &Node) -> Result<Self, Problem> {
        match &node.kind {
            Kind::List(items) => items.iter().map(T::read).collect(),
            Kind::Scalar { .. } | Kind::Map(_) => Err(Problem::at(
                node.at,
                "a list is expected here",
                "write `[a, b]`, or lines that begin with `- `",
            )),
        }
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn read(node: &Node) -> Result<Self, Problem> {
        let Kind::Map(entries) = &node.kind else {
            return Err(Problem::at(
                node.at,
                "names with their values are expected here",
                "write them as `name: value`, or remove the line",
            ));
        };
        entries.iter().map(|(key, node)| Ok((key.text.clone(), T::read(node)?))).collect()
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }
}

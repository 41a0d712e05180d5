//! What is wrong with a value.

use std::fmt;

use paceline_text::near;
use paceline_yaml::At;

/// Why a text is not the value of a setting, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    message: String,
    hint: String,
}

impl SettingError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// What to write.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SettingError {}

/// What is wrong in the file, and where.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) at: At,
    pub(crate) message: String,
    pub(crate) hint: String,
    /// The field that is not there, when that is the problem.
    pub(crate) missing: Option<String>,
}

impl Problem {
    pub(crate) fn at(at: At, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: hint.into(), missing: None }
    }

    pub(crate) fn missing(at: At, key: &str) -> Self {
        let hint = format!("add `{key}` to the entry that begins here");
        Self { missing: Some(key.to_owned()), ..Self::at(at, format!("missing field `{key}`"), hint) }
    }

    pub(crate) fn with(at: At, error: SettingError) -> Self {
        Self::at(at, error.message, error.hint)
    }
}

/// The hint for a word that is none of those that are known: the nearest of them, or all.
pub(crate) fn one_of<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match near(text, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("use one of {}", known.collect::<Vec<_>>().join(", ")),
    }
}

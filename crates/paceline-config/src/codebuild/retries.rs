//! How many times CodeBuild builds again after a failure.

use std::fmt;
use std::str::FromStr;

use serde_json::json;

use crate::setting::{Problem, Setting, SettingError, text};

/// The number of times that CodeBuild repeats a failed build: 0 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryLimit(u32);

impl RetryLimit {
    const MOST: u32 = 10;

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for RetryLimit {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let limit = text.parse().ok().filter(|limit| *limit <= Self::MOST);
        limit.map(Self).ok_or_else(|| {
            let hint = format!("write a whole number from 0 to {}", Self::MOST);
            SettingError::new(format!("a build cannot be repeated `{text}` times"), hint)
        })
    }
}

impl fmt::Display for RetryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for RetryLimit {
    fn read(node: &paceline_yaml::Node) -> Result<Self, Problem> {
        text(node)?.parse().map_err(|error| Problem::with(node.at, error))
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "integer", "minimum": 0, "maximum": Self::MOST })
    }
}

//! How long logs are kept.

use std::fmt;
use std::str::FromStr;

use serde_json::json;

use crate::setting::{Problem, Setting, SettingError, text};

/// The number of days for which CloudWatch Logs keeps the logs of builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRetention(u32);

impl LogRetention {
    /// The numbers of days that CloudWatch Logs offers.
    pub const DAYS: [u32; 22] = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653,
    ];

    /// The number of days.
    pub const fn days(self) -> u32 {
        self.0
    }
}

impl Default for LogRetention {
    fn default() -> Self {
        Self(30)
    }
}

impl FromStr for LogRetention {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let days = text.parse().ok().filter(|days| Self::DAYS.contains(days));
        days.map(Self).ok_or_else(|| {
            SettingError::new(
                format!("logs cannot be kept for `{text}` days"),
                "use one of 7, 14, 30, 60, 90, 180, 365, or another number that CloudWatch Logs offers",
            )
        })
    }
}

impl fmt::Display for LogRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for LogRetention {
    fn read(node: &paceline_yaml::Node) -> Result<Self, Problem> {
        text(node)?.parse().map_err(|error| Problem::with(node.at, error))
    }

    fn schema() -> serde_json::Value {
        json!({ "enum": Self::DAYS })
    }

    fn shown(&self) -> Option<serde_json::Value> {
        Some(self.0.into())
    }
}

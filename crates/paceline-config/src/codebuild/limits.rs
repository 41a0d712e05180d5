//! Time limits of a build.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;

use crate::duration::{parse_duration, show_duration};
use crate::setting::{DURATION_PATTERN, Setting, SettingError, not_a_duration, settings};

settings! {
    /// More time limits. Each must be shorter than the one around it.
    #[derive(Copy)]
    pub struct Timeouts: Default {
        /// How long CloudFormation may take to create or update a stack before it rolls the stack back. Without it,
        /// there is no limit. It also counts outside of CodeBuild.
        pub stack: Option<Duration>,
        /// How long the runner may take before it stops and writes its reports. Without it, the build's `timeout`
        /// less a few minutes.
        pub runner: Option<Duration>,
        /// How long the pipeline or the wait condition that started the build waits for it.
        pub outside: Option<Duration>,
    }
}

/// How long a build may run. CodeBuild takes 5 minutes to 36 hours.
pub type BuildTimeout = Minutes<5, 2160>;

/// How long a build may wait in the queue. CodeBuild takes 5 minutes to 8 hours.
pub type QueueTimeout = Minutes<5, 480>;

/// A duration of whole minutes, at least `LEAST` and at most `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Minutes<LEAST, MOST> {
    /// So many minutes, or the nearest number that is allowed.
    pub const fn from_minutes(minutes: u32) -> Self {
        Self(if minutes < LEAST {
            LEAST
        } else if minutes > MOST {
            MOST
        } else {
            minutes
        })
    }

    /// The number of minutes.
    pub const fn minutes(self) -> u32 {
        self.0
    }
}

impl<const LEAST: u32, const MOST: u32> FromStr for Minutes<LEAST, MOST> {
    type Err = SettingError;

    /// Part of a minute counts as a whole one.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let time = parse_duration(text).ok_or_else(|| not_a_duration(text))?;
        let minutes = time.as_secs().div_ceil(60);
        match u32::try_from(minutes) {
            Ok(minutes) if (LEAST..=MOST).contains(&minutes) => Ok(Self(minutes)),
            _ => Err(SettingError::new(
                format!("{minutes} minutes are outside {LEAST} to {MOST}, which CodeBuild takes"),
                format!("write a duration from `{}` to `{}`", Self(LEAST), Self(MOST)),
            )),
        }
    }
}

impl<const LEAST: u32, const MOST: u32> fmt::Display for Minutes<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_duration(Duration::from_secs(u64::from(self.0) * 60)))
    }
}

impl<const LEAST: u32, const MOST: u32> Setting for Minutes<LEAST, MOST> {
    fn read(node: &paceline_yaml::Node) -> Result<Self, crate::setting::Problem> {
        let text = crate::setting::text(node)?;
        text.parse().map_err(|error| crate::setting::Problem::with(node.at, error))
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "string", "pattern": DURATION_PATTERN })
    }

    fn shown(&self) -> Option<serde_json::Value> {
        Some(self.to_string().into())
    }
}

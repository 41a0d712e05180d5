//! A region at a time: the region that is deployed first, and the alarms that are watched before the others follow.

use std::str::FromStr;
use std::time::Duration;

use paceline_yaml::Node;
use serde_json::{Value, json};

use crate::patterns::{Pattern, Patterns};
use crate::setting::{Problem, Setting, SettingError, choices, settings, shown_as_written, text_setting};

settings! {
    /// Deploys the stacks of one region first, watches the CloudWatch alarms there, and only then deploys the stacks of
    /// the other regions.
    pub struct Rollout {
        /// The region whose stacks are deployed first, such as `us-east-1`.
        pub first: RegionName,
        /// How long the alarms are watched after the first region is deployed, such as `10m`.
        pub bake: Duration = Duration::from_mins(10),
        /// The names of the alarms that are watched, in the first region and in every account that its stacks are in. `*`
        /// stands for any text, `?` for any character. Each name must mean an alarm.
        pub alarms: AlarmNames,
        /// How the stacks of the other regions are deployed: `parallel`, all regions at the same time.
        pub then: Then = Then::Parallel,
        /// What happens when an alarm goes off: `stop` deploys no other region, and leaves the first region as it is;
        /// `rollback` also restores every stack that the run updated, as `paceline rollback` does.
        pub on_alarm: OnAlarm = OnAlarm::Stop,
    }
}

choices! {
    /// How the stacks of the other regions are deployed.
    pub enum Then: "a way to deploy the other regions" {
        /// All at the same time.
        Parallel = "parallel",
    }
}

choices! {
    /// What happens when an alarm goes off.
    pub enum OnAlarm: "what happens after an alarm" {
        /// No other region is deployed. The first region stays as it is.
        Stop = "stop",
        /// No other region is deployed, and the stacks that the run updated are restored.
        Rollback = "rollback",
    }
}

/// The name of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionName(String);

text_setting!(RegionName, json!({ "type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]+$" }));

impl RegionName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

shown_as_written!(RegionName);

impl FromStr for RegionName {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let mut words = text.split('-');
        let number = words.next_back().unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let words: Vec<&str> = words.collect();
        if is_number && words.len() >= 2 && words.into_iter().all(is_word) {
            return Ok(Self(text.to_owned()));
        }
        Err(SettingError::new(format!("`{text}` is not the name of a region"), "write it like `us-east-1`"))
    }
}

/// The names of alarms; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmNames(pub Vec<Pattern>);

impl Setting for AlarmNames {
    fn read(node: &Node) -> Result<Self, Problem> {
        let Patterns(names) = Patterns::read(node)?;
        let hint = "write the names of alarms, such as `[\"prod-*\"]`";
        if names.is_empty() {
            return Err(Problem::at(node.at, "without an alarm nothing is watched", hint));
        }
        if let Some(empty) = names.iter().find(|name| name.text.trim().is_empty()) {
            let at = paceline_yaml::At { line: empty.line, column: empty.column };
            return Err(Problem::at(at, "the name of an alarm is missing here", hint));
        }
        Ok(Self(names))
    }

    fn schema() -> Value {
        let name = json!({ "type": "string", "minLength": 1 });
        json!({ "oneOf": [name, { "type": "array", "items": name, "minItems": 1 }] })
    }
}

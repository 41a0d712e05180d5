//! The bake: the watch of the first region's alarms, before the stacks of the other regions start.

use std::time::Duration;

use paceline_config::OnAlarm;
use paceline_text::is_wildcard_match;
use serde::{Deserialize, Serialize};

/// What is watched after the first region is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bake {
    /// The region whose stacks are deployed first.
    pub region: String,
    /// How long its alarms are watched.
    pub time: Duration,
    /// The names of the alarms.
    pub alarms: Vec<AlarmPattern>,
    /// What happens when one of them goes off.
    pub on_alarm: OnAlarm,
}

/// The name of an alarm. `*` stands for any text, `?` for any character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlarmPattern(pub String);

impl AlarmPattern {
    /// Whether it means the alarm with this name.
    pub fn is_match(&self, name: &str) -> bool {
        is_wildcard_match(&self.0, name)
    }

    /// The text before the first `*` or `?`, with which every name that it means begins.
    pub fn prefix(&self) -> &str {
        self.0.split(['*', '?']).next().unwrap_or_default()
    }

    /// The only name that it means, if it is written without `*` and `?`.
    pub fn exact(&self) -> Option<&str> {
        (self.prefix() == self.0).then_some(self.0.as_str())
    }
}

impl Bake {
    /// Whether the alarm with this name is watched.
    pub fn watches(&self, alarm: &str) -> bool {
        self.alarms.iter().any(|pattern| pattern.is_match(alarm))
    }

    /// The names of the alarms, as they are written.
    pub fn alarms_shown(&self) -> String {
        let alarms: Vec<&str> = self.alarms.iter().map(|pattern| pattern.0.as_str()).collect();
        alarms.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::AlarmPattern;

    #[test]
    fn every_name_that_a_pattern_means_begins_with_its_prefix() {
        for (pattern, prefix, name) in
            [("prod-*", "prod-", "prod-5xx"), ("a?c*", "a", "abcd"), ("*x", "", "x")]
        {
            let pattern = AlarmPattern(pattern.to_owned());
            assert_eq!(pattern.prefix(), prefix);
            assert!(pattern.is_match(name) && name.starts_with(prefix), "{pattern:?}");
        }
    }

    #[test]
    fn only_a_pattern_without_wildcards_is_one_name() {
        assert_eq!(AlarmPattern("prod".to_owned()).exact(), Some("prod"));
        assert_eq!(AlarmPattern("prod*".to_owned()).exact(), None);
    }
}

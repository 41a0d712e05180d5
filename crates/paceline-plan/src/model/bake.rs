//! The bake: the watch of the first region's alarms, before the stacks of the other regions start.

use std::time::Duration;

use paceline_config::OnAlarm;
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
        let (pattern, name): (Vec<char>, Vec<char>) = (self.0.chars().collect(), name.chars().collect());
        let (mut at, mut read) = (0, 0);
        // The place after the last `*`, and how much of the name it stands for.
        let mut star: Option<(usize, usize)> = None;
        while read < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    at += 1;
                    star = Some((at, read));
                }
                Some(&c) if c == '?' || c == name[read] => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((after, until)) = star else { return false };
                    star = Some((after, until + 1));
                    (at, read) = (after, until + 1);
                }
            }
        }
        pattern[at..].iter().all(|&c| c == '*')
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

    #[track_caller]
    fn check(pattern: &str, meant: &[&str], others: &[&str]) {
        let pattern = AlarmPattern(pattern.to_owned());
        assert!(meant.iter().all(|name| pattern.is_match(name)), "{pattern:?}");
        assert!(!others.iter().any(|name| pattern.is_match(name)), "{pattern:?}");
        assert!(meant.iter().all(|name| name.starts_with(pattern.prefix())), "{pattern:?}");
    }

    #[test]
    fn a_pattern_means_whole_names() {
        check("prod-*", &["prod-", "prod-5xx", "prod-a-b"], &["prod", "my-prod-5xx", "PROD-5xx"]);
        check("prod-?xx", &["prod-5xx", "prod-éxx"], &["prod-xx", "prod-55xx"]);
        check("*-5xx-*", &["a-5xx-b", "-5xx-5xx-", "x-5xx-5xx-5xx-y"], &["a-5xx", "5xx-b"]);
        check("a[b].c", &["a[b].c"], &["ab.c", "a[b]xc"]);
        check("**", &["", "x"], &[]);
    }

    #[test]
    fn only_a_pattern_without_wildcards_is_one_name() {
        assert_eq!(AlarmPattern("prod".to_owned()).exact(), Some("prod"));
        assert_eq!(AlarmPattern("prod*".to_owned()).exact(), None);
    }
}

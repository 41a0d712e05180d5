//! Scripts that the team supplies.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use serde::Deserialize;

use crate::config::some_duration;
use crate::patterns::Patterns;

/// A script that the team supplies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandConfig {
    /// What people call it.
    pub name: String,
    /// What it follows: stacks (ids or names, `*` and `?` allowed), `phase:NAME` or `command:NAME`. What follows a
    /// stack follows its gate too.
    #[serde(default)]
    pub after: Patterns,
    /// What waits for it: stacks or `phase:NAME`.
    #[serde(default)]
    pub before: Patterns,
    /// What is given to the shell.
    pub run: String,
    /// The folder it runs in, relative to the configuration; the configuration's own by default.
    #[serde(default)]
    pub dir: Option<Utf8PathBuf>,
    /// The shell, which takes `-c` and the script.
    #[serde(default = "sh")]
    pub shell: String,
    /// Environment variables on top of Paceline's own.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// After so long it is ended, and has failed.
    #[serde(default, deserialize_with = "some_duration")]
    pub timeout: Option<Duration>,
    /// How often it is run again when it fails.
    #[serde(default)]
    pub retries: u32,
}

fn sh() -> String {
    "sh".to_owned()
}

//! The settings of the whole deployment, and how the file is read.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LARGEST_BY_HAND, read_regular_text};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::apps::{AppConfig, is_in_app_name};
use crate::codebuild::{CodeBuild, Runner};
use crate::commands::CommandConfig;
use crate::edges::DeclaredEdge;
use crate::outside::Signal;
use crate::patterns::Pattern;
use crate::wording::wording;

/// The file that is read when none is named.
pub const FILE_NAME: &str = "paceline.yaml";

/// The configuration of a deployment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// The version of this format: 1.
    pub version: Version,
    /// The assembly, relative to the file. `--app` overrides it.
    pub app: Option<Utf8PathBuf>,
    /// The apps of a deployment of several, by name. With them, the id of a stack is `app/stack`.
    pub apps: BTreeMap<String, AppConfig>,
    /// Installs what `synth` needs. Skipped while a lock file of Node's is the one that was installed from.
    pub install: Option<String>,
    /// What makes the assembly of the only app, when it is not committed: for whoever deploys it, and in builds.
    pub synth: Option<String>,
    /// How the secondary regions are switched on.
    pub multi_region: Option<MultiRegion>,
    /// Named groups of stacks, in their order.
    pub phases: Vec<PhaseConfig>,
    /// What decides when a stack may start.
    pub strategy: Strategy,
    /// Dependencies that no file shows, and what is enough of those that files show.
    pub edges: Vec<DeclaredEdge>,
    /// How much happens at once.
    pub concurrency: Concurrency,
    /// Waiters between a stack and what depends on it.
    pub gates: Vec<GateConfig>,
    /// Scripts that the team supplies.
    pub commands: Vec<CommandConfig>,
    /// Which differences leave a stack unchanged.
    pub unchanged: Unchanged,
    /// What happens when a stack fails.
    pub on_failure: OnFailure,
    /// Who waits outside for the deployment to end.
    pub signal: Signal,
    /// The CodeBuild project.
    pub codebuild: CodeBuild,
    /// Where the build gets the runner from.
    pub runner: Option<Runner>,
}

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u32);

impl Default for Version {
    fn default() -> Self {
        Self(1)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            1 => Ok(Self(1)),
            other => {
                Err(de::Error::custom(format!("version {other} is not known; this program reads version 1")))
            }
        }
    }
}

/// How the secondary regions are switched on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiRegion {
    /// The environment variable that switches them on (`true`, `yes`, `on`, `1`).
    pub when: String,
    /// The region whose stacks are always deployed.
    pub primary: String,
}

impl MultiRegion {
    /// Whether the variable's value says yes.
    pub fn is_on(&self, value: Option<&str>) -> bool {
        value.is_some_and(|v| ["true", "yes", "on", "1"].iter().any(|yes| v.trim().eq_ignore_ascii_case(yes)))
    }
}

/// A named group of stacks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseConfig {
    /// What people call it.
    pub name: String,
    /// Whether its stacks are deployed one after another.
    #[serde(default)]
    pub sequential: bool,
    /// Whether it waits for the whole of every phase before it.
    #[serde(default)]
    pub barrier: bool,
    /// Ids or names of stacks; `*` and `?` match any text and any character.
    pub stacks: Vec<Pattern>,
}

/// What decides when a stack may start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Only its dependencies.
    #[default]
    Graph,
    /// Also the end of every phase before its own.
    Phases,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Graph => "graph",
            Self::Phases => "phases",
        })
    }
}

/// How much happens at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Concurrency {
    /// Stack operations.
    pub stacks: NonZeroUsize,
    /// Uploads of file assets.
    pub assets: NonZeroUsize,
    /// Builds of image assets.
    pub images: NonZeroUsize,
}

impl Default for Concurrency {
    fn default() -> Self {
        let at_least_one = |n| NonZeroUsize::new(n).unwrap_or(NonZeroUsize::MIN);
        Self { stacks: at_least_one(20), assets: at_least_one(8), images: at_least_one(4) }
    }
}

/// A waiter between a stack and what depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GateConfig {
    /// The stack or stacks (ids or names, `*` and `?` allowed) it follows.
    pub after: Pattern,
    /// Which IAM roles and instance profiles must be usable before anything that depends on the stack starts.
    pub iam_roles: IamRoles,
}

/// Which of a stack's roles a gate waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IamRoles {
    /// Every role and instance profile that the stack created.
    All,
    /// These, by logical id or name.
    Named(Vec<String>),
}

/// As it is read.
impl Serialize for IamRoles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Named(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for IamRoles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = IamRoles;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`all` or a list of role names")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IamRoles, E> {
                if text == "all" {
                    return Ok(IamRoles::All);
                }
                Err(E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<IamRoles, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(IamRoles::Named(names))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Which differences between a stack and its template leave it unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Unchanged {
    /// Times of synthesis, such as a physical id that is `Date.now()`. What they make run again on every
    /// deployment then runs only when something else has changed too.
    pub ignore_timestamps: bool,
}

/// What happens when a stack fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnFailure {
    /// What becomes of the other stacks.
    pub policy: FailurePolicy,
    /// What becomes of the failed stack.
    pub rollback: Rollback,
}

/// What becomes of the other stacks when one fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailurePolicy {
    /// What depends on it is skipped; everything else goes on.
    #[default]
    SkipDependents,
    /// Nothing new starts; what runs is waited for.
    FailFast,
}

/// What becomes of a stack that fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rollback {
    /// CloudFormation restores what was there before.
    #[default]
    Stack,
    /// It is left as it is, to be looked at or continued.
    None,
}

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or not readable.
    #[error("cannot read the configuration {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("{path}{place}: {message}", place = place(*.line, *.column))]
    Invalid {
        /// The file.
        path: Utf8PathBuf,
        /// Line, from 1.
        line: Option<u64>,
        /// Column, from 1.
        column: Option<u64>,
        /// What is wrong.
        message: String,
    },
}

fn place(line: Option<u64>, column: Option<u64>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Utf8Path) -> Result<Self, ConfigError> {
        let text = read_regular_text(path, LARGEST_BY_HAND)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a configuration from its text; `path` is for error messages.
    pub fn parse(text: &str, path: &Utf8Path) -> Result<Self, ConfigError> {
        // An empty document is a configuration in which everything is a default.
        let empty = text.lines().map(str::trim).all(|line| {
            line.is_empty() || line.starts_with('#') || line.strip_prefix("---").is_some_and(str::is_empty)
        });
        if empty {
            return Ok(Self::default());
        }
        let config: Self = serde_saphyr::from_str(text).map_err(|error| {
            let location = error.location();
            ConfigError::Invalid {
                path: path.to_owned(),
                line: location.map(|at| at.line()),
                column: location.map(|at| at.column()),
                message: wording(&error, text),
            }
        })?;
        if let Some(message) = config.contradiction() {
            return Err(ConfigError::Invalid { path: path.to_owned(), line: None, column: None, message });
        }
        Ok(config)
    }

    /// Settings that exclude each other.
    fn contradiction(&self) -> Option<String> {
        if !self.apps.is_empty() && self.app.is_some() {
            return Some("`app` names one app and `apps` several: keep one of them".to_owned());
        }
        if !self.apps.is_empty() && self.synth.is_some() {
            return Some("with `apps`, each app has a `synth` of its own".to_owned());
        }
        if !self.apps.is_empty() && self.install.is_some() {
            return Some("with `apps`, each app has an `install` of its own".to_owned());
        }
        if self.apps.is_empty() && self.install.is_some() && self.synth.is_none() {
            return Some(
                "`install` runs before `synth`: say with `synth` what makes the assembly".to_owned(),
            );
        }
        let odd = |name: &&String| name.is_empty() || !name.chars().all(is_in_app_name);
        self.apps.keys().find(odd).map(|name| {
            format!("apps: `{name}` cannot be the name of an app: use letters, digits, `-`, `_` and `.`")
        })
    }
}

/// Reads a duration as [`parse_duration`] does.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text)
        .ok_or_else(|| de::Error::custom(format!("`{text}` is not a duration; write it like `240m` or `4h`")))
}

pub(crate) fn some_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// Reads a duration of hours, minutes and seconds, such as `1h30m`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let units: BTreeMap<char, u64> = BTreeMap::from([('h', 3600), ('m', 60), ('s', 1)]);
    let mut total = 0u64;
    let mut number = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            number.push(c);
        } else {
            let value: u64 = number.parse().ok()?;
            total = total.checked_add(value.checked_mul(*units.get(&c)?)?)?;
            number.clear();
        }
    }
    (number.is_empty() && !text.trim().is_empty()).then(|| Duration::from_secs(total))
}

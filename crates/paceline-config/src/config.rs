//! The settings of a whole deployment, and how the file is read.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LARGEST_BY_HAND, read_regular_text};
use paceline_yaml::Node;
use serde_json::{Value, json};

use crate::approve::Approve;
use crate::apps::{AppConfig, is_in_app_name};
use crate::codebuild::{CodeBuild, Runner};
use crate::commands::CommandConfig;
use crate::edges::DeclaredEdge;
use crate::error::ConfigError;
use crate::fan_out::FanOut;
use crate::gates::GateConfig;
use crate::metrics::MetricsTarget;
use crate::misplaced::{misplaced, outdented};
use crate::notifications::Notifications;
use crate::pipeline::Pipeline;
use crate::places::{SettingPlace, SettingPlaces};
use crate::prewarm::Prewarm;
use crate::rollout::Rollout;
use crate::run::{Concurrency, JournalSettings, OnFailure, Strategy, Unchanged};
use crate::setting::{Problem, Setting, SettingError, settings, text};
use crate::signal::Signal;
use crate::stacks::{MultiRegion, PhaseConfig};
use crate::traces::Traces;

/// The file that is read when none is named.
pub const FILE_NAME: &str = "paceline.yaml";

settings! {
    /// How Paceline deploys an AWS CDK app. Every field is optional.
    pub struct Config: Default {
        /// The version of this format.
        pub version: Version,
        /// The synthesized app (a `cdk.out` folder), relative to this file. `--app` overrides it.
        pub app: Option<Utf8PathBuf>,
        /// The apps by name, for a deployment of several. The id of a stack is then `app/stack`.
        pub apps: BTreeMap<String, AppConfig>,
        /// The shell command that installs the packages that `synth` needs. `paceline deploy` skips it when the lock
        /// file of Node.js has not changed since the last installation. The generated buildspec always runs it.
        pub install: Option<String>,
        /// The shell command that synthesizes the app, for an app whose `cdk.out` is not committed. It runs in the
        /// folder that Paceline runs in; in a build, that is the root of the repository. `paceline deploy` runs it
        /// before it deploys, unless --no-synth or --app is given. The generated buildspec runs it once.
        pub synth: Option<String>,
        /// How the secondary regions are switched on.
        pub multi_region: Option<MultiRegion>,
        /// A region at a time: the region that is deployed first, and the CloudWatch alarms that are watched before the
        /// other regions follow.
        pub rollout: Option<Rollout>,
        /// Named groups of stacks, in their order.
        pub phases: Vec<PhaseConfig>,
        /// When a stack may start: `graph`, when the stacks that it depends on are complete; `phases`, when every
        /// earlier phase is complete too.
        pub strategy: Strategy,
        /// Dependencies that no file shows, and changes to those that files show.
        pub edges: Vec<DeclaredEdge>,
        /// How many operations run at the same time.
        pub concurrency: Concurrency,
        /// Waiters between a stack and the stacks that depend on it.
        pub gates: Vec<GateConfig>,
        /// What a run creates at its start, while other steps run: repositories of images.
        pub prewarm: Prewarm,
        /// Scripts that run between stacks.
        pub commands: Vec<CommandConfig>,
        /// Differences between a stack and its template that are not deployed.
        pub unchanged: Unchanged,
        /// What happens when a stack fails.
        pub on_failure: OnFailure,
        /// What a deployment may change without a person.
        pub approve: Approve,
        /// What is kept of runs in the staging bucket, for other machines.
        pub journal: JournalSettings,
        /// The CloudFormation wait condition that is signalled once, when the deployment ends: as a success or as a
        /// failure. A process that is killed signals nothing, and the wait condition then ends by its own timeout.
        pub signal: Signal,
        /// Where the metrics of a run go: `cloudwatch` sends them to CloudWatch, `emf` prints them to stdout in the
        /// embedded metric format, which CloudWatch Logs reads. `--metrics` overrides it.
        pub metrics: MetricsTarget,
        /// Who hears that a deployment starts, fails and ends.
        pub notifications: Notifications,
        /// Where the OpenTelemetry traces of runs go.
        pub traces: Traces,
        /// The CodeBuild project.
        pub codebuild: CodeBuild,
        /// The pipeline that `paceline gen --pipeline` writes.
        pub pipeline: Pipeline,
        /// The state machine that `paceline gen --fan-out` writes.
        pub fan_out: FanOut,
        /// Where a build gets the runner from, which is the program `paceline`.
        pub runner: Option<Runner>,
    }
    with {
        /// Where the settings stand in the file.
        pub places: SettingPlaces,
    }
}

/// The JSON Schema of the configuration, for editors.
pub fn schema() -> Value {
    let mut schema = Config::schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = FILE_NAME.into();
    schema
}

/// The version of the format. There is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version;

impl Setting for Version {
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?;
        match text.parse::<u32>() {
            Ok(1) => Ok(Self),
            Ok(other) => {
                let message = format!("version {other} is not known; this program reads version 1");
                Err(Problem::at(node.at, message, "write `version: 1`"))
            }
            Err(_) => {
                Err(Problem::at(node.at, format!("`{text}` is not a whole number"), "write `version: 1`"))
            }
        }
    }

    fn schema() -> Value {
        json!({ "const": 1 })
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
        let invalid = |problem: Problem| {
            let at = problem.at;
            let lost = problem.missing.and_then(|field| misplaced(text, &field, at.line, at.column));
            let place = SettingPlace { file: path.to_owned(), at: Some(at) };
            ConfigError::Invalid { place, message: problem.message, hint: lost.unwrap_or(problem.hint) }
        };
        let parsed = paceline_yaml::parse_with_duplicates(text).map_err(|error| {
            let hint = outdented(text, error.at.line)
                .unwrap_or_else(|| "check the indentation and the quotes around this place".to_owned());
            invalid(Problem::at(error.at, error.message, hint))
        })?;
        if let Some(duplicate) = parsed.duplicates.into_iter().next() {
            return Err(invalid(Problem::at(duplicate.at, duplicate.message, "keep one of them")));
        }
        let root = parsed.root;
        // An empty document is a configuration in which everything is a default.
        if root.is_null() {
            return Ok(Self::default());
        }
        let config = <Self as Setting>::read(&root).map_err(invalid)?;
        let config = Self { places: SettingPlaces::of(path, &root), ..config };
        match config.contradiction() {
            None => Ok(config),
            Some((setting, error)) => {
                let at = config.places.get(setting).and_then(|place| place.at);
                let place = SettingPlace { file: path.to_owned(), at };
                Err(ConfigError::Invalid { place, message: error.to_string(), hint: error.hint().to_owned() })
            }
        }
    }

    /// A setting that another one excludes.
    fn contradiction(&self) -> Option<(&'static str, SettingError)> {
        if let Some(found) = self.runner.as_ref().and_then(Runner::contradiction) {
            return Some(found);
        }
        let error = |message: &str, hint: &str| SettingError::new(message, hint);
        if self.apps.is_empty() {
            let is_lone = self.install.is_some() && self.synth.is_none();
            return is_lone.then(|| {
                let hint = "add `synth`, the command that synthesizes the app";
                ("install", error("`install` runs before `synth`, and there is no `synth`", hint))
            });
        }
        if self.app.is_some() {
            return Some(("app", error("`app` names one app and `apps` several", "keep one of them")));
        }
        for (setting, is_set) in [("synth", self.synth.is_some()), ("install", self.install.is_some())] {
            if is_set {
                let message = format!("with `apps`, each app has its own `{setting}`");
                return Some((setting, error(&message, "move it to the app that it is for")));
            }
        }
        let odd = |name: &&String| name.is_empty() || !name.chars().all(is_in_app_name);
        self.apps.keys().find(odd).map(|name| {
            let message = format!("`{name}` cannot be the name of an app");
            ("apps", error(&message, "use letters, digits, `-`, `_` and `.`"))
        })
    }
}

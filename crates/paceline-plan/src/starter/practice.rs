//! What a team's build does today, as plain values: whoever has read its definition fills them in.

use std::collections::BTreeMap;

/// What a build does. Lines are those of its definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Practice {
    /// What the definitions are called: one, as a rule. Lines are those of the one that has the app.
    pub files: Vec<String>,
    /// How each app is made, in the order in which they are used.
    pub apps: Vec<Maker>,
    /// In the order in which they run.
    pub deployments: Vec<Deployment>,
    /// What runs between them.
    pub scripts: Vec<Script>,
    /// The variable with the address of the wait condition that is told how the build ended.
    pub signal: Option<Line>,
    /// What bootstraps environments.
    pub bootstraps: Vec<Line>,
    /// The runtimes it asks for.
    pub runtimes: Vec<Runtime>,
}

/// A line of the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub line: usize,
    /// Its place among all that is done.
    pub order: usize,
    /// What is there.
    pub text: String,
}

/// What is run before other commands so that they find what they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Where it is.
    pub line: usize,
    /// Its place among all that is done.
    pub order: usize,
    /// What is run.
    pub text: String,
    /// The variables that it sets; none for an environment that is entered.
    pub sets: Vec<String>,
}

/// How an app is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maker {
    /// What people call it.
    pub name: String,
    /// The definition that it is used in.
    pub file: String,
    /// Where it is first used.
    pub line: usize,
    /// Its folder, relative to the configuration; empty for the configuration's own.
    pub dir: String,
    /// The folder of its assembly, relative to its own.
    pub assembly: String,
    /// What its commands need before them.
    pub setup: Vec<Setup>,
    /// What installs its packages.
    pub install: Vec<Line>,
    /// What builds it.
    pub build: Vec<Line>,
    /// The call that synthesizes it, without context; none if it is synthesized elsewhere.
    pub synth: Option<String>,
    /// The context of the CDK; what has a `$` in it is for the shell to fill in.
    pub context: BTreeMap<String, Line>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Whether a line needs bash.
    pub bash: bool,
}

/// One deployment of stacks together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deployment {
    /// Where it is.
    pub line: usize,
    /// The position of its app.
    pub app: usize,
    /// Names or patterns; none for all of the app.
    pub stacks: Vec<String>,
    /// What decides whether it is done.
    pub when: Option<When>,
    /// Whether it runs in the background of the next commands.
    pub beside: bool,
    /// Whether the build continues when it fails.
    pub may_fail: bool,
}

/// What decides whether something is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// The variable, if it is one alone.
    pub variable: Option<String>,
    /// What is compared with it.
    pub value: String,
    /// Whether it must be that, or must not.
    pub equals: bool,
    /// As it is written.
    pub text: String,
}

/// A script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Where it is.
    pub line: usize,
    /// Its folder, relative to the configuration.
    pub dir: String,
    /// What is given to the shell.
    pub text: String,
    /// How many deployments are before it.
    pub after: usize,
    /// What decides whether it is run.
    pub when: Option<When>,
    /// Whether it runs after a failure too.
    pub always: bool,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Whether it needs bash.
    pub bash: bool,
}

/// A runtime that a build asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Where.
    pub line: usize,
    /// Such as `nodejs`.
    pub name: String,
    /// As it is written.
    pub version: String,
}

impl Practice {
    /// What the definitions are called, in a sentence.
    pub(super) fn file(&self) -> String {
        self.files.join(" and ")
    }

    /// The definition that a deployment is in.
    pub(super) fn file_of(&self, deployment: &Deployment) -> &str {
        self.apps.get(deployment.app).map_or("", |app| app.file.as_str())
    }
}

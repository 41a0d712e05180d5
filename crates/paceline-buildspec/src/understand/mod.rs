//! Understands a hand-written buildspec, so that a configuration can replace it: the apps that it deploys,
//! their synthesis, the stacks and their order, and the other commands in between.
//!
//! The commands are followed like a shell would run them, with the folder and the variables that are known
//! before anything runs. Nothing is run. Anything that is not understood is kept as a script at its place, or
//! is listed with the reason why it is left out. Every command of the file appears in one of the lists of an
//! [`Understanding`].

mod collect;
mod existing;
mod interpret;
mod names;
mod read;

use std::collections::BTreeMap;

use crate::grammar::Document;

pub use crate::grammar::MAX_BYTES;
pub use existing::ExistingPipeline;

/// Access to the source tree around a buildspec.
pub trait SourceTree {
    /// A script of the `package.json` in a folder, which is relative to the root of the source.
    fn package_script(&self, dir: &str, name: &str) -> Option<String>;

    /// Whether a folder exists, relative to the root of the source. `None` if that is not known.
    fn is_folder(&self, _dir: &str) -> Option<bool> {
        None
    }
}

/// The source tree of a buildspec without other files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSourceTree;

impl SourceTree for NoSourceTree {
    fn package_script(&self, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// The meaning of a buildspec. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Understanding {
    /// The apps, in the order of their first use.
    pub apps: Vec<App>,
    /// The deployments, in the order in which they run.
    pub deployments: Vec<Deployment>,
    /// The other scripts, in their order.
    pub scripts: Vec<Script>,
    /// The variables with the addresses to which the result of the build is signalled.
    pub signals: Vec<Signal>,
    /// The places where environments are bootstrapped.
    pub bootstraps: Vec<Line>,
    /// The runtimes that the build selects.
    pub runtimes: Vec<Runtime>,
    /// The parts that are obsolete or that cannot be taken over, with the reasons.
    pub left_out: Vec<LeftOut>,
    /// The problems of the file itself.
    pub problems: Vec<LeftOut>,
    /// The number of commands that were followed.
    pub commands: usize,
}

/// A part of the file, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line on which the part starts.
    pub line: usize,
    /// The position among all actions of the build.
    pub order: usize,
    /// The text. Known values replace variables where that matters.
    pub text: String,
}

/// A CDK app, as far as the commands show it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct App {
    /// The name, which comes from the folder.
    pub name: String,
    /// The buildspec that uses the app. It is empty until an [`ExistingPipeline`] puts several buildspecs together.
    pub file: String,
    /// The line of the first use.
    pub line: usize,
    /// The folder, relative to the root of the source. It is empty for the root itself.
    pub dir: String,
    /// The commands that install the app's packages.
    pub install: Vec<Line>,
    /// The other commands that run before the app is synthesized.
    pub build: Vec<Line>,
    /// The commands that prepare the shell for every command of the app: they enter a virtual environment, or
    /// set variables.
    pub setup: Vec<Setup>,
    /// The way in which the CDK CLI is called, such as `npx cdk`.
    pub cli: String,
    /// The value of `--app`, if it is a program.
    pub program: Option<String>,
    /// The folder of the assembly, relative to the app's folder.
    pub assembly: String,
    /// Whether the build synthesizes the app. It does not if it only deploys an existing assembly.
    pub is_synthesized: bool,
    /// The context of the CDK, each value with the place where it is first given.
    pub context: BTreeMap<String, Line>,
    /// The environment variables with known values.
    pub env: BTreeMap<String, String>,
}

/// A command that prepares the shell for other commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The line of the command.
    pub line: usize,
    /// The position among all actions of the build.
    pub order: usize,
    /// The text of the command.
    pub text: String,
    /// The variables that the command sets. It is empty for a command that enters an environment.
    pub sets: Vec<String>,
}

/// One call of `cdk deploy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deployment {
    /// The line of the call.
    pub line: usize,
    /// The position of its app in [`Understanding::apps`].
    pub app: usize,
    /// Names or patterns of stacks. It is empty if all stacks of the app are deployed.
    pub stacks: Vec<String>,
    /// The condition of the deployment.
    pub when: Option<When>,
    /// The values of `--parameters`, as written.
    pub parameters: Vec<String>,
    /// The value of `--outputs-file`.
    pub outputs: Option<String>,
    /// Whether the build continues after a failure.
    pub may_fail: bool,
    /// Whether the deployment runs in the background of the next commands.
    pub background: bool,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// The variable, if the condition tests a single one.
    pub variable: Option<String>,
    /// The value that the variable is compared with.
    pub value: String,
    /// Whether the variable must have the value, or must not have it.
    pub equals: bool,
    /// The condition as written.
    pub text: String,
    /// The condition as a shell command, if it can be tested again without side effects.
    pub shell: Option<String>,
}

/// A script besides the CDK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The line of the script.
    pub line: usize,
    /// The folder in which the script runs.
    pub dir: String,
    /// The script as written.
    pub text: String,
    /// The number of deployments before the script.
    pub after: usize,
    /// The condition of the script.
    pub when: Option<When>,
    /// Whether the script is in `post_build` or in a `finally`, so that it also runs after a failure.
    pub always: bool,
    /// The variables that the script names and whose values are known.
    pub env: BTreeMap<String, String>,
}

/// A signal to an outer stack that waits for the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The line of the command that sends the signal.
    pub line: usize,
    /// The variable with the address.
    pub variable: String,
}

/// A runtime that the build selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// The line of the selection.
    pub line: usize,
    /// The name of the runtime, such as `nodejs`.
    pub name: String,
    /// The version as written.
    pub version: String,
}

/// A part of the buildspec that is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The line of the part.
    pub line: usize,
    /// The part, shortened.
    pub what: String,
    /// The reason, and advice.
    pub why: String,
    /// Whether the part may deploy something.
    pub may_deploy: bool,
}

/// Understands a buildspec. It accepts any bytes, and ends in bounded time.
pub fn understand(bytes: &[u8], source_tree: &dyn SourceTree) -> Understanding {
    let understood = read::text(bytes).and_then(|text| {
        let document = Document::read(text);
        let sections = read::sections(&document)?;
        let mut interpreter = interpret::Interpreter::new(&sections.variables, source_tree);
        interpreter.run(&document);
        Ok(collect::collect(interpreter, sections))
    });
    understood.unwrap_or_else(|problem| Understanding { problems: vec![problem], ..Understanding::default() })
}

impl Understanding {
    /// Whether the buildspec contains no app that Paceline could deploy.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }
}

/// Whether a script uses syntax that only bash understands.
pub fn needs_bash(script: &str) -> bool {
    !crate::shell::Script::parse(script).bashisms.is_empty()
}

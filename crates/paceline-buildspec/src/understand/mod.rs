//! Understands what a hand-written buildspec does, so that it can be taken over: which apps it deploys, how it makes
//! them, which stacks in which order, and what else it runs in between.
//!
//! The commands are followed the way a shell would run them, with the folder and the variables that are known before
//! anything runs. Nothing is run. Whatever is not understood is kept as a script at its place, or listed with the
//! reason why it is left out: every command of the file ends up in one of the lists of an [`Understanding`].

mod collect;
mod existing;
mod interpret;
mod names;
mod read;

use std::collections::BTreeMap;

use crate::grammar::Document;

pub use crate::grammar::MAX_BYTES;
pub use existing::ExistingPipeline;

/// What surrounds a buildspec and is not in it.
pub trait SourceTree {
    /// A script of the `package.json` in a folder, which is relative to the root of the source.
    fn package_script(&self, dir: &str, name: &str) -> Option<String>;

    /// Whether a folder is there, relative to the root of the source; none where that is not known.
    fn is_folder(&self, _dir: &str) -> Option<bool> {
        None
    }
}

/// A buildspec that stands alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSourceTree;

impl SourceTree for NoSourceTree {
    fn package_script(&self, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// What a buildspec does. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Understanding {
    /// In the order in which they are first used.
    pub apps: Vec<App>,
    /// In the order in which they run.
    pub deployments: Vec<Deployment>,
    /// The scripts besides the CDK, in their order.
    pub scripts: Vec<Script>,
    /// The variables with addresses that are told how the build ended.
    pub signals: Vec<Signal>,
    /// Where environments are bootstrapped.
    pub bootstraps: Vec<Line>,
    /// The runtimes that the build selects.
    pub runtimes: Vec<Runtime>,
    /// What nobody needs any more, or cannot be taken over, and why.
    pub left_out: Vec<LeftOut>,
    /// What is wrong with the file itself.
    pub problems: Vec<LeftOut>,
    /// How many commands were followed.
    pub commands: usize,
}

/// A part of the file, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it starts.
    pub line: usize,
    /// Its place among all that is done.
    pub order: usize,
    /// The text, with what is known in place of variables where that matters.
    pub text: String,
}

/// A CDK app, as far as its commands show it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct App {
    /// After its folder.
    pub name: String,
    /// The buildspec that uses it; empty until an [`ExistingPipeline`] puts several buildspecs together.
    pub file: String,
    /// Where it is first used.
    pub line: usize,
    /// Relative to the root of the source; empty for the root itself.
    pub dir: String,
    /// What installs its packages.
    pub install: Vec<Line>,
    /// What is run in the root of the source or elsewhere before it is built.
    pub build: Vec<Line>,
    /// What every command of it needs before it: a virtual environment, variables that a command sets.
    pub setup: Vec<Setup>,
    /// How the CDK CLI is called, such as `npx cdk`.
    pub cli: String,
    /// What `--app` says, if it is a program.
    pub program: Option<String>,
    /// The folder of the assembly, relative to its own.
    pub assembly: String,
    /// Whether something here synthesizes it: not where only an assembly made elsewhere is deployed.
    pub is_synthesized: bool,
    /// The context of the CDK, and where it is first given.
    pub context: BTreeMap<String, Line>,
    /// The environment variables that are known.
    pub env: BTreeMap<String, String>,
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

/// One call of `cdk deploy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deployment {
    /// Where it is.
    pub line: usize,
    /// The position of its app.
    pub app: usize,
    /// Names or patterns; none for all the stacks of the app.
    pub stacks: Vec<String>,
    /// What decides whether it is done.
    pub when: Option<When>,
    /// `--parameters`, as they are given.
    pub parameters: Vec<String>,
    /// `--outputs-file`.
    pub outputs: Option<String>,
    /// Its failure does not end the build.
    pub may_fail: bool,
    /// It runs in the background of the next commands.
    pub background: bool,
}

/// What decides whether something is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// The variable, if it is one alone.
    pub variable: Option<String>,
    /// Its value.
    pub value: String,
    /// Whether it must have the value, or must not.
    pub equals: bool,
    /// As it is written.
    pub text: String,
    /// What a shell can be asked again, if that does no more than to ask.
    pub shell: Option<String>,
}

/// A script besides the CDK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Where it is.
    pub line: usize,
    /// The folder it runs in.
    pub dir: String,
    /// As it is written.
    pub text: String,
    /// How many deployments are before it.
    pub after: usize,
    /// What decides whether it is run.
    pub when: Option<When>,
    /// It is in `post_build` or in a `finally`, and so runs after a failure too.
    pub always: bool,
    /// The variables that it names and whose values are known.
    pub env: BTreeMap<String, String>,
}

/// A signal to an outer stack that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Where it is sent.
    pub line: usize,
    /// The variable with the address.
    pub variable: String,
}

/// A runtime that the build selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Where.
    pub line: usize,
    /// Such as `nodejs`.
    pub name: String,
    /// As it is written.
    pub version: String,
}

/// What is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Where it is.
    pub line: usize,
    /// What, shortened.
    pub what: String,
    /// Why not, and what to do about it.
    pub why: String,
    /// It may deploy something.
    pub may_deploy: bool,
}

/// Understands a buildspec. Takes any bytes, and ends in bounded time.
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
    /// Whether there is anything in it that Paceline could deploy.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }
}

/// Whether a script uses syntax that only bash understands.
pub fn needs_bash(script: &str) -> bool {
    !crate::shell::Script::parse(script).bashisms.is_empty()
}

//! The nodes of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::gate::Gate;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::estimate::Basis;

/// A node of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in the plan, such as `deploy:Services`.
    pub id: String,
    /// What is to be done.
    pub work: Work,
    /// The positions of the steps it waits for; all are smaller than its own.
    pub needs: Vec<usize>,
    /// Needs that end early: once the listed resources exist.
    pub early_needs: Vec<EarlyNeed>,
    /// How long it is expected to take.
    pub expected: Duration,
    /// Where that figure comes from.
    pub expected_from: Basis,
}

/// A need that ends before the whole stack is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyNeed {
    /// The position of the step that deploys the stack.
    pub need: usize,
    /// The logical ids of the resources that are enough.
    pub resources: BTreeSet<String>,
    /// When they are expected to be complete, from the start of that step.
    pub after: Duration,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Bring an asset to a destination.
    Publish(Publish),
    /// Create or update a stack.
    Deploy {
        /// The position of the stack in [`Plan::stacks`](super::Plan::stacks).
        stack: usize,
    },
    /// Delete a stack.
    Delete {
        /// The position of the stack in [`Plan::stacks`](super::Plan::stacks).
        stack: usize,
    },
    /// Wait for something after a stack.
    Gate {
        /// The position of the stack in [`Plan::stacks`](super::Plan::stacks).
        stack: usize,
        /// What is waited for.
        gate: Gate,
    },
    /// Run a script that the team supplies.
    Command(Command),
    /// Create what stacks need, unless it is there.
    Prewarm(Prewarm),
    /// Synthesize an app again, for stacks whose templates hold what earlier stacks make.
    Synthesize(Synthesize),
}

/// An asset and one of its destinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// The position in [`Plan::stacks`](super::Plan::stacks) of the first stack that needs it.
    pub stack: usize,
    /// The id of the stack whose asset manifest names it. It need not be a stack of the plan: see
    /// [`Borrowed`](super::Borrowed).
    pub manifest: String,
    /// Its id in that manifest.
    pub asset: String,
    /// The id of the destination in that manifest.
    pub destination: String,
    /// Whether it is a container image and not a file.
    pub image: bool,
    /// What people call it.
    pub title: String,
}

/// A script that the team supplies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What people call it.
    pub name: String,
    /// The position in [`Plan::stacks`](super::Plan::stacks) of the last stack it follows.
    pub stack: usize,
    /// What is given to the shell.
    pub run: String,
    /// The shell, which takes `-c` and the script.
    pub shell: String,
    /// The folder it runs in.
    pub dir: Utf8PathBuf,
    /// Environment variables on top of Paceline's own.
    pub env: BTreeMap<String, String>,
    /// After so long it is ended, and has failed.
    pub timeout: Option<Duration>,
    /// How often it is run again when it fails.
    pub retries: u32,
    /// The digests of the files that it starts, as far as they have been read: see
    /// [`Plan::with_scripts`](super::Plan::with_scripts).
    pub scripts: BTreeMap<Utf8PathBuf, String>,
}

/// A repository of images that is created unless it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prewarm {
    /// The position in [`Plan::stacks`](super::Plan::stacks) of the first stack that it is for.
    pub stack: usize,
    /// Its name.
    pub repository: String,
    /// Its account, unless it is that of the stack, which only the run knows.
    pub account: Option<String>,
    /// Its region, unless it is that of the stack, which only the run knows.
    pub region: Option<String>,
}

/// An app that is synthesized in the middle of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synthesize {
    /// The app, where there are several.
    pub app: Option<String>,
    /// The positions in [`Plan::stacks`](super::Plan::stacks) of the stacks that wait for it; at least one.
    pub stacks: Vec<usize>,
    /// The names that the synthesis looks up: of parameters, or such as `hosted zone example.com`.
    pub lookups: BTreeSet<String>,
}

/// What the only app is called.
pub const THE_APP: &str = "the app";

impl Synthesize {
    /// What the app is called, in a sentence.
    pub fn app_shown(&self) -> String {
        self.app.as_ref().map_or_else(|| THE_APP.to_owned(), |app| format!("app `{app}`"))
    }
}

impl Work {
    /// The word used in events.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Publish(_) => "publish",
            Self::Deploy { .. } => "deploy",
            Self::Delete { .. } => "delete",
            Self::Gate { .. } => "gate",
            Self::Command(_) => "command",
            Self::Prewarm(_) => "prewarm",
            Self::Synthesize(_) => "synth",
        }
    }

    /// The position of the stack it belongs to: the one it is about, or the first that needs the asset.
    pub(crate) fn about(&self) -> usize {
        match self {
            Self::Publish(publish) => publish.stack,
            Self::Command(command) => command.stack,
            Self::Prewarm(prewarm) => prewarm.stack,
            Self::Synthesize(synthesize) => synthesize.stacks[0],
            Self::Deploy { stack } | Self::Delete { stack } | Self::Gate { stack, .. } => *stack,
        }
    }

    /// The position of the stack that it changes, for the kinds of work that are operations on stacks.
    pub fn changes(&self) -> Option<usize> {
        match self {
            Self::Deploy { stack } | Self::Delete { stack } => Some(*stack),
            Self::Publish(_)
            | Self::Gate { .. }
            | Self::Command(_)
            | Self::Prewarm(_)
            | Self::Synthesize(_) => None,
        }
    }

    /// The position of the stack it is about.
    pub fn stack(&self) -> Option<usize> {
        match self {
            Self::Publish(_) | Self::Command(_) | Self::Prewarm(_) | Self::Synthesize(_) => None,
            Self::Deploy { stack } | Self::Delete { stack } | Self::Gate { stack, .. } => Some(*stack),
        }
    }
}

impl Publish {
    /// What it is, and what people call it. A title that is made of the digest says already what it is.
    pub fn named(&self) -> String {
        let kind = if self.image { "image" } else { "file" };
        match self.title.strip_prefix(kind) {
            Some(rest) if rest.starts_with(' ') => self.title.clone(),
            _ => format!("{kind} {}", self.title),
        }
    }
}

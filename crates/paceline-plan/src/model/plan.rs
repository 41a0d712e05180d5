//! The plan: what will be done, in which order, and why. A value.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::build::edges::{Edge, External, Place, Reason, Stored};
use crate::config::{Concurrency, FailurePolicy, IamRoles, Rollback, Strategy};
use crate::model::graph::Graph;
use crate::outlook::forecast::{Basis, critical_steps};
use crate::outlook::history::{Operation, Site};

/// What will be done, in which order, and why.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The same digest means the same stacks, with the same templates and settings, in the same order.
    pub digest: String,
    /// The stacks that will be deployed, each after all that it waits for.
    pub stacks: Vec<PlannedStack>,
    /// The phases in their order; stacks that no phase names are in none.
    pub phases: Vec<Phase>,
    /// The steps, each after all that it waits for.
    pub steps: Vec<Step>,
    /// Stacks of the assembly that will not be deployed, and why.
    pub left_out: Vec<LeftOut>,
    /// Names that stacks read and that nothing in the assembly provides.
    pub external: Vec<External>,
    /// Edges that are dropped when every parameter they are for is there already.
    pub relaxed: Vec<Relaxed>,
    /// What apps have from their context as it was once found, and stacks of the plan make.
    pub kept_context: Vec<KeptContext>,
    /// Assets that stacks use and that only the asset manifest of another stack names.
    pub borrowed: Vec<Borrowed>,
    /// What one stack names and another makes, where nothing orders the two.
    pub by_name: Vec<ByName>,
    /// Edges that the manifest declares and that no template uses.
    pub declared_only: Vec<DeclaredOnly>,
    /// The stacks that hold the time of their synthesis, and where: such a stack is never unchanged.
    pub times: Vec<(String, Vec<Place>)>,
    /// Whether stacks that differ in such times alone are taken for unchanged.
    pub ignore_times: bool,
    /// What a person should know before deploying.
    pub warnings: Vec<String>,
    /// The ids of the stacks on the heaviest chain.
    pub critical_path: Vec<String>,
    /// What decides when a stack may start.
    pub strategy: Strategy,
    /// How much happens at once.
    pub concurrency: Concurrency,
    /// What happens to the other stacks when one fails.
    pub policy: FailurePolicy,
    /// What happens to a stack that fails.
    pub rollback: Rollback,
}

/// A stack that will be deployed.
#[derive(Debug, Clone)]
pub struct PlannedStack {
    /// The hierarchical id, as `cdk ls` prints it.
    pub id: String,
    /// The CloudFormation stack name.
    pub name: String,
    /// The account, unless the stack goes wherever the credentials belong.
    pub account: Option<String>,
    /// The region, unless the stack goes wherever the environment says.
    pub region: Option<String>,
    /// The phase that names it.
    pub phase: Option<String>,
    /// The number of stacks in the longest chain before it.
    pub level: usize,
    /// How many resources its template has, nested templates included.
    pub resources: usize,
    /// How long its next operation is expected to take.
    pub expected: Duration,
    /// Where that figure comes from.
    pub expected_from: Basis,
    /// What that operation is, as far as history tells.
    pub operation: Operation,
    /// The digest of its template.
    pub template: String,
    /// The digest of what CloudFormation is given beside the template: parameters, tags, roles and the like.
    pub settings: String,
    /// Why it waits for others.
    pub depends_on: Vec<Edge>,
}

impl PlannedStack {
    /// Where it is deployed, as the history tells places apart.
    pub(crate) fn site(&self) -> Site<'_> {
        Site { account: self.account.as_deref(), region: self.region.as_deref() }
    }
}

/// A named group of stacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// What people call it.
    pub name: String,
    /// Whether it waits for the whole of every phase before it.
    pub barrier: bool,
    /// The ids of its stacks that will be deployed.
    pub stacks: Vec<String>,
}

/// A stack that will not be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its id.
    pub stack: String,
    /// Why.
    pub why: String,
}

/// An edge that the manifest declares and that no template uses: nothing of one stack is named in the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredOnly {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// How much earlier the last stack would be complete without this edge, with room for every stack at once.
    pub saves: Duration,
}

/// An asset whose address stands in the template of a stack, and which only another stack's asset manifest names. The
/// stack waits until the asset is published, and not for the other stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Borrowed {
    /// The id of the stack that uses it.
    pub stack: String,
    /// The id of the stack whose asset manifest names it.
    pub manifest: String,
    /// What people call it.
    pub asset: String,
    /// Whether it is a container image and not a file.
    pub image: bool,
    /// The id of the step that publishes it.
    pub step: String,
    /// Where the template uses it.
    pub read_at: Place,
}

/// One stack names what another makes under a literal name. Whether it has to be there first, only the team knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByName {
    /// The id of the stack that names it.
    pub from: String,
    /// The id of the stack that makes it.
    pub to: String,
    /// What it is, such as `role`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is named.
    pub read_at: Place,
}

/// Edges between two stacks that are dropped when what they are for is there before the run: every parameter that is
/// read, or for edges of the manifest the other stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relaxed {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack it waits for.
    pub to: String,
    /// Why that is right, in the team's words.
    pub because: String,
    /// The kind of edge, where the team names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The parameters; none where only the manifest orders the two.
    pub parameters: Vec<Stored>,
    /// Whether this plan has the edges no more.
    pub dropped: bool,
    /// Whether they had to go: with them, stacks would wait for each other in a circle or against the phases. The
    /// parameters have to be there then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Whether other edges tie the two all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_effect: bool,
}

/// What an app has from its context as it was once found, and a stack of the plan makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptContext {
    /// The app, where there are several.
    pub app: Option<String>,
    /// The key of the context.
    pub key: String,
    /// The name of the parameter, or such as `hosted zone example.com`.
    pub name: String,
    /// The id of the stack that makes it.
    pub stack: String,
}

/// A node of the plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// Unique in the plan, such as `deploy:Services`.
    pub id: String,
    /// What is to be done.
    pub work: Work,
    /// The positions of the steps it waits for; all are smaller than its own.
    pub needs: Vec<usize>,
    /// Those of them that it waits for only until some of their resources are complete.
    pub early: Vec<Early>,
    /// How long it is expected to take.
    pub expected: Duration,
    /// Where that figure comes from.
    pub expected_from: Basis,
}

/// A stack that a step waits for only until some of its resources are complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Early {
    /// The position of the step that deploys the stack.
    pub need: usize,
    /// The logical ids of the resources.
    pub resources: BTreeSet<String>,
    /// When they are expected to be complete, from the start of that step.
    pub after: Duration,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Bring an asset to a destination.
    Publish(Publish),
    /// Create or update a stack.
    Deploy {
        /// The position of the stack in [`Plan::stacks`].
        stack: usize,
    },
    /// Delete a stack.
    Delete {
        /// The position of the stack in [`Plan::stacks`].
        stack: usize,
    },
    /// Wait until a stack's roles are usable.
    Gate {
        /// The position of the stack in [`Plan::stacks`].
        stack: usize,
        /// Which roles.
        roles: IamRoles,
    },
    /// Run a script that the team supplies.
    Command(Command),
    /// Synthesize an app again, for stacks that hold what earlier stacks make.
    Synthesize(Synthesize),
}

/// What the only app is called.
pub const THE_APP: &str = "the app";

/// An app that is synthesized in the middle of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synthesize {
    /// The app, where there are several.
    pub app: Option<String>,
    /// The positions in [`Plan::stacks`] of the stacks that wait for it, of which there is at least one.
    pub stacks: Vec<usize>,
    /// The names of what it is done for: parameters, or such as `hosted zone example.com`.
    pub lookups: BTreeSet<String>,
}

/// A script that the team supplies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What people call it.
    pub name: String,
    /// The position in [`Plan::stacks`] of the last stack it follows.
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
    /// [`Plan::with_scripts`](Plan::with_scripts).
    pub scripts: BTreeMap<Utf8PathBuf, String>,
}

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
            Self::Synthesize(_) => "synth",
        }
    }

    /// The position of the stack it belongs to: the one it is about, or the first that needs the asset.
    fn about(&self) -> usize {
        match self {
            Self::Publish(publish) => publish.stack,
            Self::Command(command) => command.stack,
            Self::Synthesize(synthesize) => synthesize.stacks[0],
            Self::Deploy { stack } | Self::Delete { stack } | Self::Gate { stack, .. } => *stack,
        }
    }

    /// The position of the stack that it changes, for the kinds of work that are operations on stacks.
    pub fn changes(&self) -> Option<usize> {
        match self {
            Self::Deploy { stack } | Self::Delete { stack } => Some(*stack),
            Self::Publish(_) | Self::Gate { .. } | Self::Command(_) | Self::Synthesize(_) => None,
        }
    }

    /// The position of the stack it is about.
    pub fn stack(&self) -> Option<usize> {
        match self {
            Self::Publish(_) | Self::Command(_) | Self::Synthesize(_) => None,
            Self::Deploy { stack } | Self::Delete { stack } | Self::Gate { stack, .. } => Some(*stack),
        }
    }
}

/// An asset and one of its destinations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The position in [`Plan::stacks`] of the first stack that needs it.
    pub stack: usize,
    /// The id of the stack whose asset manifest names it. It need not be a stack of the plan: see [`Borrowed`].
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

impl Publish {
    /// What it is, and what people call it. A title that is made of the digest says what it is already.
    pub fn named(&self) -> String {
        let kind = if self.image { "image" } else { "file" };
        match self.title.strip_prefix(kind) {
            Some(rest) if rest.starts_with(' ') => self.title.clone(),
            _ => format!("{kind} {}", self.title),
        }
    }
}

impl Plan {
    /// The positions of the steps on the longest chain, from its first to its last.
    pub fn critical_steps(&self) -> Vec<usize> {
        critical_steps(&self.steps)
    }

    /// Finds the stacks on the longest chain again, after steps have changed.
    pub(crate) fn find_critical_path(&mut self) {
        let changed = self.critical_steps().into_iter().filter_map(|step| self.steps[step].work.changes());
        self.critical_path = changed.map(|stack| self.stacks[stack].id.clone()).collect();
    }

    /// The graph of the steps.
    pub fn step_graph(&self) -> Graph {
        let mut graph = Graph::new(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            for &need in &step.needs {
                graph.add(number, need);
            }
        }
        graph
    }

    /// The step that deploys a stack.
    pub fn deploy_step(&self, stack: usize) -> Option<usize> {
        let deploys = |step: &Step| step.work == Work::Deploy { stack };
        // The steps of a stack follow those of the stacks before it.
        let first = self.steps.partition_point(|step| step.work.about() < stack);
        let own = self.steps.iter().skip(first).take_while(|step| step.work.about() == stack);
        own.into_iter().position(deploys).map(|at| first + at).or_else(|| self.steps.iter().position(deploys))
    }

    /// The step that synthesizes a stack's app again before it is deployed, if there is one.
    pub fn synthesis_of(&self, stack: usize) -> Option<usize> {
        let is_for = |step: &Step| matches!(&step.work, Work::Synthesize(it) if it.stacks.contains(&stack));
        self.steps.iter().position(is_for)
    }

    /// The stack a step belongs to: the one it is about, or the first that needs the asset.
    pub fn stack_of(&self, step: &Step) -> &PlannedStack {
        &self.stacks[step.work.about()]
    }

    /// The plan with the durations that were measured, by step; the order of work is as before.
    #[must_use]
    pub fn with_durations(mut self, duration: impl Fn(&Step) -> Duration) -> Self {
        for step in &mut self.steps {
            step.expected = duration(step);
            step.expected_from = Basis::Measured;
        }
        self
    }
}

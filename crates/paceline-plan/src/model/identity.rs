//! Digests of a plan: the same digest means that the same is done.
//!
//! | digest | of | answers |
//! |---|---|---|
//! | [`Plan::digest`] | the whole plan | is this the plan that was approved? |
//! | [`Plan::identity`] | one step | has this step been done already, or was it edited since? |
//! | [`Plan::resume_key`] | stacks, settings and order, made with the plan | does this plan continue that run? |
//!
//! Nothing is picked. The digest of a plan is that of the serialized plan, from which forecasts alone are removed. For
//! the identity of a step every value is taken apart without `..`, so that a new field does not compile until it is
//! decided whether it belongs there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::gate::Gate;
use camino::{Utf8Path, Utf8PathBuf};
use paceline_config::Rollback;
use paceline_text::hex;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::deploy_options::DeployOptions;
use super::estimate::Basis;
use super::operation::StepOperation;
use super::plan::{Plan, PlannedStack};
use super::step::{Command, Prewarm, Publish, Step, Synthesize, Work};

/// Everything that decides what a step does. Positions in the plan are replaced by what stands there.
#[derive(Serialize)]
enum Identity<'a> {
    Publish {
        manifest: &'a str,
        asset: &'a str,
        destination: &'a str,
        image: bool,
        title: &'a str,
    },
    Deploy {
        stack: Target<'a>,
        rollback: Rollback,
        ignore_times: bool,
        #[serde(skip_serializing_if = "DeployOptions::is_usual")]
        deploys: DeployOptions,
    },
    Delete {
        stack: Target<'a>,
    },
    Gate {
        stack: Target<'a>,
        gate: &'a Gate,
    },
    Command(Script<'a>),
    Prewarm {
        repository: &'a str,
        account: Option<&'a str>,
        region: Option<&'a str>,
    },
    Synthesize {
        app: Option<&'a str>,
        stacks: Vec<&'a str>,
        lookups: &'a BTreeSet<String>,
    },
}

#[derive(Serialize)]
struct Target<'a> {
    id: &'a str,
    name: &'a str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    template: &'a str,
    settings: &'a str,
}

#[derive(Serialize)]
struct Script<'a> {
    name: &'a str,
    run: &'a str,
    shell: &'a str,
    dir: &'a Utf8Path,
    env: &'a BTreeMap<String, String>,
    timeout: Option<Duration>,
    retries: u32,
    scripts: &'a BTreeMap<Utf8PathBuf, String>,
}

impl Plan {
    /// A digest of everything that decides what a step of this plan does. When it starts, and how long it is
    /// expected to take, does not.
    pub fn identity(&self, step: &Step) -> String {
        let Step { id, work, needs: _, early_needs: _, expected: _, expected_from: _ } = step;
        let identity = match work {
            // Which stack needs it first says when it is published.
            Work::Publish(Publish { stack: _, manifest, asset, destination, image, title }) => {
                Identity::Publish { manifest, asset, destination, image: *image, title }
            }
            Work::Deploy { stack } => Identity::Deploy {
                stack: Target::of(&self.stacks[*stack]),
                rollback: self.rollback,
                ignore_times: self.ignore_times,
                deploys: self.deploys,
            },
            Work::Delete { stack } => Identity::Delete { stack: Target::of(&self.stacks[*stack]) },
            Work::Gate { stack, gate } => Identity::Gate { stack: Target::of(&self.stacks[*stack]), gate },
            Work::Command(command) => Identity::Command(Script::of(command)),
            // Which stack it is for says when it is created.
            Work::Prewarm(Prewarm { stack: _, repository, account, region }) => {
                Identity::Prewarm { repository, account: account.as_deref(), region: region.as_deref() }
            }
            Work::Synthesize(Synthesize { app, stacks, lookups }) => Identity::Synthesize {
                app: app.as_deref(),
                stacks: stacks.iter().map(|&stack| self.stacks[stack].id.as_str()).collect(),
                lookups,
            },
        };
        content_digest(&(id, identity))
    }
}

impl Plan {
    /// A digest of everything that decides what a run of this plan does: a plan with another digest does something
    /// else, or in another order.
    ///
    /// Left out are the forecast, since it changes with every run in the history, and the remarks for people about
    /// it: durations and where they come from, what history expects to be done to a stack and so to APIs, the critical path, the
    /// savings of unused edges, and warnings. The key for resuming says less than this digest does.
    pub fn digest(&self) -> String {
        let mut decisive = self.clone();
        decisive.resume_key.clear();
        decisive.warnings.clear();
        decisive.critical_path.clear();
        decisive.declared_only.clear();
        for stack in &mut decisive.stacks {
            stack.expected = Duration::ZERO;
            stack.expected_from = Basis::Default;
            stack.operation = StepOperation::Done;
            stack.api_loads.clear();
        }
        for step in &mut decisive.steps {
            step.expected = Duration::ZERO;
            step.expected_from = Basis::Default;
            step.early_needs.iter_mut().for_each(|early| early.after = Duration::ZERO);
        }
        sha(&decisive, 16)
    }
}

impl<'a> Target<'a> {
    fn of(stack: &'a PlannedStack) -> Self {
        let PlannedStack {
            id,
            name,
            account,
            region,
            template,
            settings,
            // When it is deployed, and for how long: not what is deployed.
            phase: _,
            level: _,
            resources: _,
            expected: _,
            expected_from: _,
            operation: _,
            api_loads: _,
            depends_on: _,
        } = stack;
        Self { id, name, account: account.as_deref(), region: region.as_deref(), template, settings }
    }
}

impl<'a> Script<'a> {
    fn of(command: &'a Command) -> Self {
        let Command {
            name,
            // It says where in the plan the command stands; the script is the same wherever it stands.
            stack: _,
            run,
            shell,
            dir,
            env,
            timeout,
            retries,
            scripts,
        } = command;
        Self { name, run, shell, dir, env, timeout: *timeout, retries: *retries, scripts }
    }
}

/// Enough of a digest to tell contents apart.
pub(crate) fn content_digest(value: &impl Serialize) -> String {
    sha(value, 8)
}

/// The first bytes of the digest of a value. Maps are sorted and their keys are texts, so the same value gives the
/// same bytes, and gives them always.
fn sha(value: &impl Serialize, bytes: usize) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    hex(&Sha256::digest(json)[..bytes])
}

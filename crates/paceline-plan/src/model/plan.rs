//! The plan: what will be done, in which order, and why. A value.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use paceline_config::{Concurrency, FailurePolicy, Reason, Rollback, Strategy};
use serde::{Deserialize, Serialize};

use super::api_load::ApiLoads;
use super::bake::Bake;
use super::chain::critical_steps;
use super::deploy_options::DeployOptions;
use super::edge::Edge;
use super::estimate::Basis;
use super::findings::{Borrowed, ByName, DeclaredOnly, External, KeptContext, Relaxed, SynthesisTimes};
use super::gate::Gate;
use super::graph::Graph;
use super::left_out::LeftOut;
use super::operation::StepOperation;
use super::step::{Step, Work};
use super::warning::Warning;

/// What will be done, in which order, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Tells whether an interrupted run was of this plan. Unlike [`digest`](Self::digest) it leaves out what may
    /// change between the two attempts: the commands' texts, and how much happens at once.
    pub resume_key: String,
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
    /// Edges that are dropped when every parameter they are for exists already.
    pub relaxed: Vec<Relaxed>,
    /// Cached lookups in `cdk.context.json` of things that stacks of this plan create.
    pub kept_context: Vec<KeptContext>,
    /// Assets that stacks use and that only the asset manifest of another stack names.
    pub borrowed: Vec<Borrowed>,
    /// What one stack names and another makes, where nothing orders the two.
    pub by_name: Vec<ByName>,
    /// Edges that the manifest declares and that no template uses.
    pub declared_only: Vec<DeclaredOnly>,
    /// The stacks that hold the time of their synthesis: such a stack is never unchanged.
    pub times: Vec<SynthesisTimes>,
    /// Whether stacks that differ in such times alone are taken for unchanged.
    pub ignore_times: bool,
    /// What the run asks of every stack operation.
    #[serde(skip_serializing_if = "DeployOptions::is_usual", default)]
    pub deploys: DeployOptions,
    /// What a person should know before deploying.
    pub warnings: Vec<Warning>,
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
    /// The name of the run that the plan rolls back, if it is the plan of a rollback.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undoes: Option<String>,
    /// Whether the steps only prepare a deployment: they publish assets and make change sets, and change no stack.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub prepares: bool,
}

/// A stack that will be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub operation: StepOperation,
    /// How long that operation occupies the APIs of services whose rates are low.
    #[serde(skip_serializing_if = "ApiLoads::is_empty", default)]
    pub api_loads: ApiLoads,
    /// The digest of its template.
    pub template: String,
    /// The digest of its other input to CloudFormation: parameters, tags, roles and the like.
    pub settings: String,
    /// Why it waits for others.
    pub depends_on: Vec<Edge>,
}

/// A named group of stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// What people call it.
    pub name: String,
    /// Whether it waits for the whole of every phase before it.
    pub barrier: bool,
    /// The ids of its stacks that will be deployed.
    pub stacks: Vec<String>,
}

impl PlannedStack {
    /// The names of what its app looks up in a synthesis that the stack waits for.
    pub fn awaited_lookups(&self) -> BTreeSet<&str> {
        let late = self.depends_on.iter().filter(|edge| edge.reason == Reason::Synth);
        late.map(|edge| edge.name.as_str()).collect()
    }
}

impl Plan {
    /// The number of Docker images that a deployment publishes.
    pub fn images(&self) -> usize {
        let is_image = |step: &&Step| matches!(&step.work, Work::Publish(publish) if publish.image);
        self.steps.iter().filter(is_image).count()
    }

    /// What is watched after the first region is deployed, if the plan deploys one region before the others.
    pub fn bake(&self) -> Option<&Bake> {
        self.steps.iter().find_map(|step| match &step.work {
            Work::Gate { gate: Gate::Bake(bake), .. } => Some(bake),
            _ => None,
        })
    }

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

    /// The graph of the stacks.
    pub fn stack_graph(&self) -> Graph {
        let numbers = self.numbers();
        let mut graph = Graph::new(self.stacks.len());
        for (from, stack) in self.stacks.iter().enumerate() {
            for edge in &stack.depends_on {
                if let Some(&to) = numbers.get(edge.to.as_str()) {
                    graph.add(from, to);
                }
            }
        }
        graph
    }

    /// The positions of the stacks by their ids.
    pub(crate) fn numbers(&self) -> HashMap<&str, usize> {
        self.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect()
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

//! Makes a plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use paceline_assembly::{Assembly, Environment, Stack};
use sha2::{Digest, Sha256};

use crate::commands::Commands;
use crate::config::{Concurrency, Config, FailurePolicy, Rollback, Strategy};
use crate::durations::Durations;
use crate::edges::{self, Edge, External, Place, Reason};
use crate::error::PlanError;
use crate::facts::{self, Facts};
use crate::forecast::Expect;
use crate::graph::{Cycle, Graph};
use crate::history::History;
use crate::names::Names;
use crate::phases::Phases;
use crate::plan::{LeftOut, Plan, PlannedStack, Relaxed};
use crate::relax::{self, Present};
use crate::{beside, declared, steps};

/// What a plan is made with, beside the assembly and the configuration.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// The file that the configuration came from, for messages.
    pub config_path: Utf8PathBuf,
    /// The value of the environment variable that `multi-region.when` names.
    pub multi_region: Option<String>,
    /// Only these stacks, if any are named. Ids, names or patterns.
    pub only: Vec<String>,
    /// Not these stacks.
    pub exclude: Vec<String>,
    /// Instead of the configuration's.
    pub strategy: Option<Strategy>,
    /// Instead of the configuration's number of stack operations at once.
    pub stacks_at_once: Option<std::num::NonZeroUsize>,
    /// Stop starting stacks after the first failure, whatever the configuration says.
    pub fail_fast: bool,
    /// The stacks whose parameters are there already: see [`Relaxed`](crate::Relaxed).
    pub present: Present,
    /// Typical durations by resource type.
    pub durations: Durations,
    /// How long earlier runs took.
    pub history: Arc<History>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            config_path: crate::config::FILE_NAME.into(),
            multi_region: None,
            only: Vec::new(),
            exclude: Vec::new(),
            strategy: None,
            stacks_at_once: None,
            fail_fast: false,
            present: Present::new(),
            durations: Durations::typical(),
            history: Arc::default(),
        }
    }
}

impl Plan {
    /// Makes the plan of an assembly.
    pub fn make(assembly: &Assembly, config: &Config, options: &PlanOptions) -> Result<Self, PlanError> {
        let strategy = options.strategy.unwrap_or(config.strategy);
        let names = Names::new(assembly, &options.config_path);
        let expect = Expect { history: &options.history, durations: &options.durations };
        let mut facts = facts::of(assembly, expect);
        let found = edges::find(assembly, &facts);
        let (guesses, mut edges): (Vec<Edge>, Vec<Edge>) =
            found.edges.into_iter().partition(|edge| edge.guessed);
        let mut relaxed = Vec::new();
        for (number, edge) in config.edges.iter().enumerate() {
            let used_in = format!("edges[{number}]");
            let (from, to) = (names.one(&edge.from, &used_in)?, names.one(&edge.to, &used_in)?);
            if edge.changes_others() {
                let place = names.place(&edge.from, &used_in);
                relaxed.extend(relax::apply(edge, (from, to), &place, &mut edges, &options.present)?);
            } else {
                edges.push(Edge::new(from, to, Reason::Config, &edge.because));
            }
        }
        let commands = Commands::new(&config.commands, &config.phases, &names)?;
        edges.extend(commands.edges());
        let mut phases = Phases::new(&config.phases, strategy, &names)?;
        phases.check(&edges)?;

        let selection = Selection::new(assembly, config, options, &names, &edges)?;
        phases.retain(|id| selection.has(id));
        edges.retain(|edge| selection.has(&edge.from) && selection.has(&edge.to));
        relaxed.retain(|it: &Relaxed| selection.has(&it.from) && selection.has(&it.to));

        let chosen: Vec<&Stack> = assembly.stacks.iter().filter(|stack| selection.has(&stack.id)).collect();
        let index: HashMap<&str, usize> =
            chosen.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let mut graph = Graph::new(chosen.len());
        for edge in &edges {
            if let (Some(&from), Some(&to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) {
                graph.add(from, to);
            }
        }
        graph.order().map_err(|cycle| cycle_error(&cycle, &chosen, &edges))?;
        let mut external = found.external;
        for edge in guesses {
            let (Some(&from), Some(&to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str()))
            else {
                continue;
            };
            // What is only likely must not make an app undeployable.
            if phases.contradict(&edge).is_some() || from == to || graph.all_needs(to)[from] {
                external.push(External::doubted(&edge));
            } else {
                graph.add(from, to);
                edges.push(edge);
            }
        }
        edges.extend(phases.edges(&mut graph, &index));
        let order = graph.order().map_err(|cycle| cycle_error(&cycle, &chosen, &edges))?;
        distinct(&chosen, &graph, &order)?;
        let levels = graph.levels(&order);

        edges.sort_by(|a, b| (&a.to, a.reason, &a.detail).cmp(&(&b.to, b.reason, &b.detail)));
        let mut depends_on: Vec<Vec<Edge>> = vec![Vec::new(); chosen.len()];
        for edge in edges {
            if let Some(&from) = index.get(edge.from.as_str()) {
                depends_on[from].push(edge);
            }
        }
        facts.retain(|of| selection.has(of.stack));
        let mut deployed: HashMap<(&String, &Environment), usize> = HashMap::new();
        let stacks: Vec<PlannedStack> = order
            .iter()
            .map(|&number| {
                let stack = chosen[number];
                let facts = &facts[number];
                // A stack may be deployed twice, to be changed in two steps.
                let before = deployed.insert((&stack.name, &stack.environment), number);
                let expected = match before {
                    Some(before) if facts.expected.is_of_table() => expect.second(stack, chosen[before]),
                    _ => facts.expected,
                };
                PlannedStack {
                    id: stack.id.clone(),
                    name: stack.name.clone(),
                    account: stack.environment.account.clone(),
                    region: stack.environment.region.clone(),
                    phase: phases.of(&stack.id).map(str::to_owned),
                    level: levels[number],
                    resources: facts.resources,
                    expected: expected.time,
                    expected_from: expected.basis,
                    operation: expected.operation,
                    template: facts.fingerprint.clone(),
                    depends_on: std::mem::take(&mut depends_on[number]),
                }
            })
            .collect();

        let mut warnings = assembly.warnings.clone();
        warnings.extend(placeholders(&facts));
        let gates = steps::gates(config, &names, &stacks, &mut warnings)?;
        let numbers = stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let maker = steps::Maker {
            names: &names,
            gates: &gates,
            complete: facts.iter().map(|facts| (facts.stack, &facts.complete)).collect(),
            commands: &commands.among(&numbers, &mut warnings),
            config_path: &options.config_path,
            expect,
        };
        let steps = steps::make(&maker, &stacks);
        let critical_path = critical_path(&stacks, &graph, &order);
        warnings.extend(beside::warnings(&phases, &stacks, &critical_path, &relaxed));
        let declared_only = declared::only(&stacks, |from, to| {
            let (Some(&from), Some(&to)) = (index.get(from), index.get(to)) else { return false };
            facts[to].uses.given_names.iter().any(|name| chosen[from].template.mentions(name))
        });
        let policy = if options.fail_fast { FailurePolicy::FailFast } else { config.on_failure.policy };
        let concurrency = Concurrency {
            stacks: options.stacks_at_once.unwrap_or(config.concurrency.stacks),
            ..config.concurrency
        };
        external.retain(|external| selection.has(&external.stack));
        external.sort_unstable();
        let mut plan = Self {
            digest: String::new(),
            stacks,
            phases: phases.list,
            steps,
            left_out: selection.left_out,
            external,
            relaxed,
            declared_only,
            times: times(&facts),
            ignore_times: config.unchanged.ignore_timestamps,
            warnings,
            critical_path,
            strategy,
            concurrency,
            policy,
            rollback: config.on_failure.rollback,
        };
        plan.digest = digest(&plan, &chosen, &facts, config.on_failure.rollback);
        Ok(plan)
    }
}

/// Which stacks will be deployed, and why the others will not.
struct Selection {
    chosen: BTreeSet<String>,
    left_out: Vec<LeftOut>,
}

impl Selection {
    fn new(
        assembly: &Assembly,
        config: &Config,
        options: &PlanOptions,
        names: &Names<'_>,
        edges: &[Edge],
    ) -> Result<Self, PlanError> {
        let pick = |patterns: &[String], flag: &str| -> Result<BTreeSet<&str>, PlanError> {
            let mut ids = BTreeSet::new();
            for pattern in patterns {
                ids.extend(names.find(pattern, flag)?);
            }
            Ok(ids)
        };
        let only = pick(&options.only, "--only")?;
        let exclude = pick(&options.exclude, "--exclude")?;
        let mut why: BTreeMap<&str, String> = BTreeMap::new();
        let off = config.multi_region.as_ref().filter(|m| !m.is_on(options.multi_region.as_deref()));
        if let Some(multi_region) = off {
            for stack in &assembly.stacks {
                if let Some(region) =
                    stack.environment.region.as_deref().filter(|r| *r != multi_region.primary)
                {
                    why.insert(
                        &stack.id,
                        format!("{region} is off: {} is not set to true", multi_region.when),
                    );
                }
            }
            // A stack of the primary region that needs one of these could only fail.
            let mut waiting: HashMap<&str, Vec<&str>> = HashMap::new();
            for edge in edges {
                waiting.entry(&edge.to).or_default().push(&edge.from);
            }
            let mut open: Vec<&str> = why.keys().copied().rev().collect();
            while let Some(to) = open.pop() {
                for from in waiting.remove(to).unwrap_or_default() {
                    if !why.contains_key(from) {
                        why.insert(from, format!("waits for {to}, which is left out"));
                        open.push(from);
                    }
                }
            }
        }
        for stack in &assembly.stacks {
            let id = stack.id.as_str();
            if exclude.contains(id) {
                why.entry(id).or_insert_with(|| "--exclude names it".to_owned());
            } else if !(only.is_empty() || only.contains(id)) {
                why.entry(id).or_insert_with(|| "--only does not name it".to_owned());
            }
        }
        let all = assembly.stacks.iter();
        let chosen: BTreeSet<String> =
            all.filter(|stack| !why.contains_key(stack.id.as_str())).map(|stack| stack.id.clone()).collect();
        if chosen.is_empty() {
            let why = match why.values().next() {
                Some(_) => "every stack is left out".to_owned(),
                None => "the assembly has none".to_owned(),
            };
            return Err(PlanError::Nothing { why });
        }
        let left_out = why.into_iter().map(|(stack, why)| LeftOut { stack: stack.to_owned(), why });
        Ok(Self { chosen, left_out: left_out.collect() })
    }

    fn has(&self, id: &str) -> bool {
        self.chosen.contains(id)
    }
}

/// Refuses stacks that are the same stack to CloudFormation and could be deployed over each other. One after
/// the other is a way to update a stack in two steps.
fn distinct(stacks: &[&Stack], graph: &Graph, order: &[usize]) -> Result<(), PlanError> {
    let mut seen: HashMap<(&str, &Environment), usize> = HashMap::new();
    for &number in order {
        let stack = stacks[number];
        let before = seen.insert((&stack.name, &stack.environment), number);
        if let Some(before) = before.filter(|&before| !graph.all_needs(number)[before]) {
            return Err(PlanError::SameStack {
                first: stacks[before].id.clone(),
                second: stack.id.clone(),
                name: stack.name.clone(),
                environment: stack.environment.to_string(),
            });
        }
    }
    Ok(())
}

fn cycle_error(cycle: &Cycle, stacks: &[&Stack], edges: &[Edge]) -> PlanError {
    let next = cycle.0.iter().skip(1).chain(cycle.0.first());
    let pairs = cycle.0.iter().zip(next);
    let edges = pairs.filter_map(|(&from, &to)| {
        edges.iter().find(|edge| edge.from == stacks[from].id && edge.to == stacks[to].id).cloned()
    });
    PlanError::Cycle { edges: edges.collect() }
}

/// What was not found when the app was synthesized and is baked in as it was.
fn placeholders(facts: &[Facts<'_>]) -> Vec<String> {
    let mut warnings = Vec::new();
    for reader in facts {
        let mut names: BTreeMap<&str, &Place> = BTreeMap::new();
        for (name, place) in &reader.uses.placeholders {
            names.entry(name).or_insert(place);
        }
        for (name, place) in names {
            let writer = facts.iter().find(|facts| facts.uses.writes_parameter(name));
            let then = match writer {
                Some(writer) => {
                    format!("`{}` makes it, so synthesize again when that is deployed", writer.stack)
                }
                None => "synthesize again when it is there".to_owned(),
            };
            warnings.push(format!(
                "`{}` was synthesized without the parameter {name}, and would be deployed with a placeholder for it ({place}): {then}",
                reader.stack
            ));
        }
    }
    warnings
}

/// The stacks that hold the time of their synthesis, and where.
fn times(facts: &[Facts<'_>]) -> Vec<(String, Vec<Place>)> {
    let with_times = facts.iter().filter(|facts| !facts.uses.times.is_empty());
    with_times.map(|facts| (facts.stack.to_owned(), facts.uses.times.clone())).collect()
}

/// The heaviest chain of stacks, which are in the order of `order`.
fn critical_path(stacks: &[PlannedStack], graph: &Graph, order: &[usize]) -> Vec<String> {
    let mut weights = vec![Duration::ZERO; order.len()];
    let mut ids = vec![""; order.len()];
    for (&number, stack) in order.iter().zip(stacks) {
        weights[number] = stack.expected;
        ids[number] = &stack.id;
    }
    graph.critical_path(order, &weights).into_iter().map(|number| ids[number].to_owned()).collect()
}

fn digest(plan: &Plan, stacks: &[&Stack], facts: &[Facts<'_>], rollback: Rollback) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    for (stack, facts) in stacks.iter().zip(facts) {
        add(&stack.id);
        add(&stack.name);
        add(&stack.environment.to_string());
        add(&facts.fingerprint);
        for (key, value) in stack.parameters.iter().chain(&stack.tags) {
            add(key);
            add(value);
        }
        add(&format!("{:?}{:?}", stack.notification_arns, stack.termination_protection));
    }
    for step in &plan.steps {
        add(&step.id);
        step.needs.iter().for_each(|need| add(&plan.steps[*need].id));
        step.early.iter().flat_map(|early| &early.resources).for_each(|id| add(id));
    }
    add(&format!("{rollback:?}"));
    let mut digest = String::new();
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

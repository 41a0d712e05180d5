//! Makes a plan.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use paceline_assembly::{Assembly, Environment, Stack};
use sha2::{Digest, Sha256};

use crate::build::commands::Commands;
use crate::build::context::{self, ContextLookup};
use crate::build::edges::{self, Edge, MadeTwice, Place, Reason};
use crate::build::error::PlanError;
use crate::build::facts::{self, Facts};
use crate::build::names::Names;
use crate::build::phases::Phases;
use crate::build::relax::{self, Present};
use crate::build::selection::Selection;
use crate::build::weave::{Woven, by_stack, weave};
use crate::build::{beside, by_name, circles, declared, late, steps, unseen};
use crate::config::{Concurrency, Config, FailurePolicy, Rollback, Strategy};
use crate::model::graph::Graph;
use crate::model::plan::{Borrowed, Plan, PlannedStack, Relaxed};
use crate::outlook::durations::Durations;
use crate::outlook::forecast::Expect;
use crate::outlook::history::History;

/// What a plan is made with, beside the assembly and the configuration.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct PlanOptions {
    /// The file that the configuration came from, for messages.
    pub config_path: Utf8PathBuf,
    /// The value of the environment variable that `multi-region.when` names.
    pub multi_region: Option<String>,
    /// Only these stacks and all that they need, if any are named; where stacks are deleted, these and all that need
    /// them. Ids, names or patterns.
    pub stacks: Vec<String>,
    /// Whether of the stacks that are named these alone are meant.
    pub exclusively: bool,
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
    /// What the apps have from their context, as they keep it, beside what was missing.
    pub context: Vec<ContextLookup>,
    /// Whether the only app cannot be synthesized: it may be another than the one that the configuration tells of.
    pub made_elsewhere: bool,
    /// Whether the stacks are to be deleted: what their templates hold is of no importance then.
    pub deletes: bool,
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
            stacks: Vec::new(),
            exclusively: false,
            only: Vec::new(),
            exclude: Vec::new(),
            strategy: None,
            stacks_at_once: None,
            fail_fast: false,
            present: Present::new(),
            context: Vec::new(),
            made_elsewhere: false,
            deletes: false,
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
        let context: Vec<ContextLookup> =
            context::missing(assembly).chain(options.context.iter().cloned()).collect();
        let mut facts = facts::of(assembly, &context, expect);
        let mut found = edges::find(assembly, &facts, &context);
        found.edges.retain(|edge| {
            let waits = |stack| late::can_be_synthesized(stack, config, options);
            edge.reason != Reason::Synth || assembly.stack(&edge.from).is_some_and(waits)
        });
        let (mut guesses, mut edges): (Vec<Edge>, Vec<Edge>) =
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
        // Nothing fails for sure where one who overwrites comes first.
        let (overwriting, mut edges): (Vec<Edge>, Vec<Edge>) =
            edges.into_iter().partition(|it| it.overwrites);
        guesses.extend(overwriting);
        circles::give_up(&mut edges, &mut relaxed, &phases, |_| false);
        phases.check(&edges)?;

        let selection = Selection::new(assembly, config, options, &names, &edges)?;
        phases.retain(|id| selection.has(id));
        let cut = selection.cut(&edges);
        edges.retain(|edge| selection.has(&edge.from) && selection.has(&edge.to));
        relaxed.retain(|it: &Relaxed| selection.has(&it.from) && selection.has(&it.to));

        circles::give_up(&mut edges, &mut relaxed, &phases, |id| selection.has(id));

        let chosen: Vec<&Stack> = assembly.stacks.iter().filter(|stack| selection.has(&stack.id)).collect();
        let index: HashMap<&str, usize> =
            chosen.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let Woven { edges, graph, order, doubted, impossible } =
            weave(&chosen, &index, edges, guesses, &phases)?;
        let levels = graph.levels(&order);
        if !options.deletes {
            late::ensure_found(assembly, &facts, &edges, |id| selection.has(id))?;
        }
        facts.retain(|of| selection.has(of.stack));

        let mut depends_on = by_stack(edges, &index);
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
                    settings: facts.settings.clone(),
                    depends_on: std::mem::take(&mut depends_on[number]),
                }
            })
            .collect();

        let mut warnings = assembly.warnings.clone();
        if !options.deletes {
            warnings.extend(cut);
            warnings.extend(unseen::warnings(&facts));
            let made_twice = found.made_twice.iter();
            let both = made_twice.filter(|it| selection.has(&it.first) && selection.has(&it.second));
            warnings.extend(both.map(MadeTwice::warning));
            warnings.extend(impossible);
            warnings.extend(late::errors(&chosen, &stacks));
            warnings.extend(late::placeholders(&context, &chosen, &facts, &stacks));
        }
        let gates = steps::gates(config, &names, &stacks, &mut warnings)?;
        let numbers = stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let maker = steps::Maker {
            names: &names,
            gates: &gates,
            borrowed: facts.iter().map(|facts| (facts.stack, facts.borrowed.as_slice())).collect(),
            complete: facts.iter().map(|facts| (facts.stack, &facts.complete)).collect(),
            commands: &commands.among(&numbers, &mut warnings),
            config_path: &options.config_path,
            expect,
        };
        let steps = steps::make(&maker, &stacks);
        let critical_path = critical_path(&stacks, &graph, &order);
        warnings.extend(beside::warnings(&phases, &stacks, &critical_path, &relaxed));
        warnings.extend(relax::without_effect(&stacks, &mut relaxed));
        let declared_only = declared::only(&stacks, |from, to| {
            let (Some(&from), Some(&to)) = (index.get(from), index.get(to)) else { return false };
            facts[to].uses.given_names.iter().any(|name| chosen[from].template.mentions(name))
        });
        let policy = if options.fail_fast { FailurePolicy::FailFast } else { config.on_failure.policy };
        let concurrency = Concurrency {
            stacks: options.stacks_at_once.unwrap_or(config.concurrency.stacks),
            ..config.concurrency
        };
        let mut external = found.external;
        external.extend(doubted);
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
            kept_context: late::kept(&context, &chosen, &facts),
            borrowed: borrowed(&chosen, &facts),
            by_name: by_name::hints(&chosen, &facts, &graph),
            declared_only,
            times: times(&facts),
            ignore_times: config.unchanged.ignore_timestamps,
            warnings,
            critical_path: Vec::new(),
            strategy,
            concurrency,
            policy,
            rollback: config.on_failure.rollback,
        };
        plan.find_critical_path();
        plan.digest = digest(&plan, &chosen, &facts, config.on_failure.rollback);
        Ok(plan)
    }
}

/// The stacks that hold the time of their synthesis, and where.
fn times(facts: &[Facts<'_>]) -> Vec<(String, Vec<Place>)> {
    let with_times = facts.iter().filter(|facts| !facts.uses.times.is_empty());
    with_times.map(|facts| (facts.stack.to_owned(), facts.uses.times.clone())).collect()
}

/// The assets that stacks use and that only other stacks register.
fn borrowed(stacks: &[&Stack], facts: &[Facts<'_>]) -> Vec<Borrowed> {
    let of_each = stacks.iter().zip(facts);
    of_each.flat_map(|(stack, facts)| facts.borrowed.iter().map(|asset| asset.told(stack))).collect()
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

/// Tells plans apart: a run that was interrupted is gone on with by the plan of the same digest. What a command does is
/// no part of it: one that was edited since is run, and the run goes on.
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
        for (key, value) in stack.parameters.iter().filter(|(key, _)| !facts.secret.contains(*key)) {
            add(key);
            add(value);
        }
        for (key, value) in &stack.tags {
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

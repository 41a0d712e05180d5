//! Makes a plan, stage by stage.

use std::collections::HashMap;

use paceline_assembly::{Assembly, Environment, Stack};

use super::commands::Commands;
use super::context::{self, ContextLookup};
use super::edges::find::{Found, MadeTwice, find};
use super::edges::repositories::{Repositories, repositories};
use super::error::PlanError;
use super::inspect::{Inspection, inspect};
use super::names::Names;
use super::options::PlanOptions;
use super::order::{Order, by_stack, order};
use super::phases::Phases;
use super::prewarm::prewarmed;
use super::rollout::Rollout;
use super::selection::Selection;
use super::steps::gates::gates;
use super::steps::{Maker, steps};
use super::{by_name, circles, declared, late, phase_warnings, relax, resume_key, unseen};
use crate::model::{
    Borrowed, Edge, External, Plan, PlannedStack, Reason, Relaxed, SynthesisTimes, Tie, Warning,
};
use crate::outlook::expect::Expect;
use paceline_config::{Concurrency, Config, FailedRun, FailurePolicy};

impl Plan {
    /// Makes the plan of an assembly, in nine stages. Each works on what the stages before it made.
    ///
    /// | stage | looks at | makes |
    /// |---|---|---|
    /// | 1 inspect | every template, the history | what each stack reads and provides, how long it takes |
    /// | 2 find | the inspections | edges that are sure, edges that are guessed, names that nothing provides |
    /// | 3 declare | `edges:`, `commands:`, `phases:` | more edges, and some that wait for less |
    /// | 4 select | the command line, the regions | the stacks to deploy, and why others are left out |
    /// | 5 order | the edges, the phases, the rollout | each selected stack after all that it waits for |
    /// | 6 stacks | the order, the inspections | [`Plan::stacks`] |
    /// | 7 steps | the stacks, `gates:`, the commands, the assets | [`Plan::steps`] |
    /// | 8 findings | everything so far | warnings, and findings for people |
    /// | 9 keys | the whole plan | the critical path, and [`Plan::resume_key`] |
    pub fn make(assembly: &Assembly, config: &Config, options: &PlanOptions) -> Result<Self, PlanError> {
        let names = Names::new(assembly, &options.config_path);
        let expect = Expect { history: &options.history, durations: &options.durations };

        // 1 inspect
        let context: Vec<ContextLookup> =
            context::missing(assembly).chain(options.context.iter().cloned()).collect();
        let mut inspections = inspect(assembly, &context, expect);

        // 2 find
        let Found { edges: found, external, made_twice } = find(assembly, &inspections, &context);

        let repositories = if options.deletes {
            Repositories::default()
        } else {
            repositories(assembly, &config.prewarm, &inspections)
        };

        // 3 declare
        let mut declared = declare(assembly, config, options, &names, found)?;
        let contradicts = |edge: &Edge| declared.phases.contradict(edge).is_some();
        circles::give_up(&mut declared.edges, &mut declared.relaxed, contradicts, |_| false);
        declared.phases.check(&declared.edges)?;
        let Declared { mut edges, guesses, mut relaxed, mut phases, commands } = declared;

        // 4 select
        let selection = Selection::new(assembly, config, options, &names, &phases, &edges)?;
        let needed_but_left_out = selection.cut(&edges);
        phases.retain(|id| selection.has(id));
        edges.retain(|edge| selection.has(&edge.from) && selection.has(&edge.to));
        relaxed.retain(|it: &Relaxed| selection.has(&it.from) && selection.has(&it.to));
        let mut warnings: Vec<Warning> = Vec::new();
        let rollout =
            if options.deletes { None } else { Rollout::new(config, assembly, &selection, &mut warnings)? };
        let contradicts = |edge: &Edge| {
            phases.contradict(edge).is_some() || rollout.as_ref().is_some_and(|it| it.contradicts(edge))
        };
        circles::give_up(&mut edges, &mut relaxed, contradicts, |id| selection.has(id));
        let chosen: Vec<&Stack> = assembly.stacks.iter().filter(|stack| selection.has(&stack.id)).collect();

        // 5 order
        let index: HashMap<&str, usize> =
            chosen.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let Order { edges, graph, sorted, doubted, impossible } =
            order(&chosen, &index, edges, guesses, &phases, rollout.as_ref())?;
        if !options.deletes {
            late::ensure_found(assembly, &inspections, &edges, |id| selection.has(id))?;
        }

        // 6 stacks
        inspections.retain(|of| selection.has(of.stack));
        let levels = graph.levels(&sorted);
        let mut depends_on = by_stack(edges, &index);
        let mut deployed: HashMap<(&String, &Environment), usize> = HashMap::new();
        let stacks = sorted.iter().map(|&number| {
            let (stack, inspection) = (chosen[number], &inspections[number]);
            // A stack may be deployed twice, to be changed in two steps.
            let before = deployed.insert((&stack.name, &stack.environment), number);
            let expected = match before {
                Some(before) if inspection.expected.is_of_table() => expect.second(stack, chosen[before]),
                _ => inspection.expected,
            };
            let depends_on = std::mem::take(&mut depends_on[number]);
            let phase = phases.of(&stack.id).map(str::to_owned);
            PlannedStack { phase, ..inspection.planned(stack, expected, levels[number], depends_on) }
        });
        let stacks: Vec<PlannedStack> = stacks.collect();

        // 7 steps
        let gates = gates(config, &names, &stacks, &mut warnings)?;
        let numbers = stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let prewarmed = prewarmed(&repositories, &stacks);
        let maker = Maker {
            names: &names,
            gates: &gates,
            borrowed: inspections.iter().map(|of| (of.stack, of.borrowed.as_slice())).collect(),
            complete: inspections.iter().map(|of| (of.stack, &of.complete)).collect(),
            prewarmed: &prewarmed,
            rollout: rollout.as_ref(),
            commands: &commands.among(&numbers, &mut warnings),
            config_path: &options.config_path,
            expect,
        };
        let steps = steps(&maker, &stacks);

        // 8 findings
        let of_templates = if options.deletes {
            Vec::new()
        } else {
            let is_chosen = |it: &&MadeTwice| selection.has(&it.first) && selection.has(&it.second);
            let made_twice = made_twice.iter().filter(is_chosen).map(MadeTwice::warning);
            let mut found = needed_but_left_out;
            found.extend(unseen::warnings(&inspections));
            found.extend(made_twice);
            found.extend(impossible);
            found.extend(late::errors(&chosen, &stacks));
            found.extend(late::placeholders(&context, &chosen, &inspections, &stacks));
            found
        };
        let of_assembly = assembly.warnings.iter().map(|text| Warning::Assembly { text: text.clone() });
        warnings.splice(0..0, of_assembly.chain(of_templates));
        warnings.extend(phase_warnings::warnings(&phases, &stacks, &graph, &sorted, &relaxed));
        warnings.extend(relax::without_effect(&stacks, &mut relaxed));
        let declared_only = declared::only(&stacks, |from, to| {
            let (Some(&from), Some(&to)) = (index.get(from), index.get(to)) else { return false };
            inspections[to].uses.given_names.iter().any(|name| chosen[from].template.mentions(name))
        });
        let external = external_names(external, doubted, |id| selection.has(id));
        let mut plan = Self {
            resume_key: String::new(),
            stacks,
            phases: phases.list,
            steps,
            left_out: selection.left_out,
            external,
            relaxed,
            kept_context: late::kept(&context, &chosen, &inspections),
            borrowed: borrowed(&chosen, &inspections),
            by_name: by_name::hints(&chosen, &inspections, &graph),
            declared_only,
            times: times(&inspections),
            ignore_times: config.unchanged.ignore_timestamps,
            deploys: options.deploys,
            warnings,
            critical_path: Vec::new(),
            strategy: options.strategy.unwrap_or(config.strategy),
            concurrency: Concurrency {
                stacks: options.stacks_at_once.unwrap_or(config.concurrency.stacks),
                ..config.concurrency
            },
            policy: policy(config, options),
            rollback: options.rollback.unwrap_or(config.on_failure.rollback),
            undoes: None,
            prepares: false,
        };

        // 9 keys
        plan.find_critical_path();
        plan.resume_key = resume_key::of_deployment(&plan, &chosen, &inspections);
        Ok(plan)
    }
}

/// What happens to the other stacks when one fails. A run that rolls itself back must know how each of its stacks has
/// ended, so it waits for them.
fn policy(config: &Config, options: &PlanOptions) -> FailurePolicy {
    let policy = if options.fail_fast { FailurePolicy::FailFast } else { config.on_failure.policy };
    match (policy, config.on_failure.run) {
        (FailurePolicy::FailFast, FailedRun::Rollback) => FailurePolicy::FinishRunning,
        (policy, _) => policy,
    }
}

/// What stage 3 makes: the edges of the assembly, with what the team says about them.
struct Declared<'a> {
    edges: Vec<Edge>,
    /// Edges that are only likely, or whose absence fails no deployment.
    guesses: Vec<Edge>,
    relaxed: Vec<Relaxed>,
    phases: Phases,
    commands: Commands<'a>,
}

/// Stage 3: adds what the team declares, and eases the edges of which it says that less is enough.
fn declare<'a>(
    assembly: &'a Assembly,
    config: &'a Config,
    options: &PlanOptions,
    names: &Names<'a>,
    mut found: Vec<Edge>,
) -> Result<Declared<'a>, PlanError> {
    found.retain(|edge| {
        let waits = |stack| late::can_be_synthesized(stack, config, options);
        edge.reason != Reason::Synth || assembly.stack(&edge.from).is_some_and(waits)
    });
    let (mut guesses, mut edges): (Vec<Edge>, Vec<Edge>) = found.into_iter().partition(|edge| edge.guessed);
    let mut relaxed = Vec::new();
    for (number, edge) in config.edges.iter().enumerate() {
        let used_in = format!("edges[{number}]");
        let (from, to) = (names.one(&edge.from, &used_in)?, names.one(&edge.to, &used_in)?);
        if edge.changes_others() {
            let place = names.place(&edge.from, &used_in);
            relaxed.extend(relax::apply(edge, (from, to), &place, &mut edges, &options.present)?);
        } else {
            let tie = Tie::Declared { because: edge.because.clone() };
            edges.push(Edge::new(from, to, Reason::Config, tie));
        }
    }
    let commands = Commands::new(&config.commands, &config.phases, names)?;
    edges.extend(commands.edges());
    let strategy = options.strategy.unwrap_or(config.strategy);
    let phases = Phases::new(&config.phases, strategy, names)?;
    // A stack that overwrites a parameter before another creates it need not fail: the order is a wish.
    let (overwriting, edges): (Vec<Edge>, Vec<Edge>) = edges.into_iter().partition(Edge::overwrites);
    guesses.extend(overwriting);
    Ok(Declared { edges, guesses, relaxed, phases, commands })
}

/// The names that nothing provides, and the guesses that cannot be meant, each once.
fn external_names(
    mut external: Vec<External>,
    doubted: Vec<External>,
    is_chosen: impl Fn(&str) -> bool,
) -> Vec<External> {
    external.extend(doubted);
    external.retain(|it| is_chosen(&it.stack));
    external.sort_by_cached_key(|it| {
        let place = it.read_at.as_ref().map(ToString::to_string);
        (it.stack.clone(), it.reason, it.name.clone(), place, it.unresolved, it.may_be.clone())
    });
    external.dedup();
    external
}

/// The stacks that hold the time of their synthesis, and where.
fn times(inspections: &[Inspection<'_>]) -> Vec<SynthesisTimes> {
    let with_times = inspections.iter().filter(|of| !of.uses.times.is_empty());
    let times =
        with_times.map(|of| SynthesisTimes { stack: of.stack.to_owned(), places: of.uses.times.clone() });
    times.collect()
}

/// The assets that stacks use and that only other stacks register.
fn borrowed(stacks: &[&Stack], inspections: &[Inspection<'_>]) -> Vec<Borrowed> {
    let of_each = stacks.iter().zip(inspections);
    of_each.flat_map(|(stack, of)| of.borrowed.iter().map(|asset| asset.in_plan(stack))).collect()
}

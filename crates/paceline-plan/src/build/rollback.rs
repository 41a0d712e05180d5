//! The plan that undoes a run: stacks are restored to what they were, and what the run created is deleted if that is
//! asked for, in the reverse order of what the run did.
//!
//! The reverse order is always possible: before each operation of the run, the stacks fitted together, and undoing the
//! operations one by one goes through the same states. So a stack is undone before the stacks that it followed. Two
//! stacks that did not follow each other in the run may still be tied by what they had before, such as an import that
//! the run removed. Those two are undone in the reverse order of time, or if the run changed them at the same time, first
//! the one that provides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paceline_assembly::{Assembly, Environment, Precious, holds_data};
use paceline_config::{Concurrency, FailurePolicy, Reason, Rollback as OnStackFailure, Strategy};

use super::assets::{PUBLISH, assets};
use super::edges::find::find;
use super::error::PlanError;
use super::inspect::{Inspection, inspect};
use super::names::Names;
use super::resume_key;
use crate::model::graph::Graph;
use crate::model::{DeployOptions, Edge, Loss, Plan, PlannedStack, Stays, StaysReason, Step, Tie, Work};
use crate::outlook::durations::Durations;
use crate::outlook::expect::Expect;
use crate::outlook::history::History;

/// A stack that a run changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The id of the stack.
    pub stack: String,
    /// The account and the region, as the plan of the run had them.
    pub environment: Environment,
    /// Whether it existed before the run. If so, the assembly has its template from before; if not, the template with
    /// which the run created it.
    pub existed: bool,
    /// The number of the event with which the last operation on it began.
    pub began: u64,
    /// The number of the event with which that operation ended. `None` if its end is unknown.
    pub ended: Option<u64>,
    /// The ids of the changed stacks that the run changed before it, because it waited for them.
    pub followed: BTreeSet<String>,
    /// The resources that the run added to it, and that must not be deleted without being named.
    pub adds: Vec<Precious>,
    /// The resources that the run replaced: logical id and type.
    pub replaced: BTreeSet<(String, String)>,
}

/// What a rollback is made with, besides the stacks.
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// The name of the run.
    pub run: String,
    /// Whether the stacks that the run created are deleted.
    pub delete_created: bool,
    /// The stacks that may lose resources which hold data: ids, names or patterns.
    pub including: Vec<String>,
    /// How much happens at once.
    pub concurrency: Concurrency,
    /// What happens to the other stacks when one fails.
    pub policy: FailurePolicy,
    /// Typical durations by resource type.
    pub durations: Durations,
    /// How long earlier runs took.
    pub history: Arc<History>,
}

impl RollbackOptions {
    /// The options that delete nothing.
    pub fn new(run: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            delete_created: false,
            including: Vec::new(),
            concurrency: Concurrency::default(),
            policy: FailurePolicy::default(),
            durations: Durations::typical(),
            history: Arc::default(),
        }
    }
}

/// The rollback of a run.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The plan, whose steps restore and delete stacks.
    pub plan: Plan,
    /// The stacks that the run changed and that stay as they are.
    pub stays: Vec<Stays>,
    /// What is not undone, in a fixed order.
    pub losses: Vec<Loss>,
}

impl Rollback {
    /// Makes the rollback of stacks that are in the assembly. `losses` are known already.
    pub fn make(
        assembly: &Assembly,
        undos: &[Undo],
        losses: impl IntoIterator<Item = Loss>,
        options: &RollbackOptions,
    ) -> Result<Self, PlanError> {
        let names = Names::new(assembly, "--including".into());
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for pattern in &options.including {
            named.extend(names.find(pattern, "--including")?);
        }
        let mut stays: Vec<Stays> = Vec::new();
        let mut acting: Vec<&Undo> = Vec::new();
        for undo in undos {
            match why_it_stays(undo, options.delete_created, named.contains(undo.stack.as_str())) {
                Some(why) => stays.push(Stays { stack: undo.stack.clone(), why }),
                None => acting.push(undo),
            }
        }
        // What the run did last is undone first.
        acting.sort_by_key(|undo| std::cmp::Reverse((undo.began, &undo.stack)));
        let expect = Expect { history: &options.history, durations: &options.durations };
        let inspections = inspect(assembly, &[], expect);
        let followed = followed(undos, &acting);
        let mut losses: BTreeSet<Loss> = losses.into_iter().collect();
        let tied = ties(assembly, &inspections, undos);
        let graph = order(&acting, &followed, &tied);
        losses.extend(doubts(undos, &acting, &stays, &tied, &graph));
        let plan = plan(assembly, &inspections, &acting, &graph, expect, options);
        let losses = losses.into_iter().filter(|loss| !is_of(loss, &stays)).collect();
        Ok(Self { plan, stays, losses })
    }
}

/// Whether a loss is about a stack that stays as it is, so that nothing of it is undone anyway.
fn is_of(loss: &Loss, stays: &[Stays]) -> bool {
    let (Loss::Secret { stack, .. } | Loss::Role { stack }) = loss else { return false };
    stays.iter().any(|it| it.stack == *stack)
}

fn why_it_stays(undo: &Undo, delete_created: bool, is_named: bool) -> Option<StaysReason> {
    if !undo.existed {
        return match (delete_created, undo.adds.is_empty() || is_named) {
            (false, _) => Some(StaysReason::Created),
            (true, false) => Some(StaysReason::CreatedWith(undo.adds.clone())),
            (true, true) => None,
        };
    }
    // What is retained survives when its stack gives it up.
    let mut lost: Vec<Precious> = undo.adds.iter().filter(|it| !it.retained).cloned().collect();
    let replaced = undo.replaced.iter().filter(|(_, kind)| holds_data(kind));
    lost.extend(replaced.map(|(id, kind)| Precious {
        id: id.clone(),
        resource_type: kind.clone(),
        retained: false,
    }));
    lost.sort();
    lost.dedup();
    (!lost.is_empty() && !is_named).then_some(StaysReason::WouldLose(lost))
}

/// For each acting stack, by position, the positions of the acting stacks that it followed, directly or through stacks
/// that stay.
fn followed(undos: &[Undo], acting: &[&Undo]) -> Vec<BTreeSet<usize>> {
    let by_id: BTreeMap<&str, &Undo> = undos.iter().map(|undo| (undo.stack.as_str(), undo)).collect();
    let position: BTreeMap<&str, usize> =
        acting.iter().enumerate().map(|(at, undo)| (undo.stack.as_str(), at)).collect();
    let of_one = |undo: &&Undo| {
        let mut open: Vec<&str> = undo.followed.iter().map(String::as_str).collect();
        let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match position.get(id) {
                Some(&at) => drop(found.insert(at)),
                None => {
                    open.extend(by_id.get(id).into_iter().flat_map(|it| &it.followed).map(String::as_str));
                }
            }
        }
        found
    };
    acting.iter().map(of_one).collect()
}

/// The acting stacks that may not be undone because of the stacks that stay, and those that wait for them.
fn doubts(
    undos: &[Undo],
    acting: &[&Undo],
    stays: &[Stays],
    tied: &BTreeSet<(&str, &str)>,
    graph: &Graph,
) -> Vec<Loss> {
    let staying: Vec<&Undo> =
        undos.iter().filter(|undo| stays.iter().any(|it| it.stack == undo.stack)).collect();
    let mut needed_by: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (at, undo) in acting.iter().enumerate() {
        let by = staying.iter().filter(|stays| stays.followed.contains(&undo.stack));
        let by: BTreeSet<String> = by.map(|stays| stays.stack.clone()).collect();
        if !by.is_empty() {
            needed_by.insert(at, by);
        }
    }
    let mut uses: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (user, provider) in tied.iter().filter(|(_, provider)| staying.iter().any(|it| it.stack == *provider))
    {
        if let Some(at) = acting.iter().position(|undo| undo.stack == *user) {
            uses.entry(at).or_default().insert((*provider).to_owned());
        }
    }
    let mut waits: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for &doubtful in needed_by.keys().chain(uses.keys()) {
        let reached = graph.all_needed_by(doubtful).into_iter().enumerate();
        for (at, _) in reached.filter(|(_, is_reached)| *is_reached) {
            waits.entry(at).or_default().insert(acting[doubtful].stack.clone());
        }
    }
    let stack = |at: usize| acting[at].stack.clone();
    let needed_by = needed_by.into_iter().map(|(at, by)| Loss::NeededBy { stack: stack(at), by });
    let uses = uses.into_iter().map(|(at, of)| Loss::Uses { stack: stack(at), of });
    let waits = waits.into_iter().map(|(at, doubtful)| Loss::WaitsFor { stack: stack(at), doubtful });
    needed_by.chain(uses).chain(waits).collect()
}

/// The pairs of stacks that existed before the run, of which the first then used what the second provided.
fn ties<'u>(
    assembly: &Assembly,
    inspections: &[Inspection<'_>],
    undos: &'u [Undo],
) -> BTreeSet<(&'u str, &'u str)> {
    let existed: BTreeSet<&str> =
        undos.iter().filter(|undo| undo.existed).map(|undo| undo.stack.as_str()).collect();
    let edges = find(assembly, inspections, &[]).edges.into_iter().filter(|edge| !edge.guessed);
    let known = |id: &str| existed.get(id).copied();
    edges.filter_map(|edge| Some((known(&edge.from)?, known(&edge.to)?))).collect()
}

/// The order of the stacks: an edge leads from a stack to one that is undone before it.
fn order(acting: &[&Undo], followed: &[BTreeSet<usize>], tied: &BTreeSet<(&str, &str)>) -> Graph {
    let mut graph = Graph::new(acting.len());
    let mut add = |later: usize, first: usize| {
        if later != first && !graph.all_needs(first)[later] {
            graph.add(later, first);
        }
    };
    for (user, used) in followed.iter().enumerate() {
        for &used in used {
            add(used, user);
        }
    }
    let position = |id: &str| acting.iter().position(|undo| undo.stack == id);
    for (user, provider) in tied {
        let (Some(user), Some(provider)) = (position(user), position(provider)) else { continue };
        let ended_before = |a: usize, b: usize| acting[a].ended.is_some_and(|end| end < acting[b].began);
        // The journal shows no order of two operations at the same time.
        if ended_before(provider, user) { add(provider, user) } else { add(user, provider) }
    }
    graph
}

fn plan(
    assembly: &Assembly,
    inspections: &[Inspection<'_>],
    acting: &[&Undo],
    graph: &Graph,
    expect: Expect<'_>,
    options: &RollbackOptions,
) -> Plan {
    // Every edge was checked when it was added.
    let order = graph.order().unwrap_or_else(|_| (0..acting.len()).collect());
    let levels = graph.levels(&order);
    let (mut stacks, mut steps): (Vec<PlannedStack>, Vec<Step>) = (Vec::new(), Vec::new());
    let mut done = vec![0; acting.len()];
    for &at in &order {
        let undo = acting[at];
        let found = assembly.stacks.iter().zip(inspections).find(|(stack, _)| stack.id == undo.stack);
        let Some((stack, inspection)) = found else { continue };
        let number = stacks.len();
        let expected = if undo.existed { expect.update(stack) } else { expect.deletion(stack) };
        let depends_on = graph
            .needs(at)
            .iter()
            .map(|&first| Edge::new(&stack.id, &acting[first].stack, Reason::Manifest, Tie::Manifest));
        let planned = inspection.planned(stack, expected, levels[at], depends_on.collect());
        let Environment { account, region } = undo.environment.clone();
        stacks.push(PlannedStack { account, region, ..planned });
        let mut needs: Vec<usize> = graph.needs(at).iter().map(|&first| done[first]).collect();
        if undo.existed {
            for (place, publish) in assets(stack, number) {
                let expected = expect.asset(&publish, (&stacks[number]).into());
                steps.push(expected.step(format!("{PUBLISH}{place}"), Work::Publish(publish), Vec::new()));
                needs.push(steps.len() - 1);
            }
        }
        needs.sort_unstable();
        let (id, work) = if undo.existed {
            (format!("deploy:{}", stack.id), Work::Deploy { stack: number })
        } else {
            (format!("delete:{}", stack.id), Work::Delete { stack: number })
        };
        steps.push(expected.step(id, work, needs));
        done[at] = steps.len() - 1;
    }
    let mut plan = Plan {
        resume_key: String::new(),
        stacks,
        phases: Vec::new(),
        steps,
        left_out: Vec::new(),
        external: Vec::new(),
        relaxed: Vec::new(),
        kept_context: Vec::new(),
        borrowed: Vec::new(),
        by_name: Vec::new(),
        declared_only: Vec::new(),
        times: Vec::new(),
        ignore_times: false,
        deploys: DeployOptions::default(),
        warnings: Vec::new(),
        critical_path: Vec::new(),
        strategy: Strategy::Graph,
        concurrency: options.concurrency,
        policy: options.policy,
        rollback: OnStackFailure::Stack,
        undoes: Some(options.run.clone()),
        prepares: false,
    };
    plan.find_critical_path();
    plan.resume_key = resume_key::of_rollback(&plan, &options.run);
    plan
}

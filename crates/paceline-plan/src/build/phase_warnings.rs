//! Warnings about phases: stacks of one phase that cannot be deployed at the same time.
//!
//! Such a phase is no contradiction: within it the edges order the work. But a team that puts two stacks into one phase
//! may expect both to be deployed at the same time. Where they are not, and that costs much, the plan warns.

use std::time::Duration;

use super::phases::Phases;
use crate::model::graph::Graph;
use crate::model::{PlannedStack, Relaxed, Warning, folded};
use paceline_config::Until;

/// A wait is worth a warning from this percentage of the critical path on. Shorter waits are usual in a phase.
const WORTH_A_WORD: u32 = 30;
/// And from this time on.
const LEAST: Duration = Duration::from_mins(1);

/// A warning for each phase whose stacks wait for each other at a high price, about the pair that costs most.
///
/// Only edges that templates show count: the team knows the edges that it declares. Pairs that the team relaxes already
/// are left out.
pub(crate) fn warnings(
    phases: &Phases,
    stacks: &[PlannedStack],
    graph: &Graph,
    order: &[usize],
    relaxed: &[Relaxed],
) -> Vec<Warning> {
    let path = heaviest_chain(stacks, graph, order);
    let total: Duration = path.iter().map(|stack| stack.expected).sum();
    let mut warnings = Vec::new();
    for phase in phases.not_sequential() {
        let pairs = path.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
        let costly = pairs
            .filter(|(to, from)| [to, from].iter().all(|stack| stack.phase.as_ref() == Some(phase)))
            .filter(|(to, from)| is_of_templates(from, to))
            .filter(|(to, from)| !relaxed.iter().any(|it| it.from == from.id && it.to == to.id))
            .map(|(to, from)| (to.expected.min(from.expected), to, from))
            .filter(|(cost, ..)| *cost * 100 >= total * WORTH_A_WORD && *cost >= LEAST)
            .max_by_key(|(cost, ..)| *cost);
        if let Some((cost, to, from)) = costly {
            warnings.push(warning(phase, cost, from, to));
        }
    }
    warnings
}

/// The heaviest chain of stacks; they are in the order of `order`.
fn heaviest_chain<'s>(stacks: &'s [PlannedStack], graph: &Graph, order: &[usize]) -> Vec<&'s PlannedStack> {
    let mut weights = vec![Duration::ZERO; order.len()];
    let mut position = vec![0; order.len()];
    for (at, (&number, stack)) in order.iter().zip(stacks).enumerate() {
        weights[number] = stack.expected;
        position[number] = at;
    }
    graph.critical_path(order, &weights).into_iter().map(|number| &stacks[position[number]]).collect()
}

/// Whether templates alone make one stack wait for all of another.
fn is_of_templates(from: &PlannedStack, to: &PlannedStack) -> bool {
    let mut edges = from.depends_on.iter().filter(|edge| edge.to == to.id).peekable();
    edges.peek().is_some() && edges.all(|edge| edge.reason.is_in_templates() && edge.until == Until::Stack)
}

fn warning(phase: &str, cost: Duration, from: &PlannedStack, to: &PlannedStack) -> Warning {
    let mut edges = from.depends_on.iter().filter(|edge| edge.to == to.id);
    Warning::InOnePhaseInOrder {
        phase: phase.to_owned(),
        from: from.id.clone(),
        to: to.id.clone(),
        reasons: folded(&from.depends_on).remove(to.id.as_str()).unwrap_or_default(),
        cost,
        can_be_relaxed: edges.all(|edge| edge.stored.is_some()),
    }
}

//! From edges to an order: first the edges that are sure, then those that are likely, then those that phases and the rollout add.

use std::collections::HashMap;

use paceline_assembly::{Environment, Stack};

use super::circles::ways_out;
use super::error::PlanError;
use super::phases::Phases;
use super::rollout::Rollout;
use crate::model::graph::{Cycle, Graph};
use crate::model::{Edge, External, Warning};

/// The edges between the stacks of a plan, and an order of them.
pub(crate) struct Order {
    pub(crate) edges: Vec<Edge>,
    pub(crate) graph: Graph,
    /// Every stack after all that it waits for.
    pub(crate) sorted: Vec<usize>,
    /// Likely edges that cannot be meant.
    pub(crate) doubted: Vec<External>,
    /// A warning for each stack that overwrites what another creates and has to come before it.
    pub(crate) impossible: Vec<Warning>,
}

/// Orders the stacks that will be deployed; `index` has the number of each by its id.
pub(crate) fn order(
    chosen: &[&Stack],
    index: &HashMap<&str, usize>,
    mut edges: Vec<Edge>,
    guesses: Vec<Edge>,
    phases: &Phases,
    rollout: Option<&Rollout<'_>>,
) -> Result<Order, PlanError> {
    let ends = |edge: &Edge| Some((*index.get(edge.from.as_str())?, *index.get(edge.to.as_str())?));
    let mut graph = Graph::new(chosen.len());
    for (from, to) in edges.iter().filter_map(ends) {
        graph.add(from, to);
    }
    graph.order().map_err(|cycle| cycle_error(&cycle, chosen, &edges))?;
    let (mut doubted, mut impossible) = (Vec::new(), Vec::new());
    for edge in guesses {
        let Some((from, to)) = ends(&edge) else { continue };
        // An edge that is only likely must not make an app undeployable.
        let contradicts =
            phases.contradict(&edge).is_some() || rollout.is_some_and(|it| it.contradicts(&edge));
        if contradicts || from == to || graph.all_needs(to)[from] {
            if edge.overwrites() {
                impossible.push(comes_first(edge));
            } else {
                doubted.push(doubt(edge));
            }
        } else {
            graph.add(from, to);
            edges.push(edge);
        }
    }
    edges.extend(phases.edges(&mut graph, index));
    if let Some(rollout) = rollout {
        rollout.check(&edges)?;
        edges.extend(rollout.edges(&mut graph, index));
    }
    let sorted = graph.order().map_err(|cycle| cycle_error(&cycle, chosen, &edges))?;
    distinct(chosen, &graph, &sorted)?;
    Ok(Order { edges, graph, sorted, doubted, impossible })
}

/// The edges of each stack, in the order in which they are shown.
pub(crate) fn by_stack(mut edges: Vec<Edge>, index: &HashMap<&str, usize>) -> Vec<Vec<Edge>> {
    edges.sort_by(|a, b| a.place_in_lists().cmp(&b.place_in_lists()));
    let mut of_each: Vec<Vec<Edge>> = vec![Vec::new(); index.len()];
    for edge in edges {
        if let Some(&from) = index.get(edge.from.as_str()) {
            of_each[from].push(edge);
        }
    }
    of_each
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

fn comes_first(edge: Edge) -> Warning {
    let Edge { from, to, name: parameter, .. } = edge;
    Warning::OverwritesFirst { from, to, parameter }
}

/// What is left of a likely edge that cannot be meant.
fn doubt(edge: Edge) -> External {
    let Edge { from: stack, to, reason, name, read_at, .. } = edge;
    let read_at = read_at.into_iter().next();
    External { stack, reason, name, read_at, unresolved: true, may_be: vec![to] }
}

fn cycle_error(cycle: &Cycle, stacks: &[&Stack], edges: &[Edge]) -> PlanError {
    let next = cycle.0.iter().skip(1).chain(cycle.0.first());
    let pairs =
        cycle.0.iter().zip(next).map(|(&from, &to)| (stacks[from].id.as_str(), stacks[to].id.as_str()));
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let shown = pairs
        .iter()
        .filter_map(|(from, to)| edges.iter().find(|edge| edge.from == *from && edge.to == *to).cloned());
    PlanError::Cycle { edges: shown.collect(), ways: ways_out(&pairs, edges) }
}

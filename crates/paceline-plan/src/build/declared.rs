//! Edges that the app declares and nothing uses.
//!
//! An `addDependency` that is not needed makes a stack wait for nothing. Only the team knows whether it is needed: code
//! of one stack may use the other stack when it runs.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use crate::model::graph::Graph;
use crate::model::{DeclaredOnly, PlannedStack, Reason};

/// The edges that only the manifest declares, those that cost most first. `stacks` are in their order;
/// `uses_a_name` says whether one stack's template holds a name that another gives to its resources.
pub(crate) fn only(stacks: &[PlannedStack], uses_a_name: impl Fn(&str, &str) -> bool) -> Vec<DeclaredOnly> {
    let index: HashMap<&str, usize> =
        stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
    let mut graph = Graph::new(stacks.len());
    let mut found = Vec::new();
    for (from, stack) in stacks.iter().enumerate() {
        let mut only: HashMap<usize, bool> = HashMap::new();
        for edge in &stack.depends_on {
            let Some(&to) = index.get(edge.to.as_str()) else { continue };
            graph.add(from, to);
            *only.entry(to).or_insert(true) &= edge.reason == Reason::Manifest;
        }
        found.extend(only.into_iter().filter(|(_, only)| *only).map(|(to, _)| (from, to)));
    }
    found.retain(|&(from, to): &(usize, usize)| !uses_a_name(&stacks[from].id, &stacks[to].id));
    found.sort_unstable();
    let times = Times::new(&graph, stacks);
    let mut found: Vec<DeclaredOnly> = found
        .into_iter()
        .map(|(from, to)| DeclaredOnly {
            from: stacks[from].id.clone(),
            to: stacks[to].id.clone(),
            saves: times.saved_without(from, to),
        })
        .collect();
    found.sort_by_key(|edge| Reverse(edge.saves));
    found
}

/// When stacks can be complete at the earliest.
struct Times<'a> {
    graph: &'a Graph,
    weights: Vec<Duration>,
    /// The earliest end of each.
    ends: Vec<Duration>,
    /// Its own time and that of the heaviest chain after it.
    remaining: Vec<Duration>,
    total: Duration,
}

impl<'a> Times<'a> {
    fn new(graph: &'a Graph, stacks: &[PlannedStack]) -> Self {
        let weights: Vec<Duration> = stacks.iter().map(|stack| stack.expected).collect();
        let order: Vec<usize> = (0..stacks.len()).collect();
        let remaining = graph.remaining(&order, &weights);
        let mut times = Self { graph, weights, ends: Vec::new(), remaining, total: Duration::ZERO };
        times.ends = times.ends_without(None);
        times.total = times.ends.iter().copied().max().unwrap_or_default();
        times
    }

    fn ends_without(&self, edge: Option<(usize, usize)>) -> Vec<Duration> {
        let mut ends = vec![Duration::ZERO; self.graph.len()];
        for node in 0..ends.len() {
            let needs = self.graph.needs(node).iter().filter(|&&need| Some((node, need)) != edge);
            let start = needs.map(|&need| ends[need]).max().unwrap_or_default();
            ends[node] = start + self.weights[node];
        }
        ends
    }

    /// An edge that no heaviest chain goes through saves nothing, and needs no second look.
    fn saved_without(&self, from: usize, to: usize) -> Duration {
        if self.ends[to] + self.remaining[from] < self.total {
            return Duration::ZERO;
        }
        let ends = self.ends_without(Some((from, to)));
        self.total.saturating_sub(ends.into_iter().max().unwrap_or_default())
    }
}

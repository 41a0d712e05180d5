//! Phases: named groups of stacks, checked against the graph, and turned into edges where they order work.

use std::collections::{HashMap, HashSet};

use super::error::PlanError;
use super::names::Names;
use crate::model::graph::Graph;
use crate::model::{Edge, Phase, Reason, Tie};
use paceline_config::{PhaseConfig, Strategy};

/// The phases of an assembly.
#[derive(Debug)]
pub(crate) struct Phases {
    pub(crate) list: Vec<Phase>,
    sequential: Vec<bool>,
    of: HashMap<String, usize>,
}

impl Phases {
    /// Matches the configured phases with the stacks. A stack belongs to the first phase that names it.
    pub(crate) fn new(
        config: &[PhaseConfig],
        strategy: Strategy,
        names: &Names<'_>,
    ) -> Result<Self, PlanError> {
        let mut phases = Vec::with_capacity(config.len());
        let mut of = HashMap::new();
        for (number, phase) in config.iter().enumerate() {
            let mut stacks = Vec::new();
            for pattern in &phase.stacks {
                for id in names.matching(pattern, &format!("phase `{}`", phase.name))? {
                    if !of.contains_key(id) {
                        of.insert(id.to_owned(), number);
                        stacks.push(id.to_owned());
                    }
                }
            }
            let barrier = phase.barrier || strategy == Strategy::Phases;
            phases.push(Phase { name: phase.name.clone(), barrier, stacks });
        }
        Ok(Self { list: phases, of, sequential: config.iter().map(|phase| phase.sequential).collect() })
    }

    /// The phase of a stack.
    pub(crate) fn of(&self, id: &str) -> Option<&str> {
        self.of.get(id).map(|&phase| self.list[phase].name.as_str())
    }

    /// The names of the phases whose stacks may be deployed side by side.
    pub(crate) fn not_sequential(&self) -> impl Iterator<Item = &String> {
        let phases = self.list.iter().zip(&self.sequential).filter(|(_, sequential)| !**sequential);
        phases.map(|(phase, _)| &phase.name)
    }

    /// Refuses phases that put a stack before one it waits for.
    pub(crate) fn check(&self, edges: &[Edge]) -> Result<(), PlanError> {
        for edge in edges {
            if let Some((from, to)) = self.contradict(edge) {
                return Err(PlanError::Contradiction {
                    edge: Box::new(edge.clone()),
                    phase: self.list[from].name.clone(),
                    later: self.list[to].name.clone(),
                });
            }
        }
        Ok(())
    }

    /// The two phases that put a stack before one it waits for.
    pub(crate) fn contradict(&self, edge: &Edge) -> Option<(usize, usize)> {
        let (&from, &to) = (self.of.get(&edge.from)?, self.of.get(&edge.to)?);
        (from < to).then_some((from, to))
    }

    /// Drops stacks that will not be deployed.
    pub(crate) fn retain(&mut self, deployed: impl Fn(&str) -> bool) {
        for phase in &mut self.list {
            phase.stacks.retain(|id| deployed(id));
        }
        self.of.retain(|id, _| deployed(id));
    }

    /// The edges that phases add: between the stacks of a sequential phase, and at barriers. They are added
    /// to the graph too; `number` is a stack's node in it.
    ///
    /// Within a sequential phase the stacks keep the order they are listed in, as far as the graph allows.
    pub(crate) fn edges(&self, graph: &mut Graph, number: &HashMap<&str, usize>) -> Vec<Edge> {
        let mut edges = Vec::new();
        let nodes: Vec<Vec<usize>> = self
            .list
            .iter()
            .map(|phase| phase.stacks.iter().filter_map(|id| number.get(id.as_str()).copied()).collect())
            .collect();
        let ids: HashMap<usize, &str> = number.iter().map(|(id, number)| (*number, *id)).collect();
        let mut add = |graph: &mut Graph, from: usize, to: usize, tie: Tie| {
            graph.add(from, to);
            let (Some(from), Some(to)) = (ids.get(&from), ids.get(&to)) else { return };
            edges.push(Edge::new(from, to, Reason::Phase, tie));
        };
        for ((phase, &sequential), nodes) in self.list.iter().zip(&self.sequential).zip(&nodes) {
            if sequential {
                let sorted = in_order(nodes, graph);
                for pair in sorted.windows(2) {
                    add(graph, pair[1], pair[0], Tie::Sequential { phase: phase.name.clone() });
                }
            }
        }
        for (at, phase) in self.list.iter().enumerate().filter(|(_, phase)| phase.barrier) {
            // The nearest earlier phase with stacks is enough if it is a barrier itself: it has waited for
            // all the ones before.
            for (earlier, last) in self.list[..at].iter().zip(&nodes).rev() {
                // What starts a phase need only wait for what ends the earlier one.
                let (first, last) =
                    (ends(&nodes[at], Graph::needs, graph), ends(last, Graph::needed_by, graph));
                for &from in &first {
                    for &to in &last {
                        let (phase, earlier) = (phase.name.clone(), earlier.name.clone());
                        add(graph, from, to, Tie::Barrier { phase, earlier });
                    }
                }
                if earlier.barrier && !earlier.stacks.is_empty() {
                    break;
                }
            }
        }
        edges
    }
}

/// The nodes in an order that respects their waits, direct or not; else as they are given.
fn in_order(nodes: &[usize], graph: &Graph) -> Vec<usize> {
    let mut among = Graph::new(nodes.len());
    for (position, &node) in nodes.iter().enumerate() {
        let needs = graph.all_needs(node);
        for (other, _) in nodes.iter().enumerate().filter(|&(other, &node)| other != position && needs[node])
        {
            among.add(position, other);
        }
    }
    match among.order() {
        Ok(order) => order.into_iter().map(|position| nodes[position]).collect(),
        Err(_) => nodes.to_vec(),
    }
}

/// The nodes that have no neighbour among themselves.
pub(super) fn ends(nodes: &[usize], neighbours: fn(&Graph, usize) -> &[usize], graph: &Graph) -> Vec<usize> {
    let among: HashSet<usize> = nodes.iter().copied().collect();
    let has_none = |node: &usize| !neighbours(graph, *node).iter().any(|other| among.contains(other));
    nodes.iter().copied().filter(has_none).collect()
}

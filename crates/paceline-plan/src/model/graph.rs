//! A directed graph of numbered nodes: order, levels, cycles, longest paths.
//!
//! Everything is deterministic: ties are broken by the nodes' numbers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// A directed graph whose nodes are `0..len`. An edge points from a node to one that it waits for.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
}

/// Nodes that wait for each other: each for the next, and the last for the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

impl Graph {
    /// A graph of `len` nodes without edges.
    pub fn new(len: usize) -> Self {
        Self { needs: vec![Vec::new(); len], needed_by: vec![Vec::new(); len] }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.needs.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// Adds an edge, unless it is there already.
    pub fn add(&mut self, node: usize, waits_for: usize) {
        if let Err(place) = self.needs[node].binary_search(&waits_for) {
            self.needs[node].insert(place, waits_for);
            self.needed_by[waits_for].push(node);
        }
    }

    /// What a node waits for, in ascending order.
    pub fn needs(&self, node: usize) -> &[usize] {
        &self.needs[node]
    }

    /// What waits for a node.
    pub fn needed_by(&self, node: usize) -> &[usize] {
        &self.needed_by[node]
    }

    /// Every node after all that it waits for; among those that could be next, the lowest number first.
    pub fn order(&self) -> Result<Vec<usize>, Cycle> {
        let mut missing: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut ready: BinaryHeap<Reverse<usize>> =
            (0..self.len()).filter(|&node| missing[node] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for &next in &self.needed_by[node] {
                missing[next] -= 1;
                if missing[next] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        if order.len() == self.len() { Ok(order) } else { Err(self.cycle_among(&missing)) }
    }

    /// A cycle among the nodes that [`order`](Self::order) could not place: each of those waits for
    /// another of them, so following them must come back to a node already seen.
    fn cycle_among(&self, missing: &[usize]) -> Cycle {
        let mut seen_at = vec![usize::MAX; self.len()];
        let mut path = Vec::new();
        let mut node = missing.iter().position(|&n| n > 0).unwrap_or(0);
        while seen_at[node] == usize::MAX {
            seen_at[node] = path.len();
            path.push(node);
            match self.needs[node].iter().copied().find(|&next| missing[next] > 0) {
                Some(next) => node = next,
                None => break,
            }
        }
        Cycle(path.split_off(seen_at[node]))
    }

    /// The length of the longest chain below each node, in edges.
    pub fn levels(&self, order: &[usize]) -> Vec<usize> {
        let mut levels = vec![0; self.len()];
        for &node in order {
            levels[node] = self.needs[node].iter().map(|&need| levels[need] + 1).max().unwrap_or(0);
        }
        levels
    }

    /// For each node, its own weight and the heaviest chain of what waits for it.
    pub fn remaining(&self, order: &[usize], weights: &[Duration]) -> Vec<Duration> {
        let mut remaining = weights.to_vec();
        for &node in order.iter().rev() {
            let after = self.needed_by[node].iter().map(|&next| remaining[next]).max();
            remaining[node] += after.unwrap_or_default();
        }
        remaining
    }

    /// The heaviest chain, from its first node to its last.
    pub fn critical_path(&self, order: &[usize], weights: &[Duration]) -> Vec<usize> {
        let remaining = self.remaining(order, weights);
        // The heaviest, and of equals the one with the lowest number.
        let heaviest = |nodes: &mut dyn Iterator<Item = usize>| {
            nodes.max_by_key(|&node| (remaining[node], Reverse(node)))
        };
        let mut path = Vec::new();
        let mut next = heaviest(&mut (0..self.len()).filter(|&node| self.needs[node].is_empty()));
        while let Some(node) = next {
            path.push(node);
            next = heaviest(&mut self.needed_by[node].iter().copied());
        }
        path
    }

    /// Everything that a node waits for, directly or not.
    pub fn all_needs(&self, node: usize) -> Vec<bool> {
        self.reach(node, &self.needs)
    }

    /// Everything that waits for a node, directly or not.
    pub fn all_needed_by(&self, node: usize) -> Vec<bool> {
        self.reach(node, &self.needed_by)
    }

    fn reach(&self, node: usize, along: &[Vec<usize>]) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        let mut open = along[node].clone();
        while let Some(next) = open.pop() {
            if !std::mem::replace(&mut reached[next], true) {
                open.extend_from_slice(&along[next]);
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(len: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(len);
        for &(node, need) in edges {
            graph.add(node, need);
        }
        graph
    }

    #[test]
    fn a_node_comes_after_what_it_waits_for_and_ties_go_by_number() {
        assert_eq!(graph(4, &[(0, 3), (2, 1)]).order(), Ok(vec![1, 2, 3, 0]));
    }

    #[test]
    fn a_cycle_is_reported_as_its_path_without_what_only_leads_to_it() {
        let cycle = graph(5, &[(0, 1), (1, 2), (2, 3), (3, 1), (4, 0)]).order().unwrap_err();
        assert_eq!(cycle, Cycle(vec![1, 2, 3]));
    }

    #[test]
    fn a_node_that_waits_for_itself_is_a_cycle() {
        assert_eq!(graph(1, &[(0, 0)]).order(), Err(Cycle(vec![0])));
    }

    #[test]
    fn the_critical_path_is_the_heaviest_chain_and_not_the_longest() {
        let graph = graph(5, &[(1, 0), (2, 1), (4, 3)]);
        let order = graph.order().unwrap();
        let weights = [1, 1, 1, 10, 1].map(Duration::from_secs);
        assert_eq!(graph.critical_path(&order, &weights), [3, 4]);
        assert_eq!(graph.levels(&order), [0, 1, 2, 0, 1]);
        assert_eq!(graph.remaining(&order, &weights)[0], Duration::from_secs(3));
    }

    #[test]
    fn what_waits_for_a_node_is_found_through_others() {
        let graph = graph(4, &[(1, 0), (2, 1)]);
        assert_eq!(graph.all_needed_by(0), [false, true, true, false]);
        assert_eq!(graph.all_needs(2), [true, true, false, false]);
    }
}

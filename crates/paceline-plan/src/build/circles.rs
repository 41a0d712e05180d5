//! Circles: stacks that wait for each other. Which relaxed edges are given up for them, and what a team can do.
//!
//! In one release an app may reverse what its stacks read from each other. If the parameters exist already, the new order
//! can be deployed, although it could not be on a fresh account.

use std::collections::HashMap;

use super::error::WayOut;
use super::relax;
use crate::model::graph::{Cycle, Graph};
use crate::model::{Edge, Reason, Relaxed};

/// Gives up each relaxed pair of stacks that contradicts the phases or the rollout, or is part of a circle. Of several in one circle, a
/// pair that only the manifest orders is given up first: nothing has to exist for it.
pub(crate) fn give_up(
    edges: &mut Vec<Edge>,
    relaxed: &mut [Relaxed],
    contradicts: impl Fn(&Edge) -> bool,
    among: impl Fn(&str) -> bool,
) {
    if relaxed.iter().all(|it| it.dropped) {
        return;
    }
    let contradicting: Vec<Pair> = edges.iter().filter(|edge| contradicts(edge)).map(pair).collect();
    for pair in contradicting {
        if is_relaxed(&pair, edges, relaxed) {
            give_up_one(&pair, edges, relaxed);
        }
    }
    while let Some(circle) = circle(edges, &among) {
        let pairs = circle.iter().filter(|pair| is_relaxed(pair, edges, relaxed));
        let first = pairs.min_by_key(|pair| !is_of_manifest(pair, edges));
        let Some(pair) = first else { return };
        give_up_one(pair, edges, relaxed);
    }
}

/// A stack that waits, and one that it waits for.
type Pair = (String, String);

fn pair(edge: &Edge) -> Pair {
    (edge.from.clone(), edge.to.clone())
}

fn is_of(edge: &Edge, (from, to): &Pair) -> bool {
    edge.from == *from && edge.to == *to
}

fn eases(it: &Relaxed, edge: &Edge) -> bool {
    it.from == edge.from && it.to == edge.to && relax::is_meant(it.reason, true, edge)
}

/// Whether giving up what is relaxed leaves no edge between the two.
fn is_relaxed(pair: &Pair, edges: &[Edge], relaxed: &[Relaxed]) -> bool {
    let mut edges = edges.iter().filter(|edge| is_of(edge, pair)).peekable();
    edges.peek().is_some() && edges.all(|edge| relaxed.iter().any(|it| eases(it, edge)))
}

fn is_of_manifest(pair: &Pair, edges: &[Edge]) -> bool {
    edges.iter().filter(|edge| is_of(edge, pair)).all(|edge| edge.reason == Reason::Manifest)
}

fn give_up_one(pair: &Pair, edges: &mut Vec<Edge>, relaxed: &mut [Relaxed]) {
    edges.retain(|edge| !is_of(edge, pair));
    for it in relaxed.iter_mut().filter(|it| (&it.from, &it.to) == (&pair.0, &pair.1) && !it.dropped) {
        (it.dropped, it.forced) = (true, true);
    }
}

/// Stacks that wait for each other, if there are any.
fn circle(edges: &[Edge], among: impl Fn(&str) -> bool) -> Option<Vec<Pair>> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut arrows = Vec::new();
    for edge in edges.iter().filter(|edge| among(&edge.from) && among(&edge.to)) {
        let [from, to] = [&edge.from, &edge.to].map(|id| {
            *numbers.entry(id).or_insert_with(|| {
                ids.push(id);
                ids.len() - 1
            })
        });
        arrows.push((from, to));
    }
    let mut graph = Graph::new(ids.len());
    for (from, to) in arrows {
        graph.add(from, to);
    }
    let Cycle(path) = graph.order().err()?;
    let next = path.iter().skip(1).chain(path.first());
    Some(path.iter().zip(next).map(|(&from, &to)| (ids[from].to_owned(), ids[to].to_owned())).collect())
}

/// The dependencies between these pairs that a team can give up: without any one of them the circle is gone.
pub(crate) fn ways_out(pairs: &[(&str, &str)], edges: &[Edge]) -> Vec<WayOut> {
    let ways = pairs.iter().filter_map(|&(from, to)| {
        let edges = || edges.iter().filter(|edge| edge.from == from && edge.to == to);
        let can_be_relaxed = |edge: &Edge| edge.stored.is_some() || edge.reason == Reason::Manifest;
        let way = WayOut {
            from: from.to_owned(),
            to: to.to_owned(),
            parameters: edges().any(|edge| edge.stored.is_some()),
            manifest: edges().any(|edge| edge.reason == Reason::Manifest),
        };
        (edges().all(can_be_relaxed) && (way.parameters || way.manifest)).then_some(way)
    });
    ways.collect()
}

//! The edges of two plans.

use std::collections::{BTreeMap, BTreeSet};

use paceline_plan::{Edge, Plan};

use crate::model::{EdgeChange, EdgeChanges};

/// The edges that only one of two plans has. Edges between the same two stacks count as one.
pub fn edge_changes(before: &Plan, after: &Plan) -> EdgeChanges {
    EdgeChanges { gained: only_in(after, before), lost: only_in(before, after) }
}

fn only_in(plan: &Plan, other: &Plan) -> Vec<EdgeChange> {
    let known: BTreeSet<(&str, &str)> =
        edges(other).map(|edge| (edge.from.as_str(), edge.to.as_str())).collect();
    let mut pairs: BTreeMap<(&str, &str), Vec<&Edge>> = BTreeMap::new();
    for edge in edges(plan) {
        pairs.entry((&edge.from, &edge.to)).or_default().push(edge);
    }
    let only = pairs.into_iter().filter(|(pair, _)| !known.contains(pair));
    only.map(|((from, to), edges)| {
        let mut reasons: Vec<String> = edges.iter().map(|edge| edge.reason.to_string()).collect();
        reasons.dedup();
        let detail = edges.first().map(|edge| edge.detail()).unwrap_or_default();
        EdgeChange { from: from.to_owned(), to: to.to_owned(), reasons, detail }
    })
    .collect()
}

fn edges(plan: &Plan) -> impl Iterator<Item = &Edge> {
    plan.stacks.iter().flat_map(|stack| &stack.depends_on)
}

//! The longest chain of steps: what a run takes without any limit.

use std::cmp::Reverse;
use std::time::Duration;

use super::step::Step;

/// The length of the longest chain of steps, without any limit to what happens at once.
pub(crate) fn lower_bound(steps: &[Step]) -> Duration {
    chains(steps).into_iter().map(|chain| chain.end).max().unwrap_or_default()
}

/// The steps of the longest chain, from its first to its last; of equals, the one that comes first in the plan.
pub(crate) fn critical_steps(steps: &[Step]) -> Vec<usize> {
    let chains = chains(steps);
    let last = (0..chains.len()).min_by_key(|&number| (Reverse(chains[number].end), number));
    let mut path: Vec<usize> = std::iter::successors(last, |&number| chains[number].after).collect();
    path.reverse();
    path
}

/// When a step is done that waits for nothing but its needs.
struct Chain {
    start: Duration,
    end: Duration,
    /// The need that it waits for longest.
    after: Option<usize>,
}

fn chains(steps: &[Step]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::with_capacity(steps.len());
    for step in steps {
        // An early need may end before its stack is complete.
        let met = |need: usize| {
            let Chain { start, end, .. } = chains[need];
            let early = step.early_needs.iter().find(|early| early.need == need);
            early.map_or(end, |early| end.min(start + early.after))
        };
        let after = step.needs.iter().copied().min_by_key(|&need| (Reverse(met(need)), need));
        let start = after.map(met).unwrap_or_default();
        chains.push(Chain { start, end: start + step.expected, after });
    }
    chains
}

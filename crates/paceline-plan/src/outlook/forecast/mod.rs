//! How long a plan takes, and where each figure comes from.
//!
//! The durations are made here: from history, else from the table, else a stated default. *When* everything happens
//! is not worked out here: the engine itself, on virtual time, with steps that take as long as is expected of them,
//! makes the figures of a [`Forecast`]. So there is no second scheduler that could disagree with the first.

mod basis;
mod expect;

use std::time::Duration;

pub use basis::Basis;
pub(crate) use expect::{Expect, Expected};
pub use expect::{FILE_TIME, IMAGE_TIME, PUSH_TIME};

use crate::model::plan::{Plan, Step};
use crate::outlook::advice::Advice;
use crate::outlook::price::Price;
use crate::outlook::what_if::WhatIf;

/// How long a plan takes in each way of working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// One step after the other: assets, images and gates too.
    pub sequential: Duration,
    /// With each phase a barrier.
    pub phased: Duration,
    /// With edges alone.
    pub graph: Duration,
    /// The longest chain of steps, were there no limit to what happens at once and to how often AWS is called.
    pub lower_bound: Duration,
    /// With every relaxed edge given up, where there is one: a redeployment.
    pub redeployed: Option<Duration>,
    /// With every edge waiting for the whole of its stack, where some do not.
    pub whole_stacks: Option<Duration>,
    /// What made the figures of the graph and of the phases.
    pub made_by: MadeBy,
    /// What a minute of the build costs, where that is known.
    pub price: Option<Price>,
    /// What changes that were asked for come to.
    pub what_if: Option<WhatIf>,
    /// What would shorten the run most, where that was asked for.
    pub advice: Option<Vec<Advice>>,
}

/// What made a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
    /// The engine, with steps that take as long as is expected of them.
    Rehearsal,
    /// The same for all but the plan's own way of working, which was deployed to the simulator.
    Simulator,
}

impl MadeBy {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rehearsal => "rehearsal",
            Self::Simulator => "simulator",
        }
    }
}

/// The longest chain of steps, without any limit.
pub fn lower_bound(plan: &Plan) -> Duration {
    chains(&plan.steps).into_iter().map(|chain| chain.end).max().unwrap_or_default()
}

/// The steps of the longest chain, from its first to its last; of equals, the one that comes first in the plan.
pub(crate) fn critical_steps(steps: &[Step]) -> Vec<usize> {
    let chains = chains(steps);
    let last = (0..chains.len()).min_by_key(|&number| (std::cmp::Reverse(chains[number].end), number));
    let mut path: Vec<usize> = std::iter::successors(last, |&number| chains[number].after).collect();
    path.reverse();
    path
}

/// When a step is done that has to wait for nothing but what it needs.
struct Chain {
    start: Duration,
    end: Duration,
    /// The step that it waits for longest.
    after: Option<usize>,
}

fn chains(steps: &[Step]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::with_capacity(steps.len());
    for step in steps {
        // What is waited for may be there before all of its stack is.
        let there = |need: usize| {
            let Chain { start, end, .. } = chains[need];
            let early = step.early.iter().find(|early| early.need == need);
            early.map_or(end, |early| end.min(start + early.after))
        };
        let after = step.needs.iter().copied().min_by_key(|&need| (std::cmp::Reverse(there(need)), need));
        let start = after.map(there).unwrap_or_default();
        chains.push(Chain { start, end: start + step.expected, after });
    }
    chains
}

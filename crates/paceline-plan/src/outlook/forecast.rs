//! How long a plan takes, and where each figure comes from.
//!
//! The durations are made here: from history, else from the table, else a stated default. *When* everything happens
//! is not worked out here: the engine itself, on virtual time, with steps that take as long as is expected of them,
//! makes the figures of a [`Forecast`]. So there is no second scheduler that could disagree with the first.

use std::time::Duration;

use super::advice::Advice;
pub use super::expect::{FILE_TIME, IMAGE_TIME, PUSH_TIME};
use super::price::Price;
use super::what_if::WhatIf;
pub use crate::model::Basis;
use crate::model::Plan;

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
    /// Without the relaxed edges, if there are any: a redeployment.
    pub redeployed: Option<Duration>,
    /// With every edge waiting for its whole stack, if some do not.
    pub whole_stacks: Option<Duration>,
    /// What made the figures of the graph and of the phases.
    pub made_by: MadeBy,
    /// What a minute of the build costs, where that is known.
    pub price: Option<Price>,
    /// The effect of the changes of `--what-if`.
    pub what_if: Option<WhatIf>,
    /// What would shorten the run most, with `--advice`.
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
    crate::model::lower_bound(&plan.steps)
}

//! What a run is given besides its plan, and what it gives back.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_text::ExitCode;

use crate::event::{BuildPhases, Outcome};
use crate::stop::Stop;

/// What a run is made with, beside its plan and its performer.
#[derive(Debug)]
pub struct RunOptions {
    /// The run's name.
    pub id: String,
    /// The folder of the assembly, for the events.
    pub app: String,
    /// The version of Paceline, for the events.
    pub version: String,
    /// The time now; from here on the run's time is that of tokio's clock.
    pub now: Timestamp,
    /// Whether the durations are those of the simulator.
    pub simulated: bool,
    /// What an earlier, interrupted part of the run had done.
    pub earlier: Option<Earlier>,
    /// The number of this start in the folder of the runs: see [`Journal::order`](crate::Journal::order).
    pub order: Option<u64>,
    /// Where AWS is reached, if that is not AWS itself, for the events.
    pub endpoint: Option<String>,
    /// What the build that the run is a part of did until now.
    pub build: Option<BuildPhases>,
    /// How the run is stopped from outside.
    pub stop: Stop,
    /// When the run stops by itself.
    pub deadline: Option<Duration>,
}

/// What an earlier, interrupted part of a run had done.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// The sequence number of its last event.
    pub seq: u64,
    /// The steps that it had done, or whose operation it had sent, each with its identity at that time: none where
    /// the journal is of a version that did not tell it.
    pub done: BTreeMap<String, Option<String>>,
    /// Whether it had changed anything.
    pub touched: bool,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The documented exit code.
    pub exit_code: ExitCode,
    /// The outcome of each step, in the plan's order.
    pub outcomes: Vec<Outcome>,
}

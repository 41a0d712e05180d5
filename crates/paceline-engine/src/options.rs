//! The input of a run besides its plan, and its result.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_text::ExitCode;

use crate::event::{BuildPhases, Outcome, RunApproved};
use crate::stop::Stop;

/// The settings of a run.
#[derive(Debug)]
pub struct RunOptions {
    /// The run's name.
    pub id: String,
    /// The folder of the assembly, for the events.
    pub app: String,
    /// The version of Paceline, for the events.
    pub version: String,
    /// The time at the start of the run. After the start, the run reads tokio's clock.
    pub now: Timestamp,
    /// True if the run is simulated, so that its durations are not real.
    pub simulated: bool,
    /// The earlier part of the run, if this one resumes it.
    pub earlier: Option<Earlier>,
    /// The number of this start in the folder of the runs: see [`Journal::order`](crate::Journal::order).
    pub order: Option<u64>,
    /// The endpoint, if the run does not use AWS itself. For the events.
    pub endpoint: Option<String>,
    /// The CodeBuild build that the run is part of, with its phases so far.
    pub build: Option<BuildPhases>,
    /// The prepared run whose change sets the run executes.
    pub executes: Option<String>,
    /// What a person has let through although the policy refuses it.
    pub approvals: Vec<RunApproved>,
    /// The handle by which others stop the run.
    pub stop: Stop,
    /// The time after which the run stops itself.
    pub deadline: Option<Duration>,
    /// Set if the run may end while it only waits for CloudFormation.
    pub sleep: Option<Sleep>,
}

/// When a run may end while CloudFormation still works for it, because something starts the next process in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sleep {
    /// The account whose stacks wake the run.
    pub account: String,
    /// The region whose stacks wake the run.
    pub region: String,
    /// A shorter wait is not worth another process.
    pub least: Duration,
}

impl Sleep {
    /// Returns whether the end of an operation on the stack with this id wakes the run.
    pub(crate) fn hears(&self, stack_id: &str) -> bool {
        // arn:aws:cloudformation:eu-west-1:111111111111:stack/Name/number
        let mut parts = stack_id.split(':').skip(3);
        (parts.next(), parts.next()) == (Some(&self.region), Some(&self.account))
    }
}

impl RunOptions {
    /// The settings of a simulated run that starts at `now`: it has no name, resumes nothing and has no
    /// deadline.
    pub fn simulated(now: Timestamp) -> Self {
        Self {
            id: String::new(),
            app: String::new(),
            version: String::new(),
            now,
            simulated: true,
            earlier: None,
            order: None,
            endpoint: None,
            build: None,
            executes: None,
            approvals: Vec::new(),
            stop: Stop::default(),
            deadline: None,
            sleep: None,
        }
    }
}

/// The work that a run had done before it was interrupted.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// The sequence number of the last event of the earlier part.
    pub seq: u64,
    /// The steps that were done, or whose operation was sent, each with its identity at that time. The
    /// identity is `None` in journals of versions that did not write it.
    pub done: BTreeMap<String, Option<String>>,
    /// True if the earlier part had changed anything.
    pub touched: bool,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The documented exit code.
    pub exit_code: ExitCode,
    /// The outcome of each step, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// True if the run has ended because it only waits for CloudFormation.
    pub sleeps: bool,
}

//! When each step of a plan would start and end: the engine itself, run on virtual time with steps
//! that take exactly as long as they are expected to.
//!
//! There is no second scheduler that could disagree with the first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use paceline_plan::Plan;

use crate::event::{Event, Fact, Outcome};
use crate::perform::{Ended, Perform, StepContext};
use crate::run::{RunOptions, run};
use crate::stop::Stop;

/// When each step of a plan would start and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Start and end of each step, from the start of the run, in the plan's order.
    pub steps: Vec<(Duration, Duration)>,
    /// The end of the last step.
    pub total: Duration,
}

/// Makes the schedule of a plan.
pub fn schedule(plan: &Plan) -> io::Result<Schedule> {
    let plan = Arc::new(plan.clone());
    // A thread of its own, since the caller may be on a runtime whose time is real.
    let worker = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(rehearse(plan))
    });
    worker.join().unwrap_or_else(|_| Err(io::Error::other("the forecast's thread ended early")))
}

/// The time that the plan's stacks take one after another, without assets and gates: what a build does
/// that calls `cdk deploy` for one stack after the other, at its best.
pub fn one_after_another(plan: &Plan) -> Duration {
    let operations = plan.steps.iter().filter(|step| step.work.changes().is_some());
    operations.map(|step| step.expected).sum()
}

struct Rehearsal;

impl Perform for Rehearsal {
    async fn perform(&self, context: StepContext) -> Ended {
        tokio::time::sleep(context.step().expected).await;
        Ended::new(Outcome::Deployed)
    }
}

async fn rehearse(plan: Arc<Plan>) -> io::Result<Schedule> {
    let index: std::collections::HashMap<String, usize> =
        plan.steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
    let mut steps = vec![(Duration::ZERO, Duration::ZERO); plan.steps.len()];
    let origin = tokio::time::Instant::now();
    let mut record = |event: &Event| {
        match &event.fact {
            Fact::StepStarted(step) => steps[index[&step.step]].0 = origin.elapsed(),
            Fact::StepFinished(fact) => steps[index[&fact.step.step]].1 = origin.elapsed(),
            _ => {}
        }
        Ok(())
    };
    let options = RunOptions {
        id: String::new(),
        app: String::new(),
        version: String::new(),
        now: Timestamp::UNIX_EPOCH,
        simulated: true,
        earlier: None,
        build: None,
        stop: Stop::default(),
        deadline: None,
    };
    run(plan, Arc::new(Rehearsal), options, &mut record).await?;
    let total = steps.iter().map(|&(_, end)| end).max().unwrap_or_default();
    Ok(Schedule { steps, total })
}

//! A performer that sleeps and ends as its script says, and runs with this performer.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Cause, StepFinished};
use paceline_engine::{
    Earlier, Ended, Event, Fact, Outcome, Perform, RunEnd, RunOptions, StepContext, Stop, run,
};
use paceline_plan::Plan;

use crate::invariants;

pub(crate) const START: &str = "2026-01-01T00:00:00Z";

/// The behaviour of a step, if it does not succeed after its expected time.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Ends(Outcome),
    /// Like `Ends`, but after another time than expected.
    EndsAfter(Outcome, Duration),
    FailsPreflight,
    /// Fails without a cause.
    FailsInSilence,
    Panics,
}

/// A performer that sleeps. Each step ends as the script says. A step that is not in the script is deployed.
#[derive(Debug, Default)]
pub(crate) struct Script(HashMap<String, Act>);

impl Script {
    pub(crate) fn with(mut self, step: &str, act: Act) -> Self {
        self.0.insert(step.to_owned(), act);
        self
    }

    /// A script in which these steps fail at their end.
    pub(crate) fn failing(steps: &[&str]) -> Self {
        steps.iter().fold(Self::default(), |script, step| script.with(step, Act::Ends(Outcome::Failed)))
    }
}

impl Perform for Script {
    async fn perform(&self, context: StepContext) -> Ended {
        let step = context.step();
        let act = self.0.get(&step.id).cloned().unwrap_or(Act::Ends(Outcome::Deployed));
        let duration = if let Act::EndsAfter(_, duration) = act { duration } else { step.expected };
        tokio::select! {
            biased;
            () = context.stopped() => return Ended::new(Outcome::Interrupted),
            () = tokio::time::sleep(duration) => {}
        }
        let cause = |preflight| Cause {
            at: None,
            message: "as told".to_owned(),
            hint: None,
            preflight,
            ..Cause::default()
        };
        match act {
            Act::Ends(outcome) | Act::EndsAfter(outcome, _) => {
                let failed = matches!(outcome, Outcome::Failed | Outcome::RolledBack);
                Ended { cause: failed.then(|| cause(false)), ..Ended::new(outcome) }
            }
            Act::FailsPreflight => Ended::failed(cause(true)),
            Act::FailsInSilence => Ended::new(Outcome::Failed),
            Act::Panics => panic!("a bug in the performer of {}", step.id),
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) plan: Arc<Plan>,
    pub(crate) events: Vec<Event>,
    pub(crate) end: RunEnd,
}

pub(crate) fn options() -> RunOptions {
    RunOptions {
        id: "test".to_owned(),
        app: "cdk.out".to_owned(),
        version: "1.2.3".to_owned(),
        ..RunOptions::simulated(START.parse().unwrap())
    }
}

/// Runs a future on a paused clock.
pub(crate) fn paused<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

/// Runs a plan and checks what holds for every run.
pub(crate) fn ran(plan: Plan, performer: impl Perform) -> Ran {
    ran_with(plan, performer, options())
}

pub(crate) fn ran_with(plan: Plan, performer: impl Perform, options: RunOptions) -> Ran {
    let earlier = options.earlier.as_ref().map_or(0, |earlier: &Earlier| earlier.seq);
    let ran = perform(plan, performer, options);
    invariants::check(&ran, earlier);
    ran
}

/// Runs a plan whose performer knows what the invariants do not.
pub(crate) fn ran_unchecked(plan: Plan, performer: impl Perform) -> Ran {
    perform(plan, performer, options())
}

fn perform(plan: Plan, performer: impl Perform, options: RunOptions) -> Ran {
    let plan = Arc::new(plan);
    let mut events = Vec::new();
    let mut record = |event: &Event| -> io::Result<()> {
        events.push(event.clone());
        Ok(())
    };
    let end = paused(run(Arc::clone(&plan), Arc::new(performer), options, &mut record)).unwrap();
    Ran { plan, events, end }
}

/// Asks a run to stop after some time of its own clock.
pub(crate) fn stopping_after(seconds: u64, performer: impl Perform, plan: Plan) -> Ran {
    let options = options();
    let stop = options.stop.clone();
    let wrapped = StopsRun { performer, stop, after: Duration::from_secs(seconds) };
    ran_with(plan, wrapped, options)
}

/// Asks the run to stop at a moment of its clock, whichever step runs then.
struct StopsRun<P> {
    performer: P,
    stop: Stop,
    after: Duration,
}

impl<P: Perform> Perform for StopsRun<P> {
    async fn perform(&self, context: StepContext) -> Ended {
        let start: Timestamp = START.parse().unwrap();
        let passed = Duration::try_from(context.now().duration_since(start)).unwrap();
        let left = self.after.saturating_sub(passed);
        let stop = async {
            tokio::time::sleep(left).await;
            self.stop.request("SIGTERM");
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = self.performer.perform(context) => ended,
            () = stop => Ended::new(Outcome::Interrupted),
        }
    }
}

impl Ran {
    /// The time of an event, in seconds from the start of the run.
    pub(crate) fn clock(&self, event: &Event) -> f64 {
        event.at.duration_since(self.events[0].at).as_secs_f64()
    }

    pub(crate) fn started(&self, step: &str) -> f64 {
        self.time_of(|fact| matches!(fact, Fact::StepStarted(s) if s.step.step == step)).unwrap()
    }

    pub(crate) fn is_started(&self, step: &str) -> bool {
        self.time_of(|fact| matches!(fact, Fact::StepStarted(s) if s.step.step == step)).is_some()
    }

    pub(crate) fn ended(&self, step: &str) -> f64 {
        self.time_of(|fact| matches!(fact, Fact::StepFinished(f) if f.step.step == step)).unwrap()
    }

    pub(crate) fn finished(&self, step: &str) -> &StepFinished {
        let facts = self.events.iter().map(|event| &event.fact);
        let mut finished = facts.filter_map(|fact| match fact {
            Fact::StepFinished(finished) => Some(finished),
            _ => None,
        });
        finished.find(|finished| finished.step.step == step).unwrap()
    }

    pub(crate) fn outcome(&self, step: &str) -> Outcome {
        self.finished(step).outcome
    }

    pub(crate) fn total(&self) -> f64 {
        self.clock(self.events.last().unwrap())
    }

    /// The ids of the steps in the order of their starts.
    pub(crate) fn starts(&self) -> Vec<&str> {
        let facts = self.events.iter().map(|event| &event.fact);
        let started = facts.filter_map(|fact| match fact {
            Fact::StepStarted(started) => Some(started.step.step.as_str()),
            _ => None,
        });
        started.collect()
    }

    /// The ids of the steps in the order of their ends.
    pub(crate) fn ends(&self) -> Vec<&str> {
        let facts = self.events.iter().map(|event| &event.fact);
        let ended = facts.filter_map(|fact| match fact {
            Fact::StepFinished(finished) => Some(finished.step.step.as_str()),
            _ => None,
        });
        ended.collect()
    }

    /// The reasons for which the run was stopped, one for each stop.
    pub(crate) fn stops(&self) -> Vec<&str> {
        let facts = self.events.iter().map(|event| &event.fact);
        let stops = facts.filter_map(|fact| match fact {
            Fact::RunStopping { reason } => Some(reason.as_str()),
            _ => None,
        });
        stops.collect()
    }

    fn time_of(&self, is_it: impl Fn(&Fact) -> bool) -> Option<f64> {
        self.events.iter().find(|event| is_it(&event.fact)).map(|event| self.clock(event))
    }
}

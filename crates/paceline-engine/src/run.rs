//! Runs a plan: one loop owns the state of the run, starts steps, and emits every event.
//!
//! Steps are performed by tasks that only send messages; nothing is shared. A step starts when
//! everything it needs has succeeded and there is room for it, and nothing else makes it wait.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use paceline_plan::config::FailurePolicy;
use paceline_plan::graph::Graph;
use paceline_plan::{Plan, Work};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::event::{
    Cause, Event, Fact, Outcome, PlannedPhase, PlannedStep, RunFinished, RunStarted, SCHEMA, StepFinished,
    StepRef,
};
use crate::exit;
use crate::perform::{Clock, Ended, Perform, Report, StepContext};
use crate::ready::Ready;
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
    /// The steps that it had deployed.
    pub deployed: BTreeSet<String>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The documented exit code.
    pub exit_code: u8,
    /// The outcome of each step, in the plan's order.
    pub outcomes: Vec<Outcome>,
}

/// Runs a plan to its end. `record` is given every event, in order, before anything that relies on
/// it happens; an error from it (a full disk) stops the run.
pub async fn run<P: Perform>(
    plan: Arc<Plan>,
    performer: Arc<P>,
    options: RunOptions,
    record: &mut (dyn FnMut(&Event) -> io::Result<()> + Send),
) -> io::Result<RunEnd> {
    let mut run = Run::new(plan, options, record);
    run.start()?;
    run.drive(&performer).await?;
    run.finish()
}

/// The id, title and place of a step, as events tell them.
pub fn reference(plan: &Plan, index: usize) -> StepRef {
    let step = &plan.steps[index];
    let stack = plan.stack_of(step);
    let (title, id) = match &step.work {
        Work::Publish(publish) => (publish.title.clone(), None),
        Work::Deploy { .. } => (stack.id.clone(), Some(stack.id.clone())),
        Work::Gate { .. } => (format!("IAM roles of {}", stack.id), Some(stack.id.clone())),
    };
    let is_deploy = matches!(step.work, Work::Deploy { .. });
    StepRef {
        step: step.id.clone(),
        kind: step.work.kind().to_owned(),
        title,
        stack_name: is_deploy.then(|| stack.name.clone()),
        account: stack.account.clone(),
        region: stack.region.clone(),
        phase: id.is_some().then(|| stack.phase.clone()).flatten(),
        stack: id,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting { missing: usize },
    Ready { since: Instant },
    Running { since: Instant, queued: Duration },
    Ended(Outcome),
}

struct Run<'a> {
    plan: Arc<Plan>,
    graph: Graph,
    remaining: Vec<Duration>,
    references: Vec<Arc<StepRef>>,
    options: RunOptions,
    record: &'a mut (dyn FnMut(&Event) -> io::Result<()> + Send),
    seq: u64,
    clock: Clock,
    states: Vec<State>,
    ready: Ready,
    stopping: bool,
    /// The first step that failed.
    first_failure: Option<usize>,
    preflight_only: bool,
}

impl<'a> Run<'a> {
    fn new(
        plan: Arc<Plan>,
        options: RunOptions,
        record: &'a mut (dyn FnMut(&Event) -> io::Result<()> + Send),
    ) -> Self {
        let graph = plan.step_graph();
        // The plan's steps are in an order that respects their needs.
        let order: Vec<usize> = (0..graph.len()).collect();
        let expected: Vec<Duration> = plan.steps.iter().map(|step| step.expected).collect();
        let remaining = graph.remaining(&order, &expected);
        let references = order.iter().map(|&index| Arc::new(reference(&plan, index))).collect();
        let states = order.iter().map(|&i| State::Waiting { missing: graph.needs(i).len() }).collect();
        Self {
            ready: Ready::new(plan.concurrency),
            seq: options.earlier.as_ref().map_or(0, |earlier| earlier.seq),
            plan,
            graph,
            remaining,
            references,
            clock: Clock::starting(options.now),
            options,
            record,
            states,
            stopping: false,
            first_failure: None,
            preflight_only: true,
        }
    }

    fn start(&mut self) -> io::Result<()> {
        let plan = Arc::clone(&self.plan);
        let phases = plan.phases.iter();
        let phases =
            phases.map(|p| PlannedPhase { name: p.name.clone(), stacks: p.stacks.clone() }).collect();
        let steps = plan.steps.iter().zip(&self.references);
        let steps = steps.map(|(step, reference)| PlannedStep {
            step: StepRef::clone(reference),
            needs: step.needs.iter().map(|&need| plan.steps[need].id.clone()).collect(),
            expected_s: step.expected.as_secs_f64(),
        });
        let started = RunStarted {
            paceline: self.options.version.clone(),
            app: self.options.app.clone(),
            plan: plan.digest.clone(),
            resumed: self.options.earlier.is_some(),
            simulated: self.options.simulated,
            strategy: plan.strategy,
            phases,
            steps: steps.collect(),
        };
        self.emit(Fact::RunStarted(started))?;
        for index in 0..self.states.len() {
            if self.graph.needs(index).is_empty() {
                self.becomes_ready(index)?;
            }
        }
        Ok(())
    }

    async fn drive<P: Perform>(&mut self, performer: &Arc<P>) -> io::Result<()> {
        let (report, mut reports) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut performing: BTreeMap<Id, usize> = BTreeMap::new();
        let deadline = tokio::time::sleep(self.options.deadline.unwrap_or(FAR));
        tokio::pin!(deadline);
        let stop = self.options.stop.clone();
        loop {
            while let Some(index) = if self.stopping { None } else { self.ready.pop() } {
                self.starts(index)?;
                let reference = Arc::clone(&self.references[index]);
                let (plan, report, cancel) = (Arc::clone(&self.plan), report.clone(), cancel.clone());
                let context = StepContext::new(plan, index, reference, report, cancel, self.clock)
                    .done_earlier(self.was_done_earlier(index));
                let performer = Arc::clone(performer);
                let task = tasks.spawn(async move { performer.perform(context).await });
                performing.insert(task.id(), index);
            }
            if tasks.is_empty() {
                return Ok(());
            }
            tokio::select! {
                biased;
                Some(report) = reports.recv() => self.reported(report)?,
                Some(joined) = tasks.join_next_with_id() => {
                    // What the step reported before it ended comes before its end.
                    while let Ok(report) = reports.try_recv() {
                        self.reported(report)?;
                    }
                    let (id, ended) = unwrap_task(joined);
                    if let Some(index) = performing.remove(&id) {
                        self.ended(index, ended)?;
                    }
                }
                reason = stop.requested(), if !cancel.is_cancelled() => {
                    self.stopping = true;
                    cancel.cancel();
                    self.emit(Fact::RunStopping { reason })?;
                }
                () = &mut deadline, if !cancel.is_cancelled() => {
                    self.stopping = true;
                    cancel.cancel();
                    self.emit(Fact::RunStopping { reason: "the run is out of time".to_owned() })?;
                }
            }
        }
    }

    fn reported(&mut self, report: Report) -> io::Result<()> {
        self.emit(report.fact)?;
        if let Some(recorded) = report.recorded {
            // Its step may have been dropped meanwhile.
            let _ = recorded.send(());
        }
        Ok(())
    }

    fn becomes_ready(&mut self, index: usize) -> io::Result<()> {
        self.states[index] = State::Ready { since: Instant::now() };
        self.ready.push(&self.plan.steps[index], index, self.remaining[index]);
        self.emit(Fact::StepReady(StepRef::clone(&self.references[index])))
    }

    fn starts(&mut self, index: usize) -> io::Result<()> {
        let now = Instant::now();
        let queued = match self.states[index] {
            State::Ready { since } => now - since,
            _ => Duration::ZERO,
        };
        self.states[index] = State::Running { since: now, queued };
        self.emit(Fact::StepStarted(StepRef::clone(&self.references[index])))
    }

    fn ended(&mut self, index: usize, ended: Ended) -> io::Result<()> {
        let (duration, queued) = match self.states[index] {
            State::Running { since, queued } => (since.elapsed(), queued),
            _ => Default::default(),
        };
        self.ready.ended(&self.plan.steps[index]);
        let Ended { mut outcome, cause, detail, outputs } = ended;
        let step = StepRef::clone(&self.references[index]);
        // An interrupted run that goes on finds its own work done.
        let resumed = outcome == Outcome::Unchanged && self.was_done_earlier(index);
        if resumed {
            outcome = Outcome::Deployed;
        }
        self.states[index] = State::Ended(outcome);
        if matches!(outcome, Outcome::Failed | Outcome::RolledBack) {
            self.first_failure.get_or_insert(index);
            self.preflight_only &= cause.as_ref().is_some_and(|cause| cause.preflight);
        }
        self.emit(Fact::StepFinished(StepFinished {
            step,
            outcome,
            cause,
            because: None,
            detail,
            duration_s: seconds(duration),
            queued_s: seconds(queued),
            resumed,
            outputs,
        }))?;
        match outcome {
            Outcome::Deployed | Outcome::Unchanged => self.release(index),
            Outcome::Failed | Outcome::RolledBack => {
                if self.plan.policy == FailurePolicy::FailFast && !self.stopping {
                    self.stopping = true;
                    let reason = format!("{} failed", self.references[index].title);
                    self.emit(Fact::RunStopping { reason })?;
                }
                self.skip_dependents(index)
            }
            Outcome::Skipped | Outcome::Interrupted => Ok(()),
        }
    }

    fn was_done_earlier(&self, index: usize) -> bool {
        let id = &self.references[index].step;
        self.options.earlier.as_ref().is_some_and(|earlier| earlier.deployed.contains(id))
    }

    /// What waited for this step alone can start.
    fn release(&mut self, index: usize) -> io::Result<()> {
        for next in self.graph.needed_by(index).to_vec() {
            if let State::Waiting { missing } = &mut self.states[next] {
                *missing -= 1;
                if *missing == 0 {
                    self.becomes_ready(next)?;
                }
            }
        }
        Ok(())
    }

    fn skip_dependents(&mut self, failed: usize) -> io::Result<()> {
        let dependents = self.graph.all_needed_by(failed);
        for index in (0..dependents.len()).filter(|&index| dependents[index]) {
            if let State::Waiting { .. } = self.states[index] {
                self.never_started(index, Outcome::Skipped, Some(failed))?;
            }
        }
        Ok(())
    }

    fn never_started(&mut self, index: usize, outcome: Outcome, because: Option<usize>) -> io::Result<()> {
        self.states[index] = State::Ended(outcome);
        self.emit(Fact::StepFinished(StepFinished {
            step: StepRef::clone(&self.references[index]),
            outcome,
            cause: None,
            because: because.map(|failed| self.references[failed].step.clone()),
            detail: None,
            duration_s: 0.0,
            queued_s: 0.0,
            resumed: false,
            outputs: BTreeMap::new(),
        }))
    }

    fn finish(mut self) -> io::Result<RunEnd> {
        // What has not started by now never will: the run was stopped, or is failing fast.
        let interrupted =
            !self.stopping || self.first_failure.is_none() || self.plan.policy != FailurePolicy::FailFast;
        for index in 0..self.states.len() {
            if !matches!(self.states[index], State::Ended(_)) {
                if interrupted {
                    self.never_started(index, Outcome::Interrupted, None)?;
                } else {
                    self.never_started(index, Outcome::Skipped, self.first_failure)?;
                }
            }
        }
        let outcome = |state: &State| match state {
            State::Ended(outcome) => *outcome,
            _ => Outcome::Interrupted,
        };
        let outcomes: Vec<Outcome> = self.states.iter().map(outcome).collect();
        let mut stacks = BTreeMap::new();
        for (step, &outcome) in self.plan.steps.iter().zip(&outcomes) {
            if let Work::Deploy { .. } = step.work {
                *stacks.entry(outcome).or_default() += 1;
            }
        }
        let exit_code = match self.first_failure {
            Some(_) if self.preflight_only => exit::PREFLIGHT,
            Some(_) => exit::FAILED,
            None if outcomes.contains(&Outcome::Interrupted) => exit::INTERRUPTED,
            None => exit::DONE,
        };
        let duration_s = seconds(self.clock.elapsed());
        self.emit(Fact::RunFinished(RunFinished { stacks, exit_code, duration_s }))?;
        Ok(RunEnd { exit_code, outcomes })
    }

    fn emit(&mut self, fact: Fact) -> io::Result<()> {
        self.seq += 1;
        let (run, at) = (self.options.id.clone(), self.clock.now());
        (self.record)(&Event { schema: SCHEMA, run, seq: self.seq, at, fact })
    }
}

/// Longer than any build may take.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Seconds to the millisecond, which is what events carry.
fn seconds(duration: Duration) -> f64 {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).as_secs_f64()
}

/// A step's task ends by itself or by a bug; a bug in one step must not take the others down.
fn unwrap_task(joined: Result<(Id, Ended), JoinError>) -> (Id, Ended) {
    joined.unwrap_or_else(|error| {
        let cause = Cause {
            at: None,
            message: format!("internal error: {error}"),
            hint: Some("this is a bug in Paceline: please report it with the journal of the run".to_owned()),
            preflight: false,
        };
        (error.id(), Ended::failed(cause))
    })
}

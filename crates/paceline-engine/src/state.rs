//! The state of a run: the state of each step, and the events that report each change.
//!
//! Each step is in one of four states. The columns say what happens to a step in that state. `—` cannot
//! happen. A row is a method, here or in `halt`, `release` and `pause`.
//!
//! | what happens | `Waiting` | `Ready` | `Running` | `Ended` |
//! |---|---|---|---|---|
//! | `met`: one of its needs is met | `missing` − 1; at 0 `Ready` | — | stays | stays |
//! | `unmet`: one of its needs is missing again | `missing` + 1 | `Waiting`, held | stays, is warned once | stays, is warned once |
//! | `start_next`: the limit allows it, and its remaining path is the longest | — | `Running` | — | — |
//! | `reported`: its performer sends a report | — | — | stays | ignored |
//! | `pause`: it waits for other steps | — | — | stays, does not count against its limit | — |
//! | `ended`: its performer has ended | — | — | `Ended` with that outcome | — |
//! | `skip_dependents`: a step that it needs has failed | `Ended`, skipped | `Ended`, skipped | stays, is warned once | stays, is warned once |
//! | `finish`: no step runs, and no more steps start | `Ended`, skipped or interrupted | the same | — | stays |
//!
//! The end of a step decides about the steps that need it:
//!
//! | outcome | what follows |
//! |---|---|
//! | deployed, deleted, unchanged, prepared | `release`: each of them is `met` |
//! | failed, rolled back | `halt_after` unless the policy is to go on, then `skip_dependents` |
//! | interrupted | `lost`: the steps that became ready early because of it are `unmet` |
//!
//! Once the run halts (`interrupt`, `halt_after`), `start_next` starts nothing more. Every change is recorded
//! as an event before anything else happens.

mod halt;
mod pause;
mod release;
mod sleep;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use paceline_plan::graph::Graph;
use paceline_plan::{Plan, Work};
use tokio::time::Instant;

use self::halt::Halt;
use crate::ExitCode;
use crate::any_change::AnyChange;
use crate::describe::{reference, run_started};
use crate::early_needs::EarlyNeeds;
use crate::event::{Cause, Event, Fact, Outcome, RunFinished, SCHEMA, StepFinished, StepRef, seconds};
use crate::known_bugs::{KnownBug, is_on};
use crate::options::{RunEnd, RunOptions};
use crate::perform::{Clock, Ended, Report, Room};
use crate::ready_queue::ReadyQueue;

use self::pause::Paused;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepState {
    /// This many needs of the step are missing. A need is a whole step, or resources of a stack.
    Waiting { missing: usize },
    /// The step can start as soon as the limit allows.
    Ready { since: Instant },
    /// The step is running. `queued` is the time for which it was ready before it started.
    Running { since: Instant, queued: Duration },
    /// The step has ended.
    Ended(Outcome),
}

/// The state of a run.
pub(crate) struct State<'a> {
    plan: Arc<Plan>,
    graph: Arc<Graph>,
    options: RunOptions,
    record: &'a mut (dyn FnMut(&Event) -> io::Result<()> + Send),
    seq: u64,
    clock: Clock,
    last_event: Instant,
    references: Vec<Arc<StepRef>>,
    steps: Vec<StepState>,
    /// The resources that steps still wait for, for needs that end early.
    early: EarlyNeeds,
    /// The warnings that were given to steps, by the step that was warned. A warning names a needed step that
    /// failed after the start of the warned step, and what happened to the needed step.
    warned: BTreeMap<usize, Vec<(usize, String)>>,
    /// The expected time of each step and of the longest chain after it.
    remaining: Vec<Duration>,
    ready: ReadyQueue,
    /// The running steps that wait until other steps have ended.
    paused: BTreeMap<usize, Paused>,
    halt: Option<Halt>,
    /// The ids of the stacks that AWS works on, by the running step.
    in_aws: BTreeMap<usize, String>,
    /// The titles of the stacks that a sleeping run waits for.
    waits_for: Vec<String>,
    failures: usize,
    /// The number of failures that came before anything was changed.
    preflight_failures: usize,
    touched: AnyChange,
    /// True for the steps that this part of the run changes itself, and for the steps that follow such a
    /// step.
    changed_now: Vec<bool>,
}

impl<'a> State<'a> {
    pub(crate) fn new(
        plan: Arc<Plan>,
        options: RunOptions,
        record: &'a mut (dyn FnMut(&Event) -> io::Result<()> + Send),
    ) -> Self {
        let graph = plan.step_graph();
        // The plan lists its steps in an order that respects their needs.
        let order: Vec<usize> = (0..graph.len()).collect();
        let expected: Vec<Duration> = plan.steps.iter().map(|step| step.expected).collect();
        let remaining = graph.remaining(&order, &expected);
        let touched = options.earlier.as_ref().is_some_and(|earlier| earlier.touched);
        let missing = |&index: &usize| StepState::Waiting { missing: graph.needs(index).len() };
        Self {
            references: order.iter().map(|&index| Arc::new(reference(&plan, index))).collect(),
            steps: order.iter().map(missing).collect(),
            early: EarlyNeeds::new(&plan),
            warned: BTreeMap::new(),
            remaining,
            ready: ReadyQueue::new(plan.concurrency),
            paused: BTreeMap::new(),
            seq: options.earlier.as_ref().map_or(0, |earlier| earlier.seq),
            clock: Clock::starting(options.now),
            last_event: Instant::now(),
            graph: Arc::new(graph),
            plan,
            options,
            record,
            halt: None,
            in_aws: BTreeMap::new(),
            waits_for: Vec::new(),
            failures: 0,
            preflight_failures: 0,
            touched: AnyChange::new(touched),
            changed_now: vec![false; order.len()],
        }
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn reference(&self, index: usize) -> Arc<StepRef> {
        Arc::clone(&self.references[index])
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns whether this run had done a step, or sent its operation, before it was interrupted. The
    /// earlier work does not count if the step has changed since.
    fn is_of_earlier(&self, index: usize) -> bool {
        let step = &self.plan.steps[index];
        let earlier = self.options.earlier.as_ref().and_then(|earlier| earlier.done.get(&step.id));
        let is_the_same = |then: &Option<String>| {
            then.as_ref().is_none_or(|identity| *identity == self.plan.identity(step))
        };
        earlier.is_some_and(is_the_same)
    }

    /// Returns whether the run can rely on the earlier work of a step: no step that it follows is done again now.
    pub(crate) fn was_done_earlier(&self, index: usize) -> bool {
        let step = &self.plan.steps[index];
        self.is_of_earlier(index) && !step.needs.iter().any(|&need| self.changed_now[need])
    }

    /// Returns whether this part of the run changes a step, or a step that it follows. The steps after it
    /// must then not rely on their own work from before the interruption.
    fn is_changed_now(&self, index: usize, outcome: Outcome, resumed: bool) -> bool {
        let step = &self.plan.steps[index];
        let has_run = matches!(step.work, Work::Command(_)) && outcome == Outcome::Deployed && !resumed;
        // AWS may have found that the operation changes nothing.
        let has_sent = self.changed_now[index] && outcome != Outcome::Unchanged && !resumed;
        has_sent || has_run || step.needs.iter().any(|&need| self.changed_now[need])
    }

    /// Returns whether every need of a step has ended as unchanged.
    pub(crate) fn needs_are_unchanged(&self, index: usize) -> bool {
        let unchanged = |&need: &usize| matches!(self.steps[need], StepState::Ended(Outcome::Unchanged));
        self.graph.needs(index).iter().all(unchanged)
    }

    /// Starts the run. Steps without needs are ready at once.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        self.emit(Fact::RunStarted(run_started(&self.plan, &self.options)))?;
        for approval in std::mem::take(&mut self.options.approvals) {
            self.emit(Fact::RunApproved(approval))?;
        }
        if let Some(build) = self.options.build.take() {
            self.emit(Fact::BuildPhases(build))?;
        }
        for index in 0..self.steps.len() {
            if self.graph.needs(index).is_empty() {
                self.becomes_ready(index)?;
            }
        }
        Ok(())
    }

    /// Starts the next step, if one may start now.
    pub(crate) fn start_next(&mut self) -> io::Result<Option<usize>> {
        if self.halt.is_some() {
            return Ok(None);
        }
        let Some(index) = self.ready.pop() else { return Ok(None) };
        let now = Instant::now();
        let queued = match self.steps[index] {
            StepState::Ready { since } => now - since,
            _ => Duration::ZERO,
        };
        self.steps[index] = StepState::Running { since: now, queued };
        self.emit(Fact::StepStarted(StepRef::clone(&self.references[index])))?;
        Ok(Some(index))
    }

    /// Applies a report of a running step. A task that a step leaves behind may send reports after the end of
    /// the step. Those are ignored.
    pub(crate) fn reported(&mut self, report: Report) -> io::Result<()> {
        let Report { step, facts, recorded, room, pause } = report;
        if !matches!(self.steps[step], StepState::Running { .. }) {
            return Ok(());
        }
        match room {
            Some(Room::Left) => self.ready.leaves(&self.plan.steps[step], step),
            Some(Room::Taken) => self.ready.returns(&self.plan.steps[step], step),
            None => {}
        }
        for fact in &facts {
            self.touched.hears(&self.references[step].step, fact);
            self.changed_now[step] |=
                matches!(fact, Fact::StackSubmitted(submitted) if !submitted.operation.only_prepares());
        }
        self.follow(step, &facts);
        self.hear(step, facts)?;
        if let Some(recorded) = recorded {
            // The step may have been dropped before this answer.
            let _ = recorded.send(());
        }
        match pause {
            Some(pause) => self.pause(step, pause),
            None => Ok(()),
        }
    }

    /// Applies the end of a running step.
    pub(crate) fn ended(&mut self, index: usize, ended: Ended) -> io::Result<()> {
        let (duration, queued) = match self.steps[index] {
            StepState::Running { since, queued } => (since.elapsed(), queued),
            _ => Default::default(),
        };
        self.ready.ended(&self.plan.steps[index], index);
        // The step may have been dropped in the middle of its pause.
        self.paused.remove(&index);
        self.in_aws.remove(&index);
        let Ended { mut outcome, mut cause, detail, outputs } = ended;
        // A step that was started cannot be skipped. It has not done the work that other steps rely on, so it
        // has failed.
        if outcome == Outcome::Skipped {
            outcome = Outcome::Failed;
        }
        // The resumed run found the work that this run did before the interruption. Steps before it may have changed since
        // without a consequence for it.
        let resumed = outcome == Outcome::Unchanged && self.is_of_earlier(index) && !self.plan.prepares;
        if resumed {
            let deletes = matches!(self.plan.steps[index].work, Work::Delete { .. });
            outcome = if deletes { Outcome::Deleted } else { Outcome::Deployed };
        }
        self.changed_now[index] = self.is_changed_now(index, outcome, resumed);
        if matches!(outcome, Outcome::Failed | Outcome::RolledBack) {
            let cause = cause.get_or_insert_with(unexplained);
            self.failures += 1;
            self.preflight_failures += usize::from(cause.preflight);
            if let Some(hint) = self.hint_of_producer(index) {
                cause.hint = Some(hint);
            }
        }
        self.touched.ended(&self.references[index], outcome, cause.as_ref());
        self.finished(
            index,
            StepFinished {
                outcome,
                cause,
                detail,
                duration_s: seconds(duration),
                queued_s: seconds(queued),
                resumed,
                outputs,
                ..self.without_work(index, outcome)
            },
        )?;
        match outcome {
            Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged | Outcome::Prepared => {
                self.release(index)
            }
            Outcome::RolledBack if is_on(KnownBug::ReleaseOnRollback) => self.release(index),
            Outcome::Failed | Outcome::RolledBack | Outcome::Skipped => {
                self.halt_after(index)?;
                self.skip_dependents(index)
            }
            Outcome::Interrupted => self.lost(index),
        }
    }

    /// Ends the run when no step runs and no more steps will start. First ends the steps that never started.
    pub(crate) fn finish(mut self) -> io::Result<RunEnd> {
        for index in 0..self.steps.len() {
            if let StepState::Ended(_) = self.steps[index] {
                continue;
            }
            let never = match self.halt {
                Some(Halt::Failed(failed)) => self.skipped(index, failed),
                Some(Halt::Interrupted) | None => self.without_work(index, Outcome::Interrupted),
            };
            self.finished(index, never)?;
        }
        let outcome = |step: &StepState| match step {
            StepState::Ended(outcome) => *outcome,
            _ => Outcome::Interrupted,
        };
        let outcomes: Vec<Outcome> = self.steps.iter().map(outcome).collect();
        let mut stacks = BTreeMap::new();
        for (step, &outcome) in self.plan.steps.iter().zip(&outcomes) {
            if step.work.changes().is_some() {
                *stacks.entry(outcome).or_default() += 1;
            }
        }
        let exit_code = if self.failures > 0 {
            // A permission that is missing after the run has changed something is an ordinary failure.
            let is_refused = self.failures == self.preflight_failures && !self.touched.any();
            if is_refused { ExitCode::Refused } else { ExitCode::Failed }
        } else if outcomes.contains(&Outcome::Interrupted) {
            ExitCode::Interrupted
        } else {
            ExitCode::Done
        };
        let duration_s = seconds(self.clock.elapsed());
        let waits_for = self.sleeps_for(exit_code);
        let sleeps = !waits_for.is_empty();
        self.emit(Fact::RunFinished(RunFinished { stacks, exit_code, duration_s, waits_for }))?;
        Ok(RunEnd { exit_code, outcomes, sleeps })
    }

    /// Records how often AWS asked for fewer calls.
    pub(crate) fn throttled(&mut self, operations: BTreeMap<String, u64>) -> io::Result<()> {
        if operations.is_empty() { Ok(()) } else { self.emit(Fact::CallsThrottled { operations }) }
    }

    fn becomes_ready(&mut self, index: usize) -> io::Result<()> {
        self.steps[index] = StepState::Ready { since: Instant::now() };
        self.ready.push(&self.plan.steps[index], index, self.remaining[index]);
        self.emit(Fact::StepReady(StepRef::clone(&self.references[index])))
    }

    /// The end of a step that was not performed.
    fn without_work(&self, index: usize, outcome: Outcome) -> StepFinished {
        StepFinished {
            step: StepRef::clone(&self.references[index]),
            outcome,
            cause: None,
            because: None,
            detail: None,
            duration_s: 0.0,
            queued_s: 0.0,
            resumed: false,
            outputs: BTreeMap::new(),
        }
    }

    fn finished(&mut self, index: usize, finished: StepFinished) -> io::Result<()> {
        self.steps[index] = StepState::Ended(finished.outcome);
        let is_success = finished.outcome.is_success();
        self.emit(Fact::StepFinished(finished))?;
        self.end_pauses_for(index, is_success);
        Ok(())
    }

    /// The time of the last event.
    pub(crate) fn last_event(&self) -> Instant {
        self.last_event
    }

    /// Records that nothing has happened for a while.
    pub(crate) fn waiting(&mut self, running: usize) -> io::Result<()> {
        self.emit(Fact::RunWaiting { running })
    }

    /// Everything that anybody hears of the run goes through here, so secrets are taken out here.
    fn emit(&mut self, mut fact: Fact) -> io::Result<()> {
        fact.redact();
        self.seq += 1;
        self.last_event = Instant::now();
        let (run, at) = (self.options.id.clone(), self.clock.now());
        (self.record)(&Event { schema: SCHEMA, run, seq: self.seq, at, fact })
    }
}

/// The cause of a failure whose performer gave none. Every failure has a cause in the events.
fn unexplained() -> Cause {
    Cause { at: None, message: "no reason was given".to_owned(), hint: None, preflight: false, source: None }
}

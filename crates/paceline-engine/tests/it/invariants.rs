//! Checks that hold for every run, for all plans and all outcomes of steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::Timestamp;
use paceline_config::FailurePolicy;
use paceline_engine::{ExitCode, Fact, Outcome, StepKind};
use paceline_plan::{Plan, StepOperation, Work};

use crate::script::Ran;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Waiting,
    Ready,
    Running,
    Ended(Outcome),
}

/// The name of the limit of a step, and the limit itself.
fn lane(plan: &Plan, step: usize) -> (&'static str, usize) {
    match &plan.steps[step].work {
        Work::Deploy { .. } | Work::Delete { .. } => ("stacks", plan.concurrency.stacks.get()),
        Work::Publish(publish) if publish.image => ("images", plan.concurrency.images.get()),
        Work::Publish(_) => ("assets", plan.concurrency.assets.get()),
        Work::Gate { .. } | Work::Command(_) | Work::Prewarm(_) | Work::Synthesize(_) => {
            ("gates and scripts", usize::MAX)
        }
    }
}

/// The expected time of each step plus that of the longest chain after it.
fn remaining(plan: &Plan) -> Vec<Duration> {
    let mut after = vec![Duration::ZERO; plan.steps.len()];
    let mut remaining = after.clone();
    for (index, step) in plan.steps.iter().enumerate().rev() {
        remaining[index] = step.expected + after[index];
        for &need in &step.needs {
            after[need] = after[need].max(remaining[index]);
        }
    }
    remaining
}

/// Checks a run whose first event follows `earlier` other events.
pub(crate) fn check(ran: &Ran, earlier: u64) {
    let mut watch = Watch::new(&ran.plan, ran.events[0].at);
    for (number, event) in ran.events.iter().enumerate() {
        assert_eq!((event.schema, event.run.as_str()), (1, "test"));
        assert_eq!(event.seq, earlier + 1 + number as u64, "sequence numbers have a gap");
        if event.at > watch.now {
            watch.time_passes();
        }
        assert!(event.at >= watch.now, "time goes back");
        watch.now = event.at;
        let is_first = number == 0;
        let is_last = number + 1 == ran.events.len();
        assert_eq!(is_first, matches!(event.fact, Fact::RunStarted(_)));
        assert_eq!(is_last, matches!(event.fact, Fact::RunFinished(_)));
        watch.hears(&event.fact);
    }
    let outcomes: Vec<Outcome> = watch.seen.iter().map(|seen| ended(*seen)).collect();
    assert_eq!(ran.end.outcomes, outcomes);
    watch.check_end(ran);
}

fn ended(seen: Seen) -> Outcome {
    match seen {
        Seen::Ended(outcome) => outcome,
        other => panic!("a step never ended: {other:?}"),
    }
}

struct Watch<'a> {
    plan: &'a Plan,
    index: HashMap<&'a str, usize>,
    remaining: Vec<Duration>,
    seen: Vec<Seen>,
    ended_at: Vec<Timestamp>,
    /// The complete resources by step and logical id, with the time since which they are complete.
    complete: HashMap<(usize, String), Timestamp>,
    /// The running steps that go wrong. A step is removed when another operation begins.
    troubled: BTreeSet<usize>,
    /// The time at which a step last stopped going wrong, by step.
    recovered: HashMap<usize, Timestamp>,
    started: BTreeSet<usize>,
    /// The steps that have waited for others while they were running. No event shows whether they count
    /// against the limit again.
    paused: BTreeSet<usize>,
    failed: Vec<usize>,
    preflight: usize,
    touched: bool,
    may_be_touched: bool,
    halted: bool,
    ready_at: Vec<Timestamp>,
    now: Timestamp,
}

impl<'a> Watch<'a> {
    fn new(plan: &'a Plan, now: Timestamp) -> Self {
        let len = plan.steps.len();
        Self {
            plan,
            index: plan.steps.iter().enumerate().map(|(index, step)| (step.id.as_str(), index)).collect(),
            remaining: remaining(plan),
            seen: vec![Seen::Waiting; len],
            ended_at: vec![now; len],
            complete: HashMap::new(),
            troubled: BTreeSet::new(),
            recovered: HashMap::new(),
            started: BTreeSet::new(),
            paused: BTreeSet::new(),
            failed: Vec::new(),
            preflight: 0,
            touched: false,
            may_be_touched: false,
            halted: false,
            ready_at: vec![now; len],
            now,
        }
    }

    fn of_lane(&self, name: &str, seen: Seen) -> impl Iterator<Item = usize> {
        let of_lane = |step: &usize| {
            self.seen[*step] == seen && lane(self.plan, *step).0 == name && !self.paused.contains(step)
        };
        (0..self.seen.len()).filter(of_lane).collect::<Vec<_>>().into_iter()
    }

    /// Checks that no step waits that could start within the limits.
    fn time_passes(&self) {
        for step in (0..self.seen.len()).filter(|&step| self.seen[step] == Seen::Ready && !self.halted) {
            let (name, limit) = lane(self.plan, step);
            let running = self.of_lane(name, Seen::Running).count();
            let has_room = limit > running + self.paused.len();
            assert!(
                running <= limit && !(has_room && self.knows_resources() && self.next(name) == Some(step)),
                "{} waits for no reason",
                self.plan.steps[step].id
            );
        }
    }

    /// Whether the resources that count are known. No event shows whether those of a paused step count again, which only
    /// matters if there is a limit for them.
    fn knows_resources(&self) -> bool {
        self.paused.is_empty() || self.plan.concurrency.resources.is_none()
    }

    /// The resources that count while a step runs.
    fn resources(&self, step: usize) -> usize {
        let stack = self.plan.steps[step].work.changes().map(|stack| &self.plan.stacks[stack]);
        let stack = stack.filter(|it| it.operation != StepOperation::Unchanged && !self.plan.prepares);
        stack.map_or(0, |stack| stack.resources)
    }

    fn region(&self, step: usize) -> Option<&String> {
        self.plan.stack_of(&self.plan.steps[step]).region.as_ref()
    }

    /// The step of a lane that starts next if the lane has room: the most critical one for whose resources there is
    /// room in its region. No stack overtakes a more critical one of its region.
    fn next(&self, name: &str) -> Option<usize> {
        let mut ready: Vec<usize> = self.of_lane(name, Seen::Ready).collect();
        ready.sort_by_key(|&step| (std::cmp::Reverse(self.remaining[step]), step));
        let limit =
            self.plan.concurrency.resources.map_or(paceline_engine::ASSUMED_RESOURCES, NonZeroUsize::get);
        let mut blocked = BTreeSet::new();
        for step in ready {
            let (resources, region) = (self.resources(step), self.region(step));
            let running = self.of_lane(name, Seen::Running).filter(|&other| self.region(other) == region);
            let sum: usize = running.map(|other| self.resources(other)).sum();
            if resources == 0 || !blocked.contains(&region) && (sum == 0 || sum + resources <= limit) {
                return Some(step);
            }
            blocked.insert(region);
        }
        None
    }

    fn hears(&mut self, fact: &Fact) {
        match fact {
            Fact::StepReady(step) => {
                let step = self.index[step.step.as_str()];
                assert_eq!(self.seen[step], Seen::Waiting);
                let needs = self.plan.steps[step].needs.iter();
                let met = needs.map(|&need| self.met(step, need).expect("ready before what it needs"));
                let all = self.plan.step_graph().all_needs(step);
                let recovered = self.recovered.iter().filter(|(need, _)| all[**need]).map(|(_, at)| *at);
                assert!(
                    !self.troubled.iter().any(|&need| all[need]),
                    "ready though what it needs goes wrong"
                );
                if let Some(last) = met.max().max(recovered.max()) {
                    assert_eq!(last, self.now, "not ready as soon as it could be");
                }
                self.seen[step] = Seen::Ready;
                self.ready_at[step] = self.now;
            }
            Fact::StepStarted(started) => {
                let step = self.index[started.step.step.as_str()];
                assert!(!self.halted, "started after a stop");
                assert_eq!(self.seen[step], Seen::Ready);
                self.check_start(step);
                let (name, limit) = lane(self.plan, step);
                assert!(self.of_lane(name, Seen::Running).count() < limit, "too many at once");
                if self.knows_resources() {
                    assert_eq!(self.next(name), Some(step), "not the most critical first");
                }
                let waited: f64 = started.waited.iter().map(|wait| wait.waited_s).sum();
                let since = self.now.duration_since(self.ready_at[step]).as_secs_f64();
                assert!((waited - since).abs() < 0.01, "waited {since} s, of which {waited} s are explained");
                self.seen[step] = Seen::Running;
                self.started.insert(step);
            }
            Fact::StepHeld(held) => {
                let step = self.index[held.step.step.as_str()];
                assert_eq!(self.seen[step], Seen::Ready);
                assert!(self.plan.step_graph().all_needs(step)[self.index[held.because.as_str()]]);
                self.seen[step] = Seen::Waiting;
            }
            Fact::StepFinished(finished) => {
                let step = self.index[finished.step.step.as_str()];
                let before = std::mem::replace(&mut self.seen[step], Seen::Ended(finished.outcome));
                self.ended_at[step] = self.now;
                if self.troubled.remove(&step) && finished.outcome.is_success() {
                    self.recovered.insert(step, self.now);
                }
                let is_failure = matches!(finished.outcome, Outcome::Failed | Outcome::RolledBack);
                if is_failure {
                    self.failed.push(step);
                    self.preflight += usize::from(finished.cause.as_ref().unwrap().preflight);
                }
                let has_run = before == Seen::Running && finished.step.kind == StepKind::Command;
                self.touched |= match finished.outcome {
                    Outcome::Deployed | Outcome::Deleted | Outcome::RolledBack | Outcome::Prepared => {
                        finished.step.kind != StepKind::Gate
                    }
                    Outcome::Failed | Outcome::Interrupted => has_run,
                    Outcome::Unchanged | Outcome::Skipped => false,
                };
                match before {
                    Seen::Running => assert_ne!(finished.outcome, Outcome::Skipped),
                    Seen::Waiting | Seen::Ready => {
                        assert!(matches!(finished.outcome, Outcome::Skipped | Outcome::Interrupted));
                    }
                    Seen::Ended(_) => panic!("{} ended twice", finished.step.step),
                }
                assert_eq!(finished.because.is_some(), finished.outcome == Outcome::Skipped);
                if let Some(because) = &finished.because {
                    self.check_skipped(step, self.index[because.as_str()]);
                }
            }
            Fact::StepRetried(retried) if !retried.after.is_empty() => {
                let step = self.index[retried.step.step.as_str()];
                assert_eq!(self.seen[step], Seen::Running);
                self.paused.insert(step);
            }
            Fact::RunStopping { .. } => self.halted = true,
            Fact::RunStarted(started) => self.may_be_touched = started.resumed,
            Fact::StackProgress(progress) => {
                let step = self.index[progress.step.step.as_str()];
                assert_eq!(self.seen[step], Seen::Running);
                let is_of_stack = progress.resource_type == "AWS::CloudFormation::Stack";
                let status = progress.status.as_str();
                if is_of_stack && status.starts_with("DELETE")
                    || status.contains("ROLLBACK")
                    || status.ends_with("_FAILED") && status != "DELETE_FAILED"
                {
                    self.goes_wrong(step);
                } else if ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status)
                    && !progress.unconfirmed
                    && !self.troubled.contains(&step)
                {
                    self.complete.entry((step, progress.logical_id.clone())).or_insert(self.now);
                }
            }
            Fact::StackSubmitted(submitted) => {
                let step = self.index[submitted.step.step.as_str()];
                assert_eq!(self.seen[step], Seen::Running);
                self.may_be_touched = true;
                match submitted.operation.as_str() {
                    "create" | "update" => {
                        self.complete.retain(|(of, _), _| *of != step);
                        if self.troubled.remove(&step) {
                            self.recovered.insert(step, self.now);
                        }
                    }
                    "create-change-set" => {}
                    _ => self.goes_wrong(step),
                }
            }
            // A step that has ended may also rely on resources that are taken back.
            Fact::StepWarned(warned) => {
                assert!(self.started.contains(&self.index[warned.step.step.as_str()]));
            }
            _ => {
                // A step sends reports only while it runs.
                let running = |step: &str| self.seen[self.index[step]] == Seen::Running;
                assert!(fact.step().is_none_or(|step| running(&step.step)));
            }
        }
    }

    fn goes_wrong(&mut self, step: usize) {
        self.complete.retain(|(of, _), _| *of != step);
        // The trouble matters only to steps that may have started.
        let is_awaited =
            self.plan.steps.iter().any(|it| it.early_needs.iter().any(|early| early.need == step));
        if is_awaited {
            self.troubled.insert(step);
        }
    }

    /// Checks that no step starts after a step that it needs has failed, or while that step goes wrong.
    fn check_start(&self, step: usize) {
        for &need in &self.plan.steps[step].needs {
            assert!(self.met(step, need).is_some(), "started though what it needs is not there any more");
        }
        let all = self.plan.step_graph().all_needs(step);
        for need in (0..all.len()).filter(|&need| all[need]) {
            let has_failed = matches!(self.seen[need], Seen::Ended(outcome) if !outcome.is_success());
            assert!(!has_failed, "started after a failure");
            assert!(!self.troubled.contains(&need), "started while what it needs goes wrong");
        }
    }

    /// The time since which a step has had all that it needs of another step.
    fn met(&self, step: usize, need: usize) -> Option<Timestamp> {
        let early = self.plan.steps[step].early_needs.iter().find(|early| early.need == need);
        let resources = early.and_then(|early| {
            let since = early.resources.iter().map(|id| self.complete.get(&(need, id.clone())).copied());
            since.collect::<Option<Vec<_>>>()?.into_iter().max()
        });
        let whole = match self.seen[need] {
            Seen::Ended(outcome) if outcome.is_success() => Some(self.ended_at[need]),
            _ => None,
        };
        resources.into_iter().chain(whole).min()
    }

    fn check_skipped(&self, step: usize, because: usize) {
        assert!(self.failed.contains(&because), "skipped because of a step that did not fail");
        let depends = self.plan.step_graph().all_needs(step)[because];
        let halts = self.plan.policy != FailurePolicy::SkipDependents && because == self.failed[0];
        assert!(depends || halts, "skipped for no reason");
    }

    fn check_end(&self, ran: &Ran) {
        let outcomes = &ran.end.outcomes;
        let Some(Fact::RunFinished(finished)) = ran.events.last().map(|event| &event.fact) else {
            panic!("the last event is not the end");
        };
        let mut stacks = BTreeMap::new();
        for (step, outcome) in self.plan.steps.iter().zip(outcomes) {
            if step.work.changes().is_some() {
                *stacks.entry(*outcome).or_default() += 1;
            }
        }
        assert_eq!(finished.stacks, stacks);
        let expected = match self.failed.len() {
            0 if outcomes.contains(&Outcome::Interrupted) => ExitCode::Interrupted,
            0 => ExitCode::Done,
            // Other tests check whether a sent call was accepted, and the changes of an earlier part of the
            // run.
            all if all == self.preflight && self.may_be_touched && !self.touched => {
                assert!(matches!(finished.exit_code, ExitCode::Refused | ExitCode::Failed));
                finished.exit_code
            }
            all if all == self.preflight && !self.touched => ExitCode::Refused,
            _ => ExitCode::Failed,
        };
        assert_eq!((finished.exit_code, ran.end.exit_code), (expected, expected));
        // A failure skips its dependents and nothing else.
        let graph = self.plan.step_graph();
        for (step, &outcome) in outcomes.iter().enumerate() {
            let needs = graph.all_needs(step);
            // A step that started before the failure continues.
            let is_doomed = !self.started.contains(&step) && self.failed.iter().any(|&failed| needs[failed]);
            assert!(!is_doomed || outcome == Outcome::Skipped, "{step} was not skipped");
            if !self.halted {
                assert_eq!(is_doomed, outcome == Outcome::Skipped);
            }
        }
    }
}

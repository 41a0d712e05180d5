//! Applies each event to the record.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Event, Fact, Outcome, RunStarted, StackProgress, StepFinished, StepRef};
use paceline_text::one_line;

use super::waits::InProgress;
use super::{KeptResources, Part, Record, Resource, ResourceSpan, Retry, Span, StepRecord};
use crate::figures::seconds;

/// How many of a stack's slowest resources are kept.
const SLOWEST: usize = 5;
/// What is said of a step of an earlier part that the continued run does not have.
const GONE: &str = "the continued run leaves it alone: it is no longer in the plan";

impl Record {
    /// Applies the next event. Events of another run are ignored.
    pub fn apply(&mut self, event: &Event) {
        if self.run.is_empty() {
            self.run.clone_from(&event.run);
        } else if self.run != event.run {
            return;
        }
        let starts_part = matches!(event.fact, Fact::RunStarted(_));
        if starts_part || self.parts.is_empty() {
            self.start_part(event.at);
        }
        self.elapsed = self.elapsed.max(self.clock(event.at));
        let now = self.clock(event.at);
        self.at = self.at.max(Some(event.at));
        match &event.fact {
            Fact::RunStarted(run) => self.run_started(run),
            Fact::RunApproved(approved) => self.approvals.push(approved.clone()),
            Fact::BuildPhases(build) => self.build = Some(build.clone()),
            Fact::StepReady(step) => {
                let step = self.entry(step);
                step.clear_outcome();
                step.ready = Some(now);
            }
            Fact::StepHeld(held) => self.entry(&held.step).ready = None,
            Fact::StepStarted(step) => self.entry(step).start(now),
            Fact::StackSubmitted(submitted) => self.entry(&submitted.step).submitted(submitted),
            Fact::StackAccepted(accepted) => self.entry(&accepted.step).accepted(accepted),
            Fact::StackProgress(progress) => {
                // CloudFormation's clock may be ahead of this machine's.
                let happened = self.clock(progress.happened_at).min(now);
                let step = self.entry(&progress.step);
                step.progress(progress);
                step.resource(progress, happened);
            }
            Fact::StepRetried(retried) => {
                let retry = Retry {
                    at: now,
                    reason: one_line(&retried.reason),
                    attempt: retried.attempt,
                    wait: seconds(retried.wait_s),
                    kept: retried.kept.as_ref().map(|kept| KeptResources {
                        resources: kept.resources,
                        of: kept.of,
                        saved: seconds(kept.saved_s),
                    }),
                };
                let step = self.entry(&retried.step);
                step.unanswered = Some(retry.clone());
                step.retries.push(retry);
            }
            Fact::StepWarned(warned) => {
                self.entry(&warned.step).warnings.push(one_line(&warned.message));
            }
            Fact::CommandOutput(_) | Fact::RunWaiting { .. } | Fact::CallsThrottled { .. } => {}
            Fact::StepFinished(finished) => self.entry(&finished.step).finish(finished, now),
            Fact::RunStopping { reason } => self.stopping = Some(one_line(reason)),
            Fact::RunFinished(finished) => {
                self.exit_code = Some(finished.exit_code);
                self.waits_for = finished.waits_for.iter().map(|stack| one_line(stack)).collect();
            }
        }
    }

    /// Converts a calendar time of the current part to the run's clock. If the system clock was set back, the run's clock
    /// stands still.
    pub(crate) fn clock(&self, at: Timestamp) -> Duration {
        self.parts.last().map_or(Duration::ZERO, |part| part.started + since(part.started_at, at))
    }

    fn start_part(&mut self, at: Timestamp) {
        let pause = self.parts.last().map_or(Duration::ZERO, |last| {
            since(last.started_at, at).saturating_sub(self.elapsed.saturating_sub(last.started))
        });
        self.parts.push(Part { started_at: at, started: self.elapsed, pause });
        self.stopping = None;
        self.waits_for.clear();
        self.exit_code = None;
        for step in &mut self.steps {
            step.running = false;
            // CloudFormation continued while the run's clock stood still.
            step.in_progress.clear();
        }
    }

    fn run_started(&mut self, run: &RunStarted) {
        self.paceline.clone_from(&run.paceline);
        self.app.clone_from(&run.app);
        self.strategy = run.strategy.to_string();
        self.simulated = run.simulated;
        self.undoes.clone_from(&run.undoes);
        self.prepares = run.prepares;
        self.endpoint.clone_from(&run.endpoint);
        self.planned_phases =
            run.phases.iter().map(|phase| (phase.name.clone(), phase.stacks.clone())).collect();
        self.leave_out_gone(run);
        for planned in &run.steps {
            let step = self.entry(&planned.step);
            step.needs.clone_from(&planned.needs);
            step.expected = seconds(planned.expected_s);
        }
    }

    /// A run may be continued with an app that has changed. Steps that are in the plan no more are left alone: those that
    /// never started are forgotten, and of the others stays what they did.
    fn leave_out_gone(&mut self, run: &RunStarted) {
        if !run.resumed || run.steps.is_empty() {
            return;
        }
        let planned: BTreeSet<&str> = run.steps.iter().map(|planned| planned.step.step.as_str()).collect();
        let is_gone = |step: &StepRecord| !planned.contains(step.step.step.as_str());
        self.steps.retain(|step| !is_gone(step) || !step.spans.is_empty());
        for step in self.steps.iter_mut().filter(|step| step.step.is_of_stack() && is_gone(step)) {
            step.outcome.get_or_insert(Outcome::Interrupted);
            step.detail = Some(GONE.to_owned());
        }
        self.index = self.steps.iter().enumerate().map(|(i, step)| (step.step.step.clone(), i)).collect();
    }

    fn entry(&mut self, step: &StepRef) -> &mut StepRecord {
        let next = self.steps.len();
        let i = *self.index.entry(step.step.clone()).or_insert(next);
        if i == next {
            self.steps.push(StepRecord::new(step.clone()));
        }
        &mut self.steps[i]
    }
}

impl StepRecord {
    fn new(step: StepRef) -> Self {
        Self {
            step,
            needs: Vec::new(),
            expected: Duration::ZERO,
            spans: Vec::new(),
            running: false,
            outcome: None,
            cause: None,
            because: None,
            detail: None,
            resumed: false,
            retries: Vec::new(),
            warnings: Vec::new(),
            done: 0,
            total: 0,
            operation: None,
            stack_arn: None,
            in_aws: None,
            slowest: Vec::new(),
            resources: Vec::new(),
            failing: None,
            reported_duration: Duration::ZERO,
            ready: None,
            in_progress: std::collections::BTreeMap::new(),
            unanswered: None,
        }
    }

    /// Clears the outcome of an earlier attempt.
    fn clear_outcome(&mut self) {
        self.outcome = None;
        self.cause = None;
        self.because = None;
        self.detail = None;
        self.failing = None;
    }

    fn start(&mut self, now: Duration) {
        self.clear_outcome();
        self.running = true;
        match self.spans.last_mut() {
            // The operation continued in CloudFormation while the run was interrupted.
            Some(Span { finished: None, .. }) => {}
            Some(span) if span.outcome == Some(Outcome::Interrupted) => {
                span.finished = None;
                span.outcome = None;
            }
            _ => {
                let ready = self.ready.take();
                self.spans.push(Span { ready, started: now, finished: None, outcome: None });
            }
        }
    }

    fn finish(&mut self, finished: &StepFinished, now: Duration) {
        self.unanswered = None;
        // The resources of an interrupted step are still in progress.
        if finished.outcome != Outcome::Interrupted {
            self.in_progress.clear();
        }
        self.leaves(finished);
        self.reported_duration = seconds(finished.duration_s);
        self.outcome = Some(finished.outcome);
        self.cause.clone_from(&finished.cause);
        self.because.clone_from(&finished.because);
        self.running = false;
        if finished.detail.is_some() || !finished.resumed {
            self.detail.clone_from(&finished.detail);
        }
        if finished.outcome.is_success() && self.total > 0 {
            self.done = self.total;
        }
        if finished.resumed {
            self.resumed = true;
            if self.looks_again() {
                self.spans.pop();
                return;
            }
        }
        match self.spans.last_mut() {
            Some(span) if span.finished.is_none() => {
                span.finished = Some(now.max(span.started));
                span.outcome = Some(finished.outcome);
            }
            // The step was performed, but the journal has no start.
            _ if !finished.resumed
                && !matches!(finished.outcome, Outcome::Skipped | Outcome::Interrupted) =>
            {
                self.spans.push(Span {
                    ready: self.ready.take(),
                    started: now.saturating_sub(self.reported_duration),
                    finished: Some(now),
                    outcome: Some(finished.outcome),
                });
            }
            _ => {}
        }
    }

    fn progress(&mut self, progress: &StackProgress) {
        self.unanswered = None;
        self.done = progress.done;
        self.total = progress.total;
        if let Some(status) = progress.stack_status() {
            self.turned(status);
            return;
        }
        if let Some(it) = &mut self.in_aws {
            it.accepted = true;
        }
        if progress.status.is_in_progress() {
            let it = InProgress::of(progress);
            match self.in_progress.get(&progress.logical_id) {
                Some(before) if before.status == it.status => {}
                _ => drop(self.in_progress.insert(progress.logical_id.clone(), it)),
            }
        } else if let Some(before) = self.in_progress.remove(&progress.logical_id) {
            self.slowest.push(Resource {
                logical_id: one_line(&progress.logical_id),
                resource_type: one_line(&progress.resource_type),
                took: since(before.since, progress.happened_at),
            });
            self.slowest.sort_by(|a, b| b.took.cmp(&a.took).then_with(|| a.logical_id.cmp(&b.logical_id)));
            self.slowest.truncate(SLOWEST);
        }
        if self.failing.is_none() && progress.status.failed_by_itself(progress.reason.as_deref()) {
            let reason = progress.reason.as_deref().map(one_line).unwrap_or_default();
            self.failing = Some(format!(
                "{} ({}): {reason}",
                one_line(&progress.logical_id),
                one_line(&progress.resource_type)
            ));
        }
    }
}

impl StepRecord {
    /// Notes the start or the end of an operation on a resource.
    fn resource(&mut self, progress: &StackProgress, at: Duration) {
        if progress.stack_status().is_some() {
            return;
        }
        let (id, status) = (one_line(&progress.logical_id), progress.status.clone());
        // Few resources are in progress at the same time, so an open operation is near the end of the list.
        let last = self.resources.iter_mut().rev().find(|resource| resource.logical_id == id);
        match last.filter(|resource| resource.finished.is_none()) {
            Some(open) if status == open.status => {}
            Some(open) if !status.is_in_progress() => {
                open.finished = Some(at.max(open.started));
                open.status = status;
            }
            open => {
                // The end of the operation before was not reported.
                if let Some(before) = open {
                    before.finished = Some(at.max(before.started));
                }
                if status.is_in_progress() {
                    self.resources.push(ResourceSpan {
                        logical_id: id,
                        resource_type: one_line(&progress.resource_type),
                        status,
                        started: at,
                        finished: None,
                    });
                }
            }
        }
    }
}

pub(super) fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

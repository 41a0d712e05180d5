//! Ends the run, and makes what is recorded at the end of a step.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::halt::Halt;
use super::{State, StepState};
use crate::ExitCode;
use crate::event::{Fact, Limit, LimitWait, Outcome, RunFinished, StepFinished, StepRef, seconds};
use crate::options::RunEnd;

impl State<'_> {
    /// Ends the run when no step runs and no more steps will start. First ends the steps that never started.
    pub(crate) fn finish(mut self) -> io::Result<RunEnd> {
        for index in 0..self.steps.len() {
            if let StepState::Ended(_) = self.steps[index] {
                continue;
            }
            let waited = self.ready.remove(&self.plan.steps[index], index);
            let never = match self.halt {
                Some(Halt::Failed(failed)) => self.skipped(index, failed),
                Some(Halt::Interrupted) | None => self.without_work(index, Outcome::Interrupted),
            };
            self.finished(index, StepFinished { waited, ..never })?;
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

    /// The end of a step that was not performed.
    pub(super) fn without_work(&self, index: usize, outcome: Outcome) -> StepFinished {
        StepFinished {
            step: StepRef::clone(&self.references[index]),
            outcome,
            cause: None,
            because: None,
            detail: None,
            duration_s: 0.0,
            queued_s: 0.0,
            waited: Vec::new(),
            resumed: false,
            outputs: BTreeMap::new(),
        }
    }

    /// What a step that has ended had waited for, before its start and after it.
    pub(super) fn waited_of(&mut self, index: usize, duration: Duration) -> Vec<LimitWait> {
        let rate = self.rate_waits.remove(&index).unwrap_or_default().get();
        // Calls of a step can wait at the same time.
        let rate = LimitWait::of(Limit::ApiRate, rate.min(duration));
        LimitWait::sum(self.waited.remove(&index).unwrap_or_default().into_iter().chain(rate))
    }
}

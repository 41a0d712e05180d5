//! Pauses of running steps that find out that other steps must end first.
//!
//! A stack may remove an export that another stack of the same run still imports and is about to stop
//! importing. No file shows this. Only AWS reports it. A paused step does not count against its limit, so
//! that the step it waits for can start. Two steps never wait for each other.

use std::collections::BTreeSet;
use std::io;

use tokio::sync::oneshot;

use super::{State, StepState};
use crate::event::{Fact, RetryClass, StepRef, StepRetried};
use crate::perform::Pause;

/// A running step that continues when other steps have ended.
#[derive(Debug)]
pub(super) struct Paused {
    awaits: BTreeSet<usize>,
    resume: oneshot::Sender<bool>,
}

impl State<'_> {
    /// Handles the request of a running step to wait until other steps have ended. The answer is false if the
    /// wait cannot help: one of the other steps has ended without success, waits for this step, or will not
    /// start any more.
    pub(super) fn pause(&mut self, index: usize, pause: Pause) -> io::Result<()> {
        let Pause { after, reason, attempt, resume } = pause;
        let is_over =
            |step: usize| matches!(self.steps[step], StepState::Ended(outcome) if !outcome.is_success());
        let in_vain =
            |&step: &usize| step >= self.steps.len() || is_over(step) || self.depends_on(step, index);
        if self.halt.is_some() || after.iter().any(in_vain) {
            let _ = resume.send(false);
            return Ok(());
        }
        let awaits: BTreeSet<usize> =
            after.into_iter().filter(|&step| !matches!(self.steps[step], StepState::Ended(_))).collect();
        let names = awaits.iter().map(|&step| self.references[step].step.clone()).collect();
        let step = StepRef::clone(&self.references[index]);
        self.emit(Fact::StepRetried(StepRetried {
            step,
            reason,
            class: Some(RetryClass::OtherSteps),
            attempt,
            wait_s: 0.0,
            refused: false,
            after: names,
            kept: None,
        }))?;
        if awaits.is_empty() {
            let _ = resume.send(true);
            return Ok(());
        }
        self.ready.leaves(&self.plan.steps[index], index);
        self.paused.insert(index, Paused { awaits, resume });
        Ok(())
    }

    /// Ends the pauses of the steps that waited for a step which has ended. They continue before any other
    /// step starts.
    pub(super) fn end_pauses_for(&mut self, ended: usize, is_success: bool) {
        let mut over = Vec::new();
        for (&index, paused) in &mut self.paused {
            if paused.awaits.remove(&ended) && (!is_success || paused.awaits.is_empty()) {
                over.push(index);
            }
        }
        for index in over {
            self.end_pause(index, is_success);
        }
    }

    /// Ends all pauses with the answer false, because no more steps will start.
    pub(super) fn end_all_pauses(&mut self) {
        let paused: Vec<usize> = self.paused.keys().copied().collect();
        for index in paused {
            self.end_pause(index, false);
        }
    }

    fn end_pause(&mut self, index: usize, goes_on: bool) {
        let Some(paused) = self.paused.remove(&index) else { return };
        self.ready.returns(&self.plan.steps[index], index);
        let _ = paused.resume.send(goes_on);
    }

    /// Returns whether a step waits for another one, directly or indirectly, because of the plan or of a
    /// pause.
    fn depends_on(&self, step: usize, other: usize) -> bool {
        let (mut open, mut seen) = (vec![step], BTreeSet::new());
        while let Some(step) = open.pop() {
            if step == other {
                return true;
            }
            if seen.insert(step) {
                open.extend(self.graph.needs(step));
                open.extend(self.paused.get(&step).into_iter().flat_map(|paused| &paused.awaits));
            }
        }
        false
    }
}

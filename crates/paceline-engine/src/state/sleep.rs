//! Decides whether a run may sleep: nothing is left to do but to wait for operations in CloudFormation.
//!
//! A run that sleeps is an interrupted run. The process that it wakes up in continues it like any other.

use std::io;
use std::time::Duration;

use super::{State, StepState};
use crate::ExitCode;
use crate::event::{Fact, StepKind};

impl State<'_> {
    /// The steps whose stacks the run could wait for while it sleeps. `None` if it has something else to do or to wait for,
    /// if a step has failed, or if a stack is probably done soon.
    pub(crate) fn only_waits(&self) -> Option<Vec<usize>> {
        let sleep = self.options.sleep.as_ref()?;
        if self.halt.is_some() || self.failures > 0 || !self.paused.is_empty() {
            return None;
        }
        let mut running = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            match *step {
                StepState::Ready { .. } => return None,
                StepState::Waiting { .. } | StepState::Ended(_) => {}
                StepState::Running { since, .. } => {
                    // The operation may be as old as the run.
                    let began = self.options.earlier.as_ref().and_then(|earlier| earlier.began);
                    let age = began
                        .filter(|_| self.is_of_earlier(index))
                        .and_then(|began| Duration::try_from(self.clock.now().duration_since(began)).ok());
                    let taken = age.unwrap_or_else(|| since.elapsed());
                    let left = self.plan.steps[index].expected.saturating_sub(taken);
                    let stack = self.in_aws.get(&index)?;
                    let is_deployment = self.references[index].kind == StepKind::Deploy;
                    // Its end wakes the run, its resources do not.
                    let is_whole = !self.early.has_missing(index);
                    if !is_deployment || !is_whole || !sleep.hears(stack) || left <= sleep.least {
                        return None;
                    }
                    running.push(index);
                }
            }
        }
        (!running.is_empty()).then_some(running)
    }

    /// Ends the run while these stacks are in progress.
    pub(crate) fn sleep(&mut self, running: &[usize]) -> io::Result<()> {
        self.waits_for = running.iter().map(|&index| self.references[index].title.clone()).collect();
        let stacks = self.waits_for.join(", ");
        self.interrupt(format!("the run sleeps until CloudFormation is done with {stacks}"))
    }

    /// The stacks that the run waits for, if it ends because it sleeps.
    pub(super) fn sleeps_for(&mut self, exit_code: ExitCode) -> Vec<String> {
        let waits_for = std::mem::take(&mut self.waits_for);
        if exit_code == ExitCode::Interrupted { waits_for } else { Vec::new() }
    }

    /// Keeps in mind which stacks AWS works on.
    pub(super) fn follow(&mut self, step: usize, facts: &[Fact]) {
        for fact in facts {
            match fact {
                Fact::StackAccepted(accepted) => drop(self.in_aws.insert(step, accepted.stack_id.clone())),
                // The operation has ended, or another one is about to begin.
                Fact::StackSubmitted(_) | Fact::StepRetried(_) => drop(self.in_aws.remove(&step)),
                _ => {}
            }
        }
    }
}

//! Ends the start of steps: on request, or because a step has failed.

use std::io;

use paceline_config::FailurePolicy;

use super::State;
use crate::event::Fact;

/// The reason why no more steps start. The first reason counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// A stop was requested, or the run is out of time.
    Interrupted,
    /// This step failed, and the policy is to start no more steps then.
    Failed(usize),
}

impl State<'_> {
    /// Stops the run: no more steps start.
    pub(crate) fn interrupt(&mut self, reason: String) -> io::Result<()> {
        self.halt.get_or_insert(Halt::Interrupted);
        self.end_all_pauses();
        self.emit(Fact::RunStopping { reason })
    }

    /// Returns whether the run ends without waiting for its running steps, because one has failed.
    pub(crate) fn fails_fast(&self) -> bool {
        matches!(self.halt, Some(Halt::Failed(_))) && self.plan.policy == FailurePolicy::FailFast
    }

    pub(super) fn halt_after(&mut self, failed: usize) -> io::Result<()> {
        if self.plan.policy == FailurePolicy::SkipDependents || self.halt.is_some() {
            return Ok(());
        }
        self.halt = Some(Halt::Failed(failed));
        self.end_all_pauses();
        let reason = format!("{} failed", self.references[failed].title);
        self.emit(Fact::RunStopping { reason })
    }
}

//! Holds back operations that other operations of the run would throttle: see [`stagger`](crate::stagger).
//!
//! The event of an operation is written before its call is sent, and the step waits for that. So an operation is held
//! back by applying its report later.

use std::cmp::Reverse;
use std::io;

use tokio::time::Instant;

use super::halt::Halt;
use super::{State, StepState};
use crate::event::{Fact, Limit, LimitWait, StackCall};
use crate::perform::Report;

/// An operation that is held back.
#[derive(Debug)]
pub(super) struct HeldBack {
    report: Report,
    since: Instant,
    until: Instant,
}

impl State<'_> {
    /// Holds a report back if it is about an operation that should be sent later. Otherwise returns the report.
    pub(super) fn hold_back(&mut self, report: Report) -> Option<Report> {
        if !begins_operation(&report) {
            return Some(report);
        }
        if let Some(until) = self.held_until(report.step) {
            let since = Instant::now();
            self.held_back.insert(report.step, HeldBack { report, since, until });
            return None;
        }
        self.stagger.sends(report.step);
        Some(report)
    }

    /// Lets the operations go whose time has come, the most critical first.
    pub(crate) fn send_due(&mut self) -> io::Result<()> {
        if self.halt == Some(Halt::Interrupted) || self.fails_fast() {
            // The steps are being ended, so nothing is sent.
            self.held_back.clear();
        }
        let mut held: Vec<usize> = self.held_back.keys().copied().collect();
        held.sort_by_key(|&step| (Reverse(self.remaining[step]), step));
        for step in held {
            let until = self.held_until(step);
            if let (Some(until), Some(held)) = (until, self.held_back.get_mut(&step)) {
                held.until = until;
            } else if let Some(HeldBack { report, since, .. }) = self.held_back.remove(&step) {
                self.stagger.sends(step);
                self.waited.entry(step).or_default().extend(LimitWait::of(Limit::Staggered, since.elapsed()));
                self.apply(report)?;
            }
        }
        Ok(())
    }

    /// The next time at which [`send_due`](Self::send_due) lets an operation go.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.held_back.values().map(|held| held.until).min()
    }

    /// The time until which the operation of a step is held back: until the services that it uses are free, but not
    /// so long that the run would end later. `None` if it is sent now.
    fn held_until(&self, step: usize) -> Option<Instant> {
        let free = self.stagger.occupied(step)?;
        // A resumed run does not know how much of its work is done. A run that is being stopped hurries.
        if self.halt.is_some() || self.options.earlier.is_some() {
            return None;
        }
        let open = (0..self.steps.len()).filter(|&step| !matches!(self.steps[step], StepState::Ended(_)));
        // Where steps wait for room, a step that is held back would take it from others.
        if !self.ready.has_room_for(&self.plan, open) {
            return None;
        }
        let now = Instant::now();
        let slack = self.expected_end().saturating_duration_since(now + self.remaining[step]);
        let until = free.min(now + slack);
        (until > now).then_some(until)
    }

    /// The expected end of the run, if every step takes its expected time from now on.
    fn expected_end(&self) -> Instant {
        let now = Instant::now();
        let ends = self.steps.iter().enumerate().filter_map(|(step, state)| match *state {
            StepState::Running { since, .. } if !self.held_back.contains_key(&step) => {
                let after = self.remaining[step].saturating_sub(self.plan.steps[step].expected);
                Some((since + self.remaining[step]).max(now + after))
            }
            StepState::Ended(_) => None,
            _ => Some(now + self.remaining[step]),
        });
        ends.max().unwrap_or(now)
    }
}

/// Whether the report says that an operation is about to be sent which creates or deletes resources.
fn begins_operation(report: &Report) -> bool {
    report.facts.iter().any(|fact| {
        let Fact::StackSubmitted(submitted) = fact else { return false };
        matches!(submitted.operation, StackCall::Create | StackCall::Delete | StackCall::ExecuteChangeSet)
    })
}

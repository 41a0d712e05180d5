//! The stack that a reader has selected with keys.

use paceline_text::{Tone, cut};

use super::{Screen, running};
use crate::record::{Record, StepRecord};

/// The stack that a reader has selected, and the one that they follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// The id of the selected stack's step.
    selected: Option<String>,
    /// The id of the step whose resources are printed.
    followed: Option<String>,
}

/// A direction in the list of stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
}

impl Focus {
    /// Selects the next stack in this direction: first the running ones in the order of the frame, then the failed ones.
    pub fn select(&mut self, record: &Record, towards: Move) {
        let running = running(record).into_iter().filter(|step| step.step.is_of_stack());
        let failed = record.failures().filter(|step| step.step.is_of_stack() && !step.running);
        let all: Vec<&str> = running.chain(failed).map(|step| step.step.step.as_str()).collect();
        let last = all.len().saturating_sub(1);
        let place = all.iter().position(|id| Some(*id) == self.selected.as_deref());
        let place = match (place, towards) {
            (None, Move::Down) => 0,
            (None, Move::Up) => last,
            (Some(place), Move::Down) => (place + 1).min(last),
            (Some(place), Move::Up) => place.saturating_sub(1),
        };
        self.selected = all.get(place).map(|id| (*id).to_owned());
    }

    /// The selected stack. It may have ended meanwhile.
    pub fn selected<'a>(&self, record: &'a Record) -> Option<&'a StepRecord> {
        record.step(self.selected.as_deref()?)
    }

    /// Follows the selected stack, or none if it is the one that is followed. Returns the id of its step.
    pub fn follow(&mut self) -> Option<&str> {
        self.followed = self.selected.clone().filter(|selected| self.followed.as_ref() != Some(selected));
        self.followed.as_deref()
    }

    /// A line that names the selected stack and what the keys do.
    pub(super) fn line(&self, record: &Record, screen: Screen) -> String {
        let text = match self.selected(record) {
            None => "keys: up and down select a stack, q ends".to_owned(),
            Some(step) => {
                let enter = if self.followed == self.selected { "ends this" } else { "follows it" };
                format!("{}: enter {enter}, c shows its cause, q ends", record.label(&step.step))
            }
        };
        screen.style().paint(Tone::Dim, &cut(&text, screen.columns()))
    }
}

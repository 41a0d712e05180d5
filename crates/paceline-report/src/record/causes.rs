//! What went wrong in a run: the failed steps, grouped by their cause.

use std::time::Duration;

use paceline_engine::event::Outcome;
use paceline_text::first_few;

use super::{Record, StepRecord};

/// A cause, with all steps that failed because of it.
#[derive(Debug, Clone)]
pub struct WentWrong<'a> {
    /// The first of the steps.
    pub first: &'a StepRecord,
    /// The others.
    pub others: Vec<&'a StepRecord>,
}

impl WentWrong<'_> {
    /// The names of the steps, such as `A (us-east-1)`, or `A, B, C and 2 more`.
    pub(crate) fn who(&self, record: &Record) -> String {
        const NAMED: usize = 3;
        let all = std::iter::once(&self.first).chain(&self.others);
        first_few(all.map(|step| record.named(&step.step)), NAMED)
    }

    /// The outcome of the steps, such as `failed after 3 s`.
    pub(crate) fn what(&self) -> String {
        let word = if self.first.outcome == Some(Outcome::RolledBack) {
            "failed and was rolled back"
        } else {
            self.first.word()
        };
        if self.others.is_empty() {
            format!("{word} after {}", paceline_text::duration(self.first.duration()))
        } else {
            word.to_owned()
        }
    }
}

impl Record {
    /// The failed steps of every kind.
    pub fn failures(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| step.failed())
    }

    /// The failed steps and the interrupted steps that have a cause, grouped by cause.
    pub fn troubles(&self) -> Vec<WentWrong<'_>> {
        let has_cause =
            |step: &&StepRecord| step.outcome == Some(Outcome::Interrupted) && step.cause.is_some();
        let mut troubles: Vec<WentWrong<'_>> = Vec::new();
        for step in self.failures().chain(self.steps.iter().filter(has_cause)) {
            let same =
                |it: &&mut WentWrong<'_>| it.first.cause == step.cause && it.first.outcome == step.outcome;
            match troubles.iter_mut().find(same).filter(|_| step.cause.is_some()) {
                Some(trouble) => trouble.others.push(step),
                None => troubles.push(WentWrong { first: step, others: Vec::new() }),
            }
        }
        troubles
    }

    /// The first failure and its cause on one line. Without a failure, the first interrupted step that has a cause.
    pub fn first_failure(&self) -> Option<String> {
        let by_end = |step: &&StepRecord| step.finished().unwrap_or(Duration::MAX);
        let left = || self.troubles().into_iter().map(|trouble| trouble.first).min_by_key(by_end);
        let first = self.failures().min_by_key(by_end).or_else(left)?;
        Some(format!("{} {}: {}", self.label(&first.step), first.word(), first.cause_line()))
    }
}

//! The names of steps for people.

use paceline_engine::event::{Outcome, StepKind, StepRef};
use paceline_text::{count, one_line};

use super::{Record, StepRecord};

impl Record {
    /// The region of a step. If the run uses several accounts, `account/region`.
    pub fn place(&self, step: &StepRef) -> Option<String> {
        let region = one_line(step.region.as_deref()?);
        let mut accounts = self.stacks().filter_map(|other| other.step.account.as_deref());
        let first = accounts.next();
        match &step.account {
            Some(account) if accounts.any(|other| Some(other) != first) => {
                Some(format!("{}/{region}", one_line(account)))
            }
            _ => Some(region),
        }
    }

    /// The title of a step. A stack has its region too.
    pub fn label(&self, step: &StepRef) -> String {
        let title = one_line(&step.title);
        match self.place(step) {
            Some(place) if step.is_of_stack() => format!("{title} ({place})"),
            _ => title,
        }
    }

    /// The title of a step with its kind, for lists of several kinds: `command smoke-test`.
    pub(crate) fn named(&self, step: &StepRef) -> String {
        let label = self.label(step);
        match &step.kind {
            // The title of a repository says already what it is.
            StepKind::Deploy | StepKind::Delete | StepKind::Prewarm => label,
            StepKind::Gate if step.is_bake() => label,
            StepKind::Synth => format!("synthesis of {label}"),
            StepKind::Publish => format!("asset {label}"),
            kind => format!("{} {label}", one_line(kind.as_str())),
        }
    }

    /// Why a step was skipped.
    pub fn why_skipped(&self, step: &StepRecord) -> String {
        match (&step.because, &step.detail, &self.stopping) {
            (Some(id), _, _) => {
                if let Some(alarm) = self.step(id).and_then(StepRecord::alarm) {
                    return format!("because the alarm {} went off", one_line(alarm));
                }
                let (name, outcome) = self.step(id).map_or((one_line(id), None), |other| {
                    let is_of_stack = other.step.is_of_stack();
                    let name =
                        if is_of_stack { one_line(&other.step.title) } else { self.named(&other.step) };
                    (name, other.outcome.filter(|outcome| !outcome.is_success()))
                });
                let ended = match outcome {
                    Some(Outcome::Skipped) => "was skipped",
                    Some(Outcome::Interrupted) => "was interrupted",
                    _ => "failed",
                };
                format!("because {name} {ended}")
            }
            (None, Some(detail), _) => one_line(detail),
            (None, None, Some(reason)) => {
                format!("because the run was stopped: {}", one_line(reason))
            }
            (None, None, None) => "not started".to_owned(),
        }
    }
}

/// The number of steps of a kind, such as `2 assets`.
pub(crate) fn kinds(n: usize, kind: &StepKind) -> String {
    match kind {
        StepKind::Deploy | StepKind::Delete => count(n, "stack"),
        StepKind::Publish => count(n, "asset"),
        StepKind::Prewarm => count(n, "repository"),
        StepKind::Synth => count(n, "synthesis"),
        kind => count(n, &one_line(kind.as_str())),
    }
}

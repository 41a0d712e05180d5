//! The state of a run, computed from its events.
//!
//! All times in a [`Record`] are on the run's own clock: the time since its start, without the time between an
//! interruption and the resumption. So a run that was stopped overnight is only as long as it worked, and all its times
//! fit on one axis.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::event::{BuildPhases, Outcome, RunApproved, StepKind};
use paceline_text::ExitCode;

mod apply;
mod causes;
mod labels;
mod ongoing;
mod step;
mod waits;

pub use self::causes::WentWrong;
pub(crate) use self::labels::kinds;
pub use self::ongoing::OngoingOperation;
pub(crate) use self::ongoing::{LeftRunning, how_to_look};
pub(crate) use self::step::cause_place;
pub use self::step::{KeptResources, Resource, ResourceSpan, Retry, Span, StepRecord};

/// A run, computed from its events so far.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The id of the run; empty before its first event.
    pub run: String,
    /// The version of Paceline that started it last.
    pub paceline: String,
    /// The folder of the assembly, as given.
    pub app: String,
    /// The strategy of the plan.
    pub strategy: String,
    /// Whether the run was simulated, so that its durations are not real.
    pub simulated: bool,
    /// The run that it rolls back, if it is a rollback.
    pub undoes: Option<String>,
    /// Whether the run only prepares a deployment.
    pub prepares: bool,
    /// What was let through although the policy refuses it.
    pub approvals: Vec<RunApproved>,
    /// The endpoint, if it was not AWS itself.
    pub endpoint: Option<String>,
    /// The run's processes: one, and one more for each resumption.
    pub parts: Vec<Part>,
    /// The CodeBuild build of the run's last part, with its phases before the run.
    pub build: Option<BuildPhases>,
    /// The phases of the plan, in their order.
    pub planned_phases: Vec<(String, Vec<String>)>,
    /// The steps in the order of the plan, then those that no plan mentioned.
    pub steps: Vec<StepRecord>,
    /// Why the run is being stopped, if it is.
    pub stopping: Option<String>,
    /// The stacks that the run waits for while it sleeps. Empty if it does not sleep.
    pub waits_for: Vec<String>,
    /// The exit code, once the run has finished.
    pub exit_code: Option<ExitCode>,
    /// The time of the last event.
    pub elapsed: Duration,
    /// The calendar time of the last event.
    pub at: Option<jiff::Timestamp>,
    index: BTreeMap<String, usize>,
}

/// One process's part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The calendar time of its start.
    pub started_at: jiff::Timestamp,
    /// When it started, on the run's clock.
    pub started: Duration,
    /// The time between the last event of the part before and the start of this one.
    pub pause: Duration,
}

/// The stacks of a phase.
#[derive(Debug, Clone)]
pub struct Phase<'a> {
    /// Its name; empty for stacks that are in no phase.
    pub name: &'a str,
    /// Its stacks, in the order of the plan.
    pub stacks: Vec<&'a StepRecord>,
}

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There were no events.
    Empty,
    /// It had not finished at the last event: it is running, or its process was killed.
    Unfinished,
    /// Everything was done.
    Done,
    /// Something failed.
    Failed,
    /// It failed before it changed anything.
    Refused,
    /// It was stopped and can be resumed.
    Interrupted,
}

impl Status {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unfinished => "unfinished",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Record {
    /// The record of all events of a journal.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e paceline_engine::event::Event>) -> Self {
        let mut record = Self::default();
        for event in events {
            record.apply(event);
        }
        record
    }

    /// The status of the run.
    pub fn status(&self) -> Status {
        match self.exit_code {
            None if self.run.is_empty() => Status::Empty,
            None => Status::Unfinished,
            Some(ExitCode::Done) => Status::Done,
            // Old versions wrote this code without checking whether anything was changed.
            Some(ExitCode::Refused) if !self.has_touched_anything() => Status::Refused,
            Some(ExitCode::Interrupted) => Status::Interrupted,
            Some(_) => Status::Failed,
        }
    }

    /// Whether the run has changed a stack, published an asset or run a command.
    fn has_touched_anything(&self) -> bool {
        self.steps.iter().any(|step| match step.outcome {
            Some(Outcome::Deployed | Outcome::Deleted | Outcome::RolledBack | Outcome::Prepared) => {
                step.step.kind != StepKind::Gate
            }
            _ => false,
        })
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&StepRecord> {
        self.index.get(id).and_then(|&i| self.steps.get(i))
    }

    /// The steps of a kind, in the order of the plan.
    pub fn of_kind(&self, kind: StepKind) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(move |step| step.step.kind == kind)
    }

    /// The steps that deploy or delete stacks, in the order of the plan.
    pub fn stacks(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| step.step.is_of_stack())
    }

    /// Whether stacks are being deleted, and none is deployed.
    pub fn only_deletes(&self) -> bool {
        self.of_kind(StepKind::Delete).next().is_some() && self.of_kind(StepKind::Deploy).next().is_none()
    }

    /// The phases in their order, each with its stacks; those of no known phase come last.
    pub fn phases(&self) -> Vec<Phase<'_>> {
        let mut phases: Vec<Phase<'_>> =
            self.planned_phases.iter().map(|(name, _)| Phase { name, stacks: Vec::new() }).collect();
        let mut place: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, (_, ids)) in self.planned_phases.iter().enumerate() {
            for id in ids {
                place.entry(id).or_insert(i);
            }
        }
        for step in self.stacks() {
            let name = step.step.phase.as_deref().unwrap_or_default();
            let i = place
                .get(step.stack_id())
                .copied()
                .or_else(|| phases.iter().position(|phase| phase.name == name))
                .unwrap_or_else(|| {
                    phases.push(Phase { name, stacks: Vec::new() });
                    phases.len() - 1
                });
            phases[i].stacks.push(step);
        }
        phases.retain(|phase| !phase.stacks.is_empty());
        phases
    }

    /// How many stacks ended in which outcome.
    pub fn outcomes(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for outcome in self.stacks().filter_map(|step| step.outcome) {
            *counts.entry(outcome).or_default() += 1;
        }
        counts
    }

    /// Whether a step was done before the last part of the run began, which only checked it. A step whose operation ended
    /// in AWS between the parts does not count.
    pub(crate) fn was_done_earlier(&self, step: &StepRecord) -> bool {
        let began = self.parts.last().map_or(Duration::ZERO, |part| part.started);
        step.resumed && step.finished().is_none_or(|finished| finished <= began)
    }

    /// Whether every stack succeeded, and no other step failed or was interrupted.
    pub fn all_succeeded(&self) -> bool {
        let is_over = matches!(self.status(), Status::Failed | Status::Refused | Status::Interrupted);
        !is_over && self.stacks().all(|step| step.outcome.is_some_and(Outcome::is_success))
    }
}

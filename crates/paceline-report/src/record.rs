//! What the events of a run add up to.
//!
//! All times in a [`Record`] are on the run's own clock: the time since it began, without the time between
//! an interruption and the resumption. So a run that was stopped overnight is as long as it worked, and
//! everything that is measured or drawn of it is on one axis.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::event::{BuildPhases, Outcome, StepKind};
use paceline_text::ExitCode;

mod causes;
mod fold;
mod in_aws;
mod names;
mod step;
mod waits;

pub use self::causes::WentWrong;
pub use self::in_aws::InAws;
pub(crate) use self::in_aws::{GoingOn, how_to_look};
pub(crate) use self::names::kinds;
pub use self::step::{Resource, Retry, Span, StepRecord};

/// A run, as far as its events tell.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The id of the run; empty before its first event.
    pub run: String,
    /// The version of Paceline that started it last.
    pub paceline: String,
    /// The folder of the assembly, as given.
    pub app: String,
    /// In which order stacks might start.
    pub strategy: String,
    /// Whether the durations are those of the simulator.
    pub simulated: bool,
    /// Where AWS was reached, if that is not AWS itself.
    pub endpoint: Option<String>,
    /// The run's processes: one, and one more for each resumption.
    pub parts: Vec<Part>,
    /// What the build that the run's last part is a part of did before.
    pub build: Option<BuildPhases>,
    /// The phases of the plan, in their order.
    pub planned_phases: Vec<(String, Vec<String>)>,
    /// The steps in the order of the plan, then those that no plan mentioned.
    pub steps: Vec<StepRecord>,
    /// Why the run is being stopped, if it is.
    pub stopping: Option<String>,
    /// The exit code, once the run has finished.
    pub exit_code: Option<ExitCode>,
    /// The time of the last event.
    pub elapsed: Duration,
    /// The same by the calendar.
    pub at: Option<jiff::Timestamp>,
    index: BTreeMap<String, usize>,
}

/// One process's part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// When it started, by the calendar.
    pub started_at: jiff::Timestamp,
    /// When it started, on the run's clock.
    pub started: Duration,
    /// For how long nothing had been heard of the run when this part started.
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

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There were no events.
    Empty,
    /// It had not finished at the last event: it goes on, or its process was killed.
    Unfinished,
    /// Everything was done.
    Done,
    /// Something failed.
    Failed,
    /// Something was wrong before anything was touched.
    Refused,
    /// It was stopped, and can be resumed.
    Interrupted,
}

impl Record {
    /// The record of a whole journal.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e paceline_engine::event::Event>) -> Self {
        let mut record = Self::default();
        for event in events {
            record.apply(event);
        }
        record
    }

    /// How the run stands.
    pub fn status(&self) -> Status {
        match self.exit_code {
            None if self.run.is_empty() => Status::Empty,
            None => Status::Unfinished,
            Some(ExitCode::Done) => Status::Done,
            // Also a version that did not look may have written it.
            Some(ExitCode::Refused) if !self.has_touched_anything() => Status::Refused,
            Some(ExitCode::Interrupted) => Status::Interrupted,
            Some(_) => Status::Failed,
        }
    }

    /// Whether the run has changed anything: a stack, an asset, or whatever a command changes.
    fn has_touched_anything(&self) -> bool {
        self.steps.iter().any(|step| match step.outcome {
            Some(Outcome::Deployed | Outcome::Deleted | Outcome::RolledBack) => {
                step.step.kind != StepKind::Gate
            }
            _ => false,
        })
    }

    /// The step of that id.
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

    /// Whether a step had been done when the last part of the run began, which then only looked. What went on in AWS
    /// meanwhile had not.
    pub(crate) fn was_done_earlier(&self, step: &StepRecord) -> bool {
        let began = self.parts.last().map_or(Duration::ZERO, |part| part.started);
        step.resumed && step.finished().is_none_or(|finished| finished <= began)
    }

    /// Whether every stack is as the plan wants it, and nothing else has failed or was cut short.
    pub fn all_succeeded(&self) -> bool {
        let is_over = matches!(self.status(), Status::Failed | Status::Refused | Status::Interrupted);
        !is_over && self.stacks().all(|step| step.outcome.is_some_and(Outcome::is_success))
    }
}

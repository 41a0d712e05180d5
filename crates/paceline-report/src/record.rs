//! What the events of a run add up to.
//!
//! All times in a [`Record`] are on the run's own clock: the time since it began, without the time between
//! an interruption and the resumption. So a run that was stopped overnight is as long as it worked, and
//! everything that is measured or drawn of it is on one axis.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::event::{BuildPhases, Cause, Outcome, StackCall, StepKind, StepRef};

mod fold;
mod in_aws;
mod names;
mod waits;

pub use in_aws::InAws;
pub(crate) use in_aws::{GoingOn, how_to_look};
pub(crate) use names::kinds;
use paceline_text::{ExitCode, Tone};
use waits::InProgress;

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

/// A step of the run.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// Which.
    pub step: StepRef,
    /// The ids of the steps it waits for.
    pub needs: Vec<String>,
    /// The forecast of its duration; zero when there was none.
    pub expected: Duration,
    /// The times it was performed: mostly one, and one more for each time it was tried again by a later part
    /// of the run. That a later part looked and found it done is not counted.
    pub spans: Vec<Span>,
    /// Whether it is being performed.
    pub running: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The first cause, when it failed.
    pub cause: Option<Cause>,
    /// The id of the step whose failure made this one be skipped.
    pub because: Option<String>,
    /// What it found, in a few words.
    pub detail: Option<String>,
    /// Whether a part of the run found it already done by an earlier part.
    pub resumed: bool,
    /// What was tried again.
    pub retries: Vec<Retry>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Resources that are complete.
    pub done: usize,
    /// Resources in all.
    pub total: usize,
    /// The last call that was to change the stack.
    pub operation: Option<StackCall>,
    /// The id that AWS gave the stack.
    pub stack_arn: Option<String>,
    /// What goes on in AWS, as far as is known.
    pub in_aws: Option<InAws>,
    /// The resources that took longest, the longest first.
    pub slowest: Vec<Resource>,
    /// The first resource that failed while the step is being performed, with CloudFormation's words.
    pub failing: Option<String>,
    /// What the engine said about its duration, for when its start is unknown.
    told: Duration,
    /// When it became ready, as long as it has not started.
    ready: Option<Duration>,
    in_progress: BTreeMap<String, InProgress>,
    /// When and why a call was last tried again, with nothing heard of the step since.
    pub(crate) unanswered: Option<Retry>,
}

/// A time during which a step was performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When everything it waits for was complete.
    pub ready: Option<Duration>,
    /// From.
    pub started: Duration,
    /// To; unknown while it goes on, and when the process was killed.
    pub finished: Option<Duration>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// Something transient that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// When.
    pub at: Duration,
    /// What went wrong.
    pub reason: String,
    /// The attempt that followed.
    pub attempt: u32,
    /// The pause before it.
    pub wait: Duration,
}

/// A resource of a stack that took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its logical id.
    pub logical_id: String,
    /// Such as `AWS::EKS::Cluster`.
    pub resource_type: String,
    /// From its first change to its completion, by CloudFormation's clock.
    pub took: Duration,
}

/// What went wrong, once for all steps that it is the cause of.
#[derive(Debug, Clone)]
pub struct WentWrong<'a> {
    /// The first of the steps, which has the cause.
    pub first: &'a StepRecord,
    /// The others.
    pub others: Vec<&'a StepRecord>,
}

impl WentWrong<'_> {
    /// Which steps, such as `A (us-east-1)`, or `A, B, C and 2 more`.
    pub(crate) fn who(&self, record: &Record) -> String {
        const NAMED: usize = 3;
        let all = std::iter::once(&self.first).chain(&self.others);
        let labels: Vec<String> = all.take(NAMED).map(|step| record.named(&step.step)).collect();
        match (1 + self.others.len()).saturating_sub(NAMED) {
            0 => labels.join(", "),
            more => format!("{} and {more} more", labels.join(", ")),
        }
    }

    /// What happened to them, such as `failed after 3 s`.
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

    /// The steps that went wrong, of whatever kind.
    pub fn failures(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| step.failed())
    }

    /// The steps that went wrong, and those that the run had to leave and that say why. Those of one cause are
    /// together.
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

    /// What failed before all else, or had to be left, and why, on one line.
    pub fn first_failure(&self) -> Option<String> {
        let by_end = |step: &&StepRecord| step.finished().unwrap_or(Duration::MAX);
        let left = || self.troubles().into_iter().map(|trouble| trouble.first).min_by_key(by_end);
        let first = self.failures().min_by_key(by_end).or_else(left)?;
        Some(format!("{} {}: {}", self.label(&first.step), first.word(), first.cause_line()))
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

impl StepRecord {
    /// The id of its stack; its title when it is about none.
    pub fn stack_id(&self) -> &str {
        self.step.stack.as_deref().unwrap_or(&self.step.title)
    }

    /// When it was started, the last time.
    pub fn started(&self) -> Option<Duration> {
        self.spans.last().map(|span| span.started)
    }

    /// When it ended.
    pub fn finished(&self) -> Option<Duration> {
        self.spans.last().and_then(|span| span.finished)
    }

    /// How long it took, the last time.
    pub fn duration(&self) -> Duration {
        match self.spans.last() {
            Some(Span { started, finished: Some(finished), .. }) => finished.saturating_sub(*started),
            Some(_) => Duration::ZERO,
            None => self.told,
        }
    }

    /// How long it waited for room, after everything it waits for was complete.
    pub fn queued(&self) -> Duration {
        match self.spans.last() {
            Some(Span { ready: Some(ready), started, .. }) => started.saturating_sub(*ready),
            _ => Duration::ZERO,
        }
    }

    /// Whether it had been done before, so that performing it again is only to look.
    pub(crate) fn looks_again(&self) -> bool {
        matches!(self.spans[..], [.., before, _] if before.outcome.is_some_and(Outcome::is_success))
    }

    /// Whether it went wrong.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Failed | Outcome::RolledBack))
    }

    /// How it ended, in a word that fits what it is; how it stands, when it has not ended.
    pub fn word(&self) -> &'static str {
        let Some(outcome) = self.outcome else {
            return match (self.running, self.spans.is_empty()) {
                (true, _) => "running",
                (false, false) => "unfinished",
                (false, true) => "waiting",
            };
        };
        match (&self.step.kind, outcome) {
            (StepKind::Delete, Outcome::Unchanged) => "not there",
            (StepKind::Synth, Outcome::Deployed) => "synthesized",
            (StepKind::Publish, Outcome::Deployed) => "published",
            (StepKind::Publish, Outcome::Unchanged) => "already there",
            (StepKind::Gate, Outcome::Deployed | Outcome::Unchanged) => "passed",
            (StepKind::Command, Outcome::Deployed) => "done",
            (_, outcome) => outcome.as_str(),
        }
    }

    /// The colour of how it ended.
    pub(crate) fn tone(&self) -> Tone {
        match self.outcome {
            Some(outcome) if outcome.is_success() => Tone::Good,
            Some(_) if self.failed() => Tone::Bad,
            Some(_) => Tone::Warn,
            None => Tone::Plain,
        }
    }

    /// The first cause on one line, with what it is about.
    pub(crate) fn cause_line(&self) -> String {
        let Some(cause) = &self.cause else {
            return "no cause was given".to_owned();
        };
        let message = paceline_text::one_line(&cause.message);
        match &cause.at {
            Some(at) => format!("{}: {message}", paceline_text::one_line(at)),
            None => message,
        }
    }
}

//! `--resume`: finds the run to continue, says what has changed since it was interrupted, or refuses and says why.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_buildspec::generate::WAKE;
use paceline_engine::event::{Event, RunStarted};
use paceline_engine::{
    Changed, Journal, RepeatedCommand, StepKind, Unfinished, journal_path, last_start, moved_stacks,
    read_events, runs_in,
};
use paceline_plan::{Plan, PlanChange, Work};
use paceline_text::count;

use super::RUNS;
use super::copies::is_about;
use crate::failure::Failure;
use crate::settings::LAST;
use crate::terminal;

/// The most changes that are listed.
const LISTED: usize = 20;

/// A plan with which a run is to be continued.
pub(super) struct Continuing<'a> {
    pub plan: &'a Plan,
    /// The app of the plan. `None` for the rollback of a run, which has no app.
    pub assembly: Option<&'a Assembly>,
    /// Whether somebody has approved exactly this plan.
    pub is_approved: bool,
    /// The prepared run whose change sets this command executes.
    pub executes: Option<&'a str>,
}

impl Continuing<'_> {
    /// Opens the run that the user wants to continue. `wanted` is empty for any run.
    pub(super) fn open(&self, wanted: &str) -> Result<Unfinished, Failure> {
        let (runs, plan) = (Utf8Path::new(RUNS), self.plan);
        let is_any = wanted.is_empty() || wanted == LAST;
        if let Some(found) = Journal::find_unfinished(runs, plan)? {
            if is_any || found.run == wanted {
                self.ensure_executes(&found)?;
                return Ok(found);
            }
            let found = found.run;
            let message =
                format!("{wanted} is not continued: the run {found} of this app is newer and not finished");
            return Err(Failure::usage(message, format!("continue that one: --resume {found}")));
        }
        let newest = if is_any { self.newest()? } else { Some(wanted.to_owned()) };
        let Some((run, events)) = newest.map(Self::events).transpose()? else {
            return Err(nothing_to_continue());
        };
        self.ensure_possible(&run, &events, is_any)?;
        let unfinished = Journal::continue_changed(runs, &run, plan)?;
        // Another process has finished it meanwhile.
        let unfinished = unfinished.ok_or_else(|| has_ended(&run))?;
        self.ensure_executes(&unfinished)?;
        Ok(unfinished)
    }

    /// Refuses to go on in another way with a run that executes prepared change sets.
    fn ensure_executes(&self, found: &Unfinished) -> Result<(), Failure> {
        let Some(prepared) = found.executes().filter(|&it| Some(it) != self.executes) else { return Ok(()) };
        let run = &found.run;
        let message = match self.executes {
            Some(other) => {
                format!(
                    "the run {run} executes what {prepared} has prepared, and this command what {other} has"
                )
            }
            None => format!("the run {run} executes what {prepared} has prepared, and this command does not"),
        };
        Err(Failure::usage(message, format!("continue it with --prepared {prepared} --resume")))
    }

    /// The newest run of this app.
    fn newest(&self) -> Result<Option<String>, Failure> {
        let runs = Utf8Path::new(RUNS);
        for run in runs_in(runs)? {
            // A later version may have written a journal that this one cannot read.
            let Ok(events) = read_events(&journal_path(runs, &run)) else { continue };
            let is_ours = self.assembly.is_some_and(|assembly| is_about(&events, assembly));
            if is_ours && last_start(&events).is_some_and(|started| started.undoes.is_none()) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    fn events(run: String) -> Result<(String, Vec<Event>), Failure> {
        let journal = journal_path(Utf8Path::new(RUNS), &run);
        if !journal.is_file() {
            let message = format!("there is no run {run} in {RUNS}, nor in the staging buckets of this app");
            let hint =
                format!("to begin at the start, run it without --resume, and without the variable {WAKE}");
            return Err(Failure::usage(message, hint));
        }
        Ok((run, read_events(&journal)?))
    }

    /// Refuses a run that cannot be continued with this plan.
    fn ensure_possible(&self, run: &str, events: &[Event], is_any: bool) -> Result<(), Failure> {
        let refuse = |message: String| Failure::usage(message, BEGIN);
        if events.last().is_some_and(|event| event.fact.ends_run()) {
            return Err(if is_any { nothing_to_continue() } else { has_ended(run) });
        }
        let Some(started) = last_start(events) else {
            return Err(refuse(format!("the run {run} never started, so there is nothing to continue")));
        };
        if started.plan == self.plan.resume_key {
            let message = format!("the run {run} was followed by another run of this app that has ended");
            return Err(refuse(message));
        }
        let (was, is) = (kind_of(started), kind(self.plan));
        if was != is {
            return Err(refuse(format!("the run {run} {was}, and this command {is}")));
        }
        if !self.assembly.is_some_and(|assembly| is_about(events, assembly)) {
            return Err(refuse(format!("the run {run} is about other stacks than those of this app")));
        }
        if self.is_approved {
            let message = format!("the run {run} began with another plan than the one that was approved");
            let hint =
                "run it without --resume to deploy exactly the approved plan, or without --plan to continue";
            return Err(Failure::usage(message, hint).with_exit_code(paceline_engine::ExitCode::Refused));
        }
        let moved: Vec<String> =
            moved_stacks(events, self.plan).into_iter().map(|stack| format!("`{stack}`")).collect();
        if !moved.is_empty() {
            let moved = moved.join(", ");
            return Err(refuse(format!(
                "{run} cannot be continued: it has changed stacks that now have another name, account or region: {moved}"
            )));
        }
        Ok(())
    }
}

const BEGIN: &str = "run it without --resume: a new run finds what is done";

fn nothing_to_continue() -> Failure {
    let message = "there is no interrupted run of this app";
    Failure::usage(message, "run it without --resume to begin at the start")
}

fn has_ended(run: &str) -> Failure {
    Failure::usage(format!("the run {run} has ended, so there is nothing to continue"), BEGIN)
}

/// What a run does, as a part of a sentence.
fn kind_of(started: &RunStarted) -> &'static str {
    let mut kinds = started.steps.iter().map(|planned| &planned.step.kind);
    let changes = kinds.find(|kind| matches!(kind, StepKind::Deploy | StepKind::Delete));
    sentence(started.undoes.is_some(), started.prepares, changes)
}

fn kind(plan: &Plan) -> &'static str {
    let changes = plan.steps.iter().find_map(|step| match step.work {
        Work::Deploy { .. } => Some(&StepKind::Deploy),
        Work::Delete { .. } => Some(&StepKind::Delete),
        _ => None,
    });
    sentence(plan.undoes.is_some(), plan.prepares, changes)
}

/// `changes` is the kind of the steps that change stacks.
fn sentence(undoes: bool, prepares: bool, changes: Option<&StepKind>) -> &'static str {
    match changes {
        _ if undoes => "rolls back a run",
        _ if prepares => "prepares a deployment",
        Some(StepKind::Delete) => "deletes stacks",
        Some(_) => "deploys",
        None => "publishes assets",
    }
}

/// Says that a run is continued, and what has changed since it was interrupted. `said` is the beginning of the sentence.
pub(super) fn announce(mut said: String, unfinished: &Unfinished, executes: Option<&str>) {
    let Unfinished { again, changes, .. } = unfinished;
    // A command that has run and was edited is named below, with the commands that run again.
    let repeated: BTreeSet<&str> = again.iter().map(|it| it.command.as_str()).collect();
    let is_named_below = |changed: &&Changed| matches!(&changed.change, PlanChange::Command { command } if repeated.contains(command.as_str()));
    let changes: Vec<String> = changes.iter().filter(|changed| !is_named_below(changed)).map(line).collect();
    if !changes.is_empty() {
        said += ". Since it was interrupted:";
        for change in changes.iter().take(LISTED) {
            // Writing to a string does not fail.
            let _ = write!(said, "\n  {change}");
        }
        if let Some(more @ 1..) = changes.len().checked_sub(LISTED) {
            let _ = write!(said, "\n  and {}", count(more, "more change"));
        }
    }
    terminal::mention(&said);
    if let Some(prepared) = unfinished.executes().filter(|&it| Some(it) != executes) {
        terminal::warn(&format!(
            "until it was interrupted, the run executed what {prepared} has prepared: this command does not"
        ));
    }
    for RepeatedCommand { command, edited } in again {
        let why = if *edited { "it was edited" } else { "another run changed what it follows" };
        terminal::note(&format!("the command `{command}` runs again: {why} after the interruption"));
    }
}

fn line(changed: &Changed) -> String {
    let left_alone = match (&changed.change, changed.may_run) {
        (PlanChange::StackGone { .. }, false) => "; it is left alone",
        (PlanChange::StackGone { .. }, true) => "; it is left alone, and its operation may still run in AWS",
        _ => "",
    };
    format!("{}{left_alone}", changed.change)
}

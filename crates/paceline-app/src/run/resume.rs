//! `--resume`: refuses a run that cannot be continued, and says why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8Path;
use paceline_engine::event::RunStarted;
use paceline_engine::{Fact, journal_path, read_events};
use paceline_plan::Plan;

use super::RUNS;
use crate::failure::Failure;
use crate::settings::LAST;

/// The most changes that the message lists.
const LISTED: usize = 10;

/// Refuses the run that the user wants to continue if it is not the one that the plan continues. `wanted` is empty for any
/// run.
pub(super) fn ensure_continues(wanted: &str, found: Option<&str>, plan: &Plan) -> Result<(), Failure> {
    let is_any = wanted.is_empty() || wanted == LAST;
    match found {
        Some(found) if is_any || found == wanted => return Ok(()),
        Some(found) => {
            let message =
                format!("{wanted} is not continued: the run {found} of this app is newer and not finished");
            return Err(Failure::usage(message, format!("continue that one: --resume {found}")));
        }
        None if is_any => {
            let message = "there is no interrupted run of this app as it is now";
            return Err(Failure::usage(message, "run it without --resume to begin at the start"));
        }
        None => {}
    }
    let journal = journal_path(Utf8Path::new(RUNS), wanted);
    if !journal.is_file() {
        let message = format!("there is no run {wanted} in {RUNS}, nor in the staging buckets of this app");
        return Err(Failure::usage(message, "run it without --resume to begin at the start"));
    }
    let events = read_events(&journal)?;
    let begin = "run it without --resume: a new run finds what is done";
    if events.last().is_some_and(|event| event.fact.ends_run()) {
        return Err(Failure::usage(
            format!("the run {wanted} has ended, so there is nothing to continue"),
            begin,
        ));
    }
    let started = events.iter().rev().find_map(|event| match &event.fact {
        Fact::RunStarted(started) => Some(started),
        _ => None,
    });
    let changes = started.map(|started| changes(started, plan)).unwrap_or_default();
    if changes.is_empty() {
        let message = format!("the run {wanted} was followed by another run of this app that has ended");
        return Err(Failure::usage(message, begin));
    }
    let mut message = format!("{wanted} cannot be continued, because the app has changed since:");
    for change in changes.iter().take(LISTED) {
        // Writing to a string does not fail.
        let _ = write!(message, "\n  {change}");
    }
    if let Some(more @ 1..) = changes.len().checked_sub(LISTED) {
        let _ = write!(message, "\n  and {more} more");
    }
    Err(Failure::usage(message, begin))
}

/// The steps of a run that the plan does not have or does otherwise, and those that only the plan has.
fn changes(started: &RunStarted, plan: &Plan) -> Vec<String> {
    let was: BTreeMap<&str, _> = started.steps.iter().map(|step| (step.step.step.as_str(), step)).collect();
    let is: BTreeMap<&str, _> = plan.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    let mut changes = Vec::new();
    for (id, step) in &was {
        let title = &step.step.title;
        match is.get(id) {
            None => changes.push(format!("{title} is not in it any more")),
            Some(now) if step.identity.as_ref().is_some_and(|identity| *identity != plan.identity(now)) => {
                changes.push(format!("{title} is changed"));
            }
            Some(_) => {}
        }
    }
    changes.extend(is.keys().filter(|id| !was.contains_key(*id)).map(|id| format!("{id} is new")));
    changes
}

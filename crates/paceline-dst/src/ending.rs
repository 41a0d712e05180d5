//! The promises about deletions.

use jiff::Timestamp;
use paceline_engine::{ExitCode, Outcome};

use crate::operations::{Operation, StackHistory};
use crate::play::{Ending, Process};
use crate::story::Story;

/// Adds the promises that a deletion broke.
pub(crate) fn check(story: &Story, ending: &Ending, broken: &mut Vec<String>) {
    let all = || ending.processes.iter().chain([&ending.last]);
    for process in all().filter(|process| process.is_endless) {
        broken.push(format!("{} of the deletion goes on for ever", process.name));
    }
    dependents_go_first(story, ending, broken);
    for process in all() {
        what_is_said_is_true(process, ending, broken);
    }
    if ending.last.exit_code() != Some(ExitCode::Done) {
        let outcomes: Vec<_> = ending.last.outcomes().collect();
        let refused = &ending.last.refused;
        broken.push(format!(
            "the last deletion ended with {:?}: {refused:?} {outcomes:?}",
            ending.last.exit_code()
        ));
    }
    if !ending.left.is_empty() {
        broken.push(format!("after the deletion, there are still {:?}", ending.left));
    }
}

/// The operations since the deletion began.
fn operations<'a>(history: &'a StackHistory, ending: &Ending) -> Vec<Operation<'a>> {
    let mut operations = history.operations();
    operations.retain(|operation| operation.start().is_some_and(|start| start >= ending.began));
    operations
}

/// A stack is deleted after those that need it, and nothing else is done.
fn dependents_go_first(story: &Story, ending: &Ending, broken: &mut Vec<String>) {
    for (place, history) in ending.histories.iter().enumerate() {
        for operation in operations(history, ending) {
            let (Some(start), began) = (operation.start(), operation.began()) else { continue };
            if began != "DELETE_IN_PROGRESS" {
                broken.push(format!("{} began {began} during the deletion", history.name));
            }
            let needs_it = |stack: &usize| story.stacks[*stack].needs.iter().any(|need| need.on == place);
            for dependent in (0..story.stacks.len()).filter(needs_it) {
                let status = status_at(&ending.histories[dependent], start);
                if status.is_some_and(|status| status != "DELETE_COMPLETE") {
                    let name = &ending.histories[dependent].name;
                    broken.push(format!(
                        "{} was deleted at {start}, while {name} was {status:?}",
                        history.name
                    ));
                }
            }
        }
    }
}

fn status_at(history: &StackHistory, at: Timestamp) -> Option<&str> {
    let before = history.events.iter().rfind(|event| event.at <= at);
    before.map(|event| event.status.as_str())
}

fn what_is_said_is_true(process: &Process, ending: &Ending, broken: &mut Vec<String>) {
    let Some(end) = process.times.last() else { return };
    let is_gone = |history: &StackHistory| status_at(history, *end).is_none_or(|it| it == "DELETE_COMPLETE");
    for (id, outcome, cause) in process.outcomes() {
        let Some(history) = ending.histories.iter().find(|history| history.name == id) else { continue };
        let is_said_gone = matches!(outcome, Outcome::Deleted | Outcome::Unchanged);
        if is_said_gone && !is_gone(history) || outcome == Outcome::Failed && is_gone(history) {
            let status = status_at(history, *end);
            broken.push(format!("{id} is said to be {outcome:?} ({cause}), but it is {status:?}"));
        }
    }
    let is_success = ending.histories.iter().all(is_gone);
    match process.exit_code() {
        Some(ExitCode::Done) if !is_success => {
            broken.push("the deletion ended with 0, but a stack is still there".to_owned());
        }
        None if !process.is_killed && process.refused.is_none() => {
            broken.push("the deletion ended without a word".to_owned());
        }
        _ => {}
    }
}

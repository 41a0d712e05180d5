//! Finds out from the journal which steps an interrupted run had done, and which of them still count as done.

use std::collections::BTreeMap;

use paceline_plan::{Plan, Work};

use super::later_changes::LaterChanges;
use super::same_plan::Late;
use crate::any_change::AnyChange;
use crate::event::{Event, Fact, Outcome};
use crate::options::Earlier;

/// A command that ran before the interruption and must run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedCommand {
    /// Its name.
    pub command: String,
    /// True if the command has been edited since. If not, another run has run the command or has changed a
    /// step that it follows.
    pub edited: bool,
}

/// A step that was done, or whose operation was sent.
struct Done {
    identity: Option<String>,
    /// The number of the start of the run that did it.
    order: u64,
}

/// The work that an interrupted run of this plan had done, and the commands that must run again.
///
/// `late` are the stacks whose content was unknown when the run started. `is_same` is true if the plan is that of the
/// run's last start. `since` takes the number of a start and returns the changes that other runs have made after it.
pub(super) fn done_before(
    events: &[Event],
    seq: u64,
    plan: &Plan,
    late: &Late,
    is_same: bool,
    since: impl FnOnce(u64) -> LaterChanges,
) -> (Earlier, Vec<RepeatedCommand>) {
    let mut done: BTreeMap<String, Done> = BTreeMap::new();
    let mut identities: BTreeMap<&str, &String> = BTreeMap::new();
    let (mut order, mut first, mut app) = (0, None, "");
    let mut touched = AnyChange::new(false);
    for event in events {
        match &event.fact {
            Fact::StepFinished(it) => touched.ended(&it.step, it.outcome, it.cause.as_ref()),
            fact => fact.step().into_iter().for_each(|step| touched.hears(&step.step, fact)),
        }
        let step = match &event.fact {
            Fact::RunStarted(started) => {
                let steps = started.steps.iter();
                identities =
                    steps.filter_map(|it| Some((it.step.step.as_str(), it.identity.as_ref()?))).collect();
                (order, app) = (started.order.unwrap_or_default(), &started.app);
                first.get_or_insert(order);
                continue;
            }
            // This run sent the operation, even if the journal has no end of it. A created change set has not
            // done the step.
            Fact::StackSubmitted(submitted) => {
                if submitted.operation.only_prepares() {
                    continue;
                }
                &submitted.step
            }
            Fact::StepFinished(finished) => match finished.outcome {
                // The first event has the time at which the step was sent or done, so it counts.
                Outcome::Deployed | Outcome::Deleted
                    if finished.resumed
                        || finished.step.is_of_stack() && done.contains_key(&finished.step.step) =>
                {
                    continue;
                }
                Outcome::Deployed | Outcome::Deleted => &finished.step,
                // If the resumed run finds the step done, somebody else did it.
                Outcome::Failed | Outcome::RolledBack => {
                    done.remove(&finished.step.step);
                    continue;
                }
                Outcome::Unchanged | Outcome::Prepared | Outcome::Skipped | Outcome::Interrupted => {
                    continue;
                }
            },
            _ => continue,
        };
        let identity = identities.get(step.step.as_str()).map(|&identity| identity.clone());
        let identity = identity.filter(|_| !late.contains(&step.step));
        done.insert(step.step.clone(), Done { identity, order });
    }
    let numbers = done.iter().map(|(step, done)| (step.clone(), done.order)).collect();
    let outdated = since(first.unwrap_or_default()).outdate(plan, app, &numbers);
    let mut again = Vec::new();
    for step in &plan.steps {
        let Some(was) = done.get(&step.id) else { continue };
        // What a command was is unknown in journals of versions that did not write identities.
        let is_unknown = !is_same && was.identity.is_none() && matches!(step.work, Work::Command(_));
        let edited = is_unknown || was.identity.as_ref().is_some_and(|was| *was != plan.identity(step));
        let is_outdated = is_unknown || outdated.contains(step.id.as_str());
        if let Work::Command(command) = &step.work
            && (edited || is_outdated)
        {
            again.push(RepeatedCommand { command: command.name.clone(), edited });
        }
        if is_outdated {
            done.remove(&step.id);
        }
    }
    let done = done.into_iter().map(|(step, done)| (step, done.identity)).collect();
    let began = events.first().map(|event| event.at);
    (Earlier { seq, done, touched: touched.any_or_unanswered(), began }, again)
}

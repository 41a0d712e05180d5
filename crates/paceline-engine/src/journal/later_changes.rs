//! The changes that other runs have made since a run was interrupted. The interrupted run must not count the
//! changed steps as done.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};

use camino::Utf8Path;
use paceline_plan::Plan;

use super::FILE;
use super::order::Order;
use crate::describe::reference;
use crate::event::{Event, Fact, Outcome, StepFinished, StepKind, StepRef, StepStarted};

/// A stack or a command that runs of different plans may change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Stack { name: Option<String>, account: Option<String>, region: Option<String> },
    Command { app: String, name: String },
}

impl Thing {
    fn of(step: &StepRef, app: &str) -> Option<Self> {
        match step.kind {
            StepKind::Deploy | StepKind::Delete => Some(Self::Stack {
                name: step.stack_name.clone(),
                account: step.account.clone(),
                region: step.region.clone(),
            }),
            StepKind::Command => Some(Self::Command { app: app.to_owned(), name: step.title.clone() }),
            _ => None,
        }
    }
}

/// The changed things, each with the number of the last start that changed it.
#[derive(Debug, Default)]
pub(super) struct LaterChanges(BTreeMap<Thing, u64>);

impl LaterChanges {
    /// Finds the changes that other runs have made after the start with this number. If a journal is damaged,
    /// the lines before the damage are used.
    pub(super) fn after(number: u64, runs: &Utf8Path, order: &Order, own: &str) -> Self {
        let mut changes = Self::default();
        for run in order.after(number).filter(|run| *run != own) {
            if let Ok(file) = fs_err::File::open(runs.join(run).join(FILE)) {
                let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
                changes.add(lines.filter_map(|line| serde_json::from_slice(&line).ok()));
            }
        }
        changes
    }

    fn add(&mut self, events: impl Iterator<Item = Event>) {
        let (mut number, mut app) = (0, String::new());
        // A command that started and never ended was killed. It may have changed something.
        let mut commands: BTreeMap<String, Thing> = BTreeMap::new();
        for event in events {
            match &event.fact {
                Fact::RunStarted(started) => {
                    self.note_all(std::mem::take(&mut commands).into_values(), number);
                    (number, app) = (started.order.unwrap_or_default(), started.app.clone());
                }
                Fact::StepStarted(StepStarted { step, .. }) if step.kind == StepKind::Command => {
                    commands.extend(Thing::of(step, &app).map(|thing| (step.step.clone(), thing)));
                }
                Fact::StepFinished(finished) if finished.step.kind == StepKind::Command => {
                    let started = commands.remove(&finished.step.step);
                    // A command that was done earlier ends at once as resumed.
                    let had_been_done = finished.resumed || finished.outcome == Outcome::Unchanged;
                    self.note_all(started.filter(|_| !had_been_done), number);
                }
                Fact::StackSubmitted(submitted) if !submitted.operation.only_prepares() => {
                    self.note_all(Thing::of(&submitted.step, &app), number);
                }
                // An operation without a token was not sent by this run.
                Fact::StepFinished(StepFinished {
                    step,
                    outcome: Outcome::Deployed | Outcome::Deleted | Outcome::RolledBack,
                    resumed: false,
                    ..
                }) => self.note_all(Thing::of(step, &app), number),
                _ => {}
            }
        }
        self.note_all(commands.into_values(), number);
    }

    fn note_all(&mut self, things: impl IntoIterator<Item = Thing>, number: u64) {
        for thing in things {
            self.note(thing, number);
        }
    }

    fn note(&mut self, thing: Thing, number: u64) {
        let last = self.0.entry(thing).or_default();
        *last = number.max(*last);
    }

    /// The steps that no longer count as done. This run or another one has later changed the same thing, or
    /// the thing of a step that they follow. `done` has the number of the start in which each step was done.
    pub(super) fn outdate<'p>(
        &self,
        plan: &'p Plan,
        app: &str,
        done: &BTreeMap<String, u64>,
    ) -> BTreeSet<&'p str> {
        // For each step: the number of the last change of its thing, or of the things of the steps that it
        // follows.
        let mut changed: Vec<u64> = Vec::with_capacity(plan.steps.len());
        let mut outdated = BTreeSet::new();
        for (index, step) in plan.steps.iter().enumerate() {
            let thing = Thing::of(&reference(plan, index), app);
            let by_others = thing.as_ref().and_then(|thing| self.0.get(thing)).copied();
            let before =
                step.needs.iter().map(|&need| changed[need]).chain(by_others).max().unwrap_or_default();
            let done = done.get(&step.id).copied().unwrap_or_default();
            if before > done {
                outdated.insert(step.id.as_str());
            }
            changed.push(if thing.is_some() { before.max(done) } else { before });
        }
        outdated
    }
}

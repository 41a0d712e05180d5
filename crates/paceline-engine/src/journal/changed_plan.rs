//! What has changed between the plan with which a run was started and the plan with which it is continued.

use std::collections::{BTreeMap, BTreeSet};

use paceline_plan::{Plan, PlanChange, Step, Work};

use super::same_plan::Late;
use crate::describe::{content, reference, settings};
use crate::event::{Event, Fact, Outcome, PlannedStep, RunStarted, StepKind, StepRef};

/// A difference between the plan of an interrupted run and the plan with which it is continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What differs.
    pub change: PlanChange,
    /// True if the change is about a stack that is no longer in the plan, and the run sent an operation for it that
    /// may still run in AWS.
    pub may_run: bool,
}

/// All differences: first those of stacks, then those of commands and of settings. `late` are the steps whose content was
/// unknown when the run started.
pub(super) fn changes(events: &[Event], started: &RunStarted, plan: &Plan, late: &Late) -> Vec<Changed> {
    let mut changes = Vec::new();
    stack_changes(started, plan, late, &mut changes);
    command_changes(started, plan, &mut changes);
    changes.extend(setting_changes(started, plan));
    let running = unended(events);
    let of_change = |change: PlanChange| {
        let may_run = match &change {
            PlanChange::StackGone { stack, .. } | PlanChange::StackMoved { stack } => {
                running.contains(stack.as_str())
            }
            _ => false,
        };
        Changed { change, may_run }
    };
    changes.into_iter().map(of_change).collect()
}

/// The settings that differ.
pub(super) fn setting_changes(started: &RunStarted, plan: &Plan) -> Vec<PlanChange> {
    let now = settings(plan);
    let then = started.settings.unwrap_or(now);
    let were = started.phases.iter().map(|phase| &phase.name);
    let are = plan.phases.iter().map(|phase| &phase.name);
    let settings = [
        // Events of older versions have no strategy.
        ("strategy", started.settings.is_none() || started.strategy == plan.strategy),
        ("phases", were.eq(are)),
        ("concurrency", then.concurrency == now.concurrency),
        ("on-failure.policy", then.policy == now.policy),
        ("on-failure.rollback", then.rollback == now.rollback),
        ("unchanged.ignore-timestamps", then.ignore_timestamps == now.ignore_timestamps),
    ];
    let changed = settings.into_iter().filter(|(_, is_same)| !is_same);
    changed.map(|(key, _)| PlanChange::Setting { key }).collect()
}

/// The stacks that the run sent an operation for, and that have moved: their id now means another stack in AWS.
pub fn moved_stacks(events: &[Event], plan: &Plan) -> BTreeSet<String> {
    let now: BTreeMap<&str, _> = plan.stacks.iter().map(|stack| (stack.id.as_str(), stack)).collect();
    let sent = events.iter().filter_map(|event| match &event.fact {
        Fact::StackSubmitted(submitted) => Some(&submitted.step),
        _ => None,
    });
    let has_moved = |step: &&StepRef| {
        let id = step.stack.as_deref().unwrap_or_default();
        now.get(id).is_some_and(|stack| {
            step.stack_name.as_deref() != Some(stack.name.as_str())
                || step.account != stack.account
                || step.region != stack.region
        })
    };
    sent.filter(has_moved).filter_map(|step| step.stack.clone()).collect()
}

fn stack_changes(started: &RunStarted, plan: &Plan, late: &Late, changes: &mut Vec<PlanChange>) {
    let was = started.steps.iter().filter(|planned| planned.step.is_of_stack());
    let was: BTreeMap<&str, &PlannedStep> =
        was.filter_map(|planned| Some((planned.step.stack.as_deref()?, planned))).collect();
    let is = plan.steps.iter().enumerate().filter(|(_, step)| step.work.changes().is_some());
    let is: BTreeMap<&str, usize> =
        is.map(|(index, step)| (plan.stack_of(step).id.as_str(), index)).collect();
    for id in was.keys().filter(|id| !is.contains_key(*id)) {
        let left_out = plan.left_out.iter().find(|left_out| left_out.stack == **id);
        let why = left_out.map(|left_out| left_out.why.clone());
        changes.push(PlanChange::StackGone { stack: (*id).to_owned(), why });
    }
    // The way in which failed stacks are handled is a setting of the run. It is named once.
    let mut as_then = plan.clone();
    if let Some(then) = &started.settings {
        (as_then.rollback, as_then.ignore_times) = (then.rollback, then.ignore_timestamps);
    }
    for (id, &index) in &is {
        let stack = (*id).to_owned();
        let Some(was) = was.get(id) else {
            changes.push(PlanChange::NewStack { stack });
            continue;
        };
        let (now, step) = (reference(plan, index), &plan.steps[index]);
        let place = |of: &StepRef| (of.stack_name.clone(), of.account.clone(), of.region.clone());
        if place(&was.step) != place(&now) {
            changes.push(PlanChange::StackMoved { stack: stack.clone() });
        } else if was.step.kind == StepKind::Deploy && !late.contains(&was.step.step) {
            let is_same_template = was.content == content(plan, step);
            if !is_same_template {
                changes.push(PlanChange::Template { stack: stack.clone() });
            } else if was.identity.as_ref().is_some_and(|identity| *identity != as_then.identity(step)) {
                changes.push(PlanChange::Settings { stack: stack.clone() });
            }
        }
        let old = stacks_before(was, started);
        let new = stacks_of(plan, step);
        let more: Vec<String> = new.difference(&old).map(|it| (*it).to_owned()).collect();
        let fewer: Vec<String> = old.difference(&new).map(|it| (*it).to_owned()).collect();
        if !(more.is_empty() && fewer.is_empty()) {
            changes.push(PlanChange::Order { stack, more, fewer });
        }
    }
}

fn command_changes(started: &RunStarted, plan: &Plan, changes: &mut Vec<PlanChange>) {
    let was = started.steps.iter().filter(|planned| planned.step.kind == StepKind::Command);
    let was: BTreeMap<&str, &PlannedStep> =
        was.map(|planned| (planned.step.step.as_str(), planned)).collect();
    let is = plan.steps.iter().filter(|step| matches!(step.work, Work::Command(_)));
    let is: BTreeMap<&str, &Step> = is.map(|step| (step.id.as_str(), step)).collect();
    for id in was.keys().filter(|id| !is.contains_key(*id)) {
        changes.push(PlanChange::StepGone { step: (*id).to_owned() });
    }
    for (id, step) in is {
        let Some(was) = was.get(id) else {
            changes.push(PlanChange::NewStep { step: id.to_owned() });
            continue;
        };
        if was.identity.as_ref().is_some_and(|identity| *identity != plan.identity(step)) {
            changes.push(PlanChange::Command { command: was.step.title.clone() });
        }
        let needs: BTreeSet<&str> = step.needs.iter().map(|&need| plan.steps[need].id.as_str()).collect();
        if needs != was.needs.iter().map(String::as_str).collect() {
            changes.push(PlanChange::StepOrder { step: id.to_owned() });
        }
    }
}

/// The stacks that a step of the earlier plan waited for directly.
fn stacks_before<'s>(step: &'s PlannedStep, started: &'s RunStarted) -> BTreeSet<&'s str> {
    let needs: BTreeSet<&str> = step.needs.iter().map(String::as_str).collect();
    let needed = started.steps.iter().filter(|other| needs.contains(other.step.step.as_str()));
    needed.filter(|other| other.step.is_of_stack()).filter_map(|other| other.step.stack.as_deref()).collect()
}

/// The stacks that a step waits for directly.
fn stacks_of<'p>(plan: &'p Plan, step: &Step) -> BTreeSet<&'p str> {
    let needed = step.needs.iter().map(|&need| &plan.steps[need]);
    let stacks = needed.filter(|step| step.work.changes().is_some());
    stacks.map(|step| plan.stack_of(step).id.as_str()).collect()
}

/// The stacks whose last operation has no end in the journal.
fn unended(events: &[Event]) -> BTreeSet<&str> {
    let mut running = BTreeSet::new();
    for event in events {
        match &event.fact {
            Fact::StackSubmitted(submitted) if !submitted.operation.only_prepares() => {
                running.extend(submitted.step.stack.as_deref());
            }
            // AWS goes on with the operation of a step that was interrupted.
            Fact::StepFinished(finished) if finished.outcome != Outcome::Interrupted => {
                if let Some(stack) = finished.step.stack.as_deref().filter(|_| finished.step.is_of_stack()) {
                    running.remove(stack);
                }
            }
            _ => {}
        }
    }
    running
}

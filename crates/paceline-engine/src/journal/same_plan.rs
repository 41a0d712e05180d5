//! Decides whether a journal belongs to a plan. The plan of its last start counts: a run may be continued with a plan
//! that has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};

use paceline_plan::{Plan, Work};
use serde::Deserialize;

use crate::describe::content;
use crate::event::{Event, RunStarted, StepKind};

/// How every `run.started` has its kind in the line of its event. A quote in another event's text has a backslash.
const STARTED: &[u8] = br#""event":"run.started""#;

/// The part of `run.started` that identifies the plan. The steps are parsed separately, because there may be
/// thousands.
#[derive(Deserialize)]
struct Digest {
    plan: String,
}

#[derive(Deserialize)]
struct Steps {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "step")]
    id: String,
    kind: StepKind,
    needs: Vec<String>,
    content: Option<String>,
}

/// The ids of the steps whose content was unknown until a synthesis in the middle of the run.
pub(super) type Late = BTreeSet<String>;

/// Finds out whether the run of a journal is a run of this plan. Reads only the first line, unless the run
/// may have been resumed.
pub(super) fn is_about(file: impl Read, may_be_resumed: bool, plan: &Plan) -> io::Result<bool> {
    let mut reader = BufReader::new(file);
    let (mut line, mut last) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        // A killed process may leave part of a line.
        if !line.ends_with(b"\n") {
            break;
        }
        if last.is_empty() || line.windows(STARTED.len()).any(|part| part == STARTED) {
            std::mem::swap(&mut last, &mut line);
        }
        if !may_be_resumed {
            break;
        }
    }
    Ok(match serde_json::from_slice::<Digest>(&last) {
        Ok(Digest { plan: digest }) if digest == plan.resume_key => true,
        Ok(_) => serde_json::from_slice::<Steps>(&last).is_ok_and(|Steps { steps }| is_later(&steps, plan)),
        Err(_) => false,
    })
}

/// Finds out whether the last start of a run was a start of this plan.
pub(super) fn is_of(started: &RunStarted, plan: &Plan) -> bool {
    started.plan == plan.resume_key || is_later(&steps(started), plan)
}

/// The last start of a run.
pub fn last_start(events: &[Event]) -> Option<&RunStarted> {
    events.iter().rev().find_map(Event::run_started)
}

/// The steps that waited for a synthesis in the middle of the run, in any of its parts.
pub(super) fn late(events: &[Event]) -> Late {
    let starts = events.iter().filter_map(Event::run_started).map(steps);
    starts
        .flat_map(|steps| waiting(&steps).into_iter().map(|step| step.id.clone()).collect::<Late>())
        .collect()
}

fn steps(started: &RunStarted) -> Vec<Step> {
    let steps = started.steps.iter().map(|planned| Step {
        id: planned.step.step.clone(),
        kind: planned.step.kind.clone(),
        needs: planned.needs.clone(),
        content: planned.content.clone(),
    });
    steps.collect()
}

/// The deployments that wait for a synthesis.
fn waiting(steps: &[Step]) -> Vec<&Step> {
    let is_synthesis = |step: &&Step| step.kind == StepKind::Synth;
    let syntheses: BTreeSet<&str> = steps.iter().filter(is_synthesis).map(|step| step.id.as_str()).collect();
    let waits = |step: &&Step| {
        step.kind == StepKind::Deploy && step.needs.iter().any(|need| syntheses.contains(need.as_str()))
    };
    steps.iter().filter(waits).collect()
}

/// Returns whether the plan can be the plan of the same run after the synthesis in its middle. Such a plan
/// deploys the same stacks, and the steps that did not wait for the synthesis are unchanged.
fn is_later(steps: &[Step], plan: &Plan) -> bool {
    if !steps.iter().any(|step| step.kind == StepKind::Synth) {
        return false;
    }
    let waiting: BTreeSet<&str> = waiting(steps).into_iter().map(|step| step.id.as_str()).collect();
    let was: BTreeMap<&str, &Step> = steps
        .iter()
        .filter(|step| step.kind == StepKind::Deploy)
        .map(|step| (step.id.as_str(), step))
        .collect();
    let is = plan.steps.iter().filter(|step| matches!(step.work, Work::Deploy { .. }));
    let is: BTreeMap<&str, Option<String>> = is.map(|step| (step.id.as_str(), content(plan, step))).collect();
    was.keys().eq(is.keys())
        && was
            .values()
            .zip(is.values())
            .all(|(was, is)| was.content == *is || waiting.contains(was.id.as_str()))
}

//! Decides whether a journal belongs to a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

use camino::Utf8Path;
use paceline_plan::{Plan, Work};
use serde::Deserialize;

use super::JournalError;
use crate::describe::content;
use crate::event::StepKind;

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

/// Finds out whether the run of a journal is a run of this plan. Reads only the first line. `None` means no.
pub(super) fn is_about(path: &Utf8Path, file: impl Read, plan: &Plan) -> Result<Option<Late>, JournalError> {
    let mut line = Vec::new();
    let read = BufReader::new(file).read_until(b'\n', &mut line);
    read.map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
    let Some(line) = line.strip_suffix(b"\n") else { return Ok(None) };
    Ok(match serde_json::from_slice::<Digest>(line) {
        Ok(Digest { plan: digest }) if digest == plan.resume_key => Some(Late::new()),
        Ok(_) => serde_json::from_slice::<Steps>(line).ok().and_then(|Steps { steps }| later(&steps, plan)),
        Err(_) => None,
    })
}

/// Finds the steps that waited for a synthesis in the middle of the run. Returns `None` unless the plan can
/// be the plan of the same run after that synthesis. Such a plan deploys the same stacks, and the steps that
/// did not wait for the synthesis are unchanged.
fn later(steps: &[Step], plan: &Plan) -> Option<Late> {
    let syntheses: BTreeSet<&str> =
        steps.iter().filter(|step| step.kind == StepKind::Synth).map(|step| step.id.as_str()).collect();
    if syntheses.is_empty() {
        return None;
    }
    let waited = |step: &Step| step.needs.iter().any(|need| syntheses.contains(need.as_str()));
    let was: BTreeMap<&str, &Step> = steps
        .iter()
        .filter(|step| step.kind == StepKind::Deploy)
        .map(|step| (step.id.as_str(), step))
        .collect();
    let is = plan.steps.iter().filter(|step| matches!(step.work, Work::Deploy { .. }));
    let is: BTreeMap<&str, Option<String>> = is.map(|step| (step.id.as_str(), content(plan, step))).collect();
    let is_same = was.keys().eq(is.keys())
        && was.values().zip(is.values()).all(|(was, is)| was.content == *is || waited(was));
    is_same.then(|| was.into_values().filter(|step| waited(step)).map(|step| step.id.clone()).collect())
}

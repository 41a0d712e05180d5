//! Whether a journal is about a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

use camino::Utf8Path;
use paceline_plan::{Plan, Work};
use serde::Deserialize;

use super::JournalError;
use crate::describe::content;
use crate::event::StepKind;

/// The start of a run, as far as it tells what the plan was. Read in two steps, since steps may be thousands.
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

/// The steps that were to be told apart only by a synthesis in the middle of the run, by their ids.
pub(super) type Late = BTreeSet<String>;

/// Whether the run of a journal was of this plan. Reads no further than its first line.
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

/// Whether a plan is that of a run whose apps would have been synthesized again in its middle, and have been by now:
/// it deploys the same stacks, and what did not wait for a synthesis is what it was. Then those that did wait.
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

//! The news of a run for people who do not watch it: one sentence, and the same as data.

use paceline_engine::event::Outcome;
use paceline_text::{count, duration};
use serde_json::{Value, json};

use crate::record::{Record, Status};

/// A sentence that says that the run begins, or is continued.
pub fn notice_of_start(record: &Record, deployment: &str) -> String {
    let begins = if record.parts.len() > 1 { "is continued" } else { "begins" };
    let stacks = count(record.stacks().count(), "stack");
    format!("{deployment}: the {} of {stacks} {begins} (run {})", work(record), record.run)
}

/// A sentence that says that the first step has failed, and why.
pub fn notice_of_failure(record: &Record, deployment: &str) -> String {
    let failure = record.first_failure().unwrap_or_else(|| "a step failed".to_owned());
    format!("{deployment}: {failure} (run {})", record.run)
}

/// A sentence that says how the run has ended.
pub fn notice_of_end(record: &Record, deployment: &str) -> String {
    let work = work(record);
    let how = match record.status() {
        Status::Done => format!("the {work} is done"),
        Status::Interrupted => format!("the {work} was interrupted and can be continued"),
        Status::Refused => format!("the {work} was refused before it changed anything"),
        _ => format!("the {work} failed"),
    };
    let first = record.first_failure().map(|failure| format!("; {failure}")).unwrap_or_default();
    let (took, counts) = (duration(record.elapsed), counts(record));
    format!("{deployment}: {how} after {took}: {counts}{first} (run {})", record.run)
}

/// The run for programs: its name, its status, and the stacks by how they ended.
pub fn notice_detail(record: &Record, deployment: &str) -> Value {
    let status = match record.status() {
        // The run itself sends the notice.
        Status::Empty | Status::Unfinished => "running",
        ended => ended.as_str(),
    };
    json!({
        "deployment": deployment,
        "run": record.run,
        "status": status,
        "duration_s": record.elapsed.as_secs_f64(),
        "stacks": record.outcomes(),
        "build": record.build.as_ref().map(|build| &build.build),
        "failure": record.first_failure(),
    })
}

fn work(record: &Record) -> &'static str {
    if record.only_deletes() { "deletion" } else { "deployment" }
}

/// Such as `12 deployed, 2 unchanged`.
fn counts(record: &Record) -> String {
    let outcomes = record.outcomes();
    let counts: Vec<String> =
        outcomes.iter().map(|(outcome, n): (&Outcome, &usize)| format!("{n} {outcome}")).collect();
    if counts.is_empty() { "no stack".to_owned() } else { counts.join(", ") }
}

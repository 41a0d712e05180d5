//! JUnit XML, which a CodeBuild report group reads: a test case is a stack, not a resource.
//!
//! The limits are CodeBuild's: 500 test cases in a report, 1,000 characters in a name, 5,000 in a message.

use std::io;

use paceline_engine::event::{Outcome, StepKind};
use paceline_text::{clean, cut, one_line};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::record::{Record, StepRecord, how_to_look};

const CASES: usize = 500;
const NAME: usize = 1_000;
/// CodeBuild joins the message and the description, so both share its limit.
const MESSAGE: usize = 3_500;
const DESCRIPTION: usize = 1_500;

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file name, without a folder.
    pub name: String,
    /// The text of the file.
    pub contents: String,
}

/// The run as JUnit XML: a suite for each phase, one for the gates, and one for the other steps that can
/// fail. One file, `junit.xml`, or `junit-1.xml` and so on where one would hold too many test cases.
pub fn junit(record: &Record) -> io::Result<Vec<Document>> {
    let mut cases: Vec<(String, &StepRecord)> = Vec::new();
    for phase in record.phases() {
        let name = if phase.name.is_empty() { "stacks" } else { phase.name };
        cases.extend(phase.stacks.iter().map(|step| (name.to_owned(), *step)));
    }
    cases.extend(record.of_kind(StepKind::Gate).map(|step| ("gates".to_owned(), step)));
    // An asset is a test case only if it failed.
    let others = record.steps.iter().filter(|step| match step.step.kind {
        StepKind::Deploy | StepKind::Delete | StepKind::Gate => false,
        StepKind::Publish => step.failed(),
        _ => true,
    });
    cases.extend(others.map(|step| ("other steps".to_owned(), step)));

    let files = cases.len().div_ceil(CASES).max(1);
    let mut documents = Vec::new();
    for i in 0..files {
        let part = &cases[(i * CASES).min(cases.len())..((i + 1) * CASES).min(cases.len())];
        let name = if files == 1 { "junit.xml".to_owned() } else { format!("junit-{}.xml", i + 1) };
        documents.push(Document { name, contents: file(record, part)? });
    }
    Ok(documents)
}

fn file(record: &Record, cases: &[(String, &StepRecord)]) -> io::Result<String> {
    let mut report = Report::new(cut(&format!("paceline {}", one_line(&record.run)), NAME));
    report.set_time(record.elapsed);
    for group in cases.chunk_by(|a, b| a.0 == b.0) {
        let mut suite = TestSuite::new(cut(&one_line(&group[0].0), NAME));
        let start = group.iter().filter_map(|(_, step)| step.started()).min().unwrap_or_default();
        let end = group.iter().filter_map(|(_, step)| step.finished()).max().unwrap_or_default();
        suite.set_time(end.saturating_sub(start));
        for (_, step) in group {
            suite.add_test_case(case(record, step));
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(io::Error::other)?;
    // Attributes may be shown in a terminal too.
    Ok(clean(&text))
}

fn case(record: &Record, step: &StepRecord) -> TestCase {
    let mut case = TestCase::new(cut(&record.label(&step.step), NAME), status(record, step));
    let place = record.place(&step.step).unwrap_or_else(|| step.step.kind.to_string());
    case.set_classname(cut(&place, NAME)).set_time(step.duration());
    if !step.retries.is_empty() {
        case.add_property(("retries", step.retries.len().to_string().as_str()));
    }
    case
}

fn status(record: &Record, step: &StepRecord) -> TestCaseStatus {
    match step.outcome {
        Some(Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged | Outcome::Prepared) => {
            TestCaseStatus::success()
        }
        Some(outcome @ (Outcome::Failed | Outcome::RolledBack)) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(outcome.as_str()).set_message(cut(&step.cause_line(), MESSAGE));
            if let Some(hint) = step.cause.as_ref().and_then(|cause| cause.hint.as_ref()) {
                status.set_description(cut(&format!("hint: {}", one_line(hint)), DESCRIPTION));
            }
            status
        }
        Some(Outcome::Interrupted) if step.spans.is_empty() => skipped("not started: the run was stopped"),
        Some(Outcome::Interrupted) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            let cause = step.cause.as_ref().map(|_| step.cause_line());
            let why = cause.as_deref().or(record.stopping.as_deref()).unwrap_or("the run was stopped");
            status.set_type("interrupted").set_message(cut(
                &format!("{why}{}; to continue the run, run the same command again", in_aws(record, step)),
                MESSAGE,
            ));
            status
        }
        Some(Outcome::Skipped) => skipped(&record.why_skipped(step)),
        None if step.running => skipped("still running when this report was written"),
        None => skipped("not started when this report was written"),
    }
}

fn in_aws(record: &Record, step: &StepRecord) -> String {
    let Some(it) = step.in_aws.as_ref().filter(|_| !record.simulated) else { return String::new() };
    let goes_on = if it.accepted { "still going on in AWS" } else { "may be going on in AWS" };
    let waits = record.waited_for(step).map(|waits| format!(", {}", waits.shown())).unwrap_or_default();
    format!("; {goes_on}: {}{waits} (to look: {})", record.operation_label(step, it), how_to_look(step))
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(cut(reason, MESSAGE));
    status
}

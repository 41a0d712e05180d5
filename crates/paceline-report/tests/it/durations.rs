//! A duration reads the same wherever it is printed: by the plan, its advice, a run and its reports.

use std::convert::Infallible;
use std::time::Duration;

use camino::Utf8Path;
use paceline_assembly::Assembly;
use paceline_config::Config;
use paceline_engine::event::Outcome;
use paceline_plan::advice::advise;
use paceline_plan::forecast::{Forecast, MadeBy, lower_bound};
use paceline_plan::show::{TextOptions, text};
use paceline_plan::{Plan, PlanOptions};
use paceline_report::{Console, ConsoleOptions, Record, Report, Style, html, markdown, summary};

use crate::journal::Journal;

const MANIFEST: &str = r#"{ "version": "36.0.0", "artifacts": {
    "First": { "type": "aws:cloudformation:stack", "environment": "aws://111122223333/us-east-1",
        "properties": { "templateFile": "Nat.json" } },
    "Second": { "type": "aws:cloudformation:stack", "environment": "aws://111122223333/us-east-1",
        "properties": { "templateFile": "Nat.json" }, "dependencies": ["First"] } } }"#;
const TEMPLATE: &str = r#"{ "Resources": { "Nat": { "Type": "AWS::EC2::NatGateway" } } }"#;

/// The seconds that a stack of this app takes, and how they are told.
const SECONDS: u64 = 118;
const WORDS: &str = "1 min 58 s";

#[test]
fn a_duration_reads_the_same_in_the_plan_its_advice_a_run_and_its_reports() {
    let planned = planned();
    assert_line(&planned, &["Second", "1 resource", WORDS]);
    // Without the edge between the stacks, the second one takes no time of its own.
    assert_line(&planned, &["1. ", WORDS, "less: Second"]);

    let mut journal = Journal::default();
    journal.stack("First", "us-east-1", &[], 118.0);
    journal.stack("Second", "us-east-1", &["deploy:First"], 118.0);
    journal.run_started(0, false);
    journal.step("deploy:First", 0, 0, SECONDS, Outcome::Deployed);
    journal.step("deploy:Second", SECONDS, SECONDS, 2 * SECONDS, Outcome::Deployed);
    journal.run_finished(2 * SECONDS, 0, 0);
    let events = journal.events();
    let style = Style { color: false, width: Some(80) };
    let mut console = Console::new(Vec::new(), ConsoleOptions { style, ..ConsoleOptions::default() });
    for event in &events {
        console.event(event).unwrap();
    }
    let said = String::from_utf8(console.into_inner()).unwrap();
    assert_line(&said, &["start", "Second", "about", WORDS]);
    assert_line(&said, &["done", "Second", "in", WORDS]);

    let record = Record::of(&events);
    assert_line(&summary(&record, None, style), &["deployed", "Second", WORDS]);
    assert_line(&markdown(&record, None), &["Second", "deployed", WORDS]);
    assert!(html(&record, None).contains(WORDS));
}

/// The plan of the app with its advice, as `paceline plan --advice` prints it.
fn planned() -> String {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    fs_err::write(folder.join("manifest.json"), MANIFEST).unwrap();
    fs_err::write(folder.join("Nat.json"), TEMPLATE).unwrap();
    let assembly = Assembly::read(folder).unwrap();
    let plan = Plan::make(&assembly, &Config::default(), &PlanOptions::default()).unwrap();
    let finish = |plan: &Plan| Ok::<Duration, Infallible>(lower_bound(plan));
    let Ok(advice) = advise(&plan, &assembly, &finish);
    let took = lower_bound(&plan);
    let forecast = Forecast {
        sequential: took,
        phased: took,
        graph: took,
        lower_bound: took,
        redeployed: None,
        whole_stacks: None,
        made_by: MadeBy::Rehearsal,
        price: None,
        what_if: None,
        advice: Some(advice),
    };
    text(&plan, &forecast, &TextOptions::default())
}

/// One line of the text has these parts, in this order.
#[track_caller]
fn assert_line(text: &str, parts: &[&str]) {
    let has = |line: &str| {
        let rest = parts.iter().try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
        rest.is_some()
    };
    assert!(text.lines().any(has), "no line with {parts:?} in:\n{text}");
}

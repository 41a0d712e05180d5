//! The timeline as a picture, and the parts of it that no snapshot shows.

use std::time::Duration;

use paceline_engine::event::{Fact, Outcome};
use paceline_report::{Record, html, svg};

use crate::journal::Journal;
use crate::pages::well_formed;
use crate::runs;

const CLUSTER: (&str, &str) = ("Cluster", "AWS::EKS::Cluster");
const ROLE: (&str, &str) = ("Role", "AWS::IAM::Role");

#[test]
fn svg_of_each_run() {
    for (name, events) in runs::all() {
        let picture = svg(&Record::of(&events));
        well_formed(&picture);
        if matches!(name, "good" | "bad" | "resumed" | "empty") {
            let (_, drawn) = picture.split_once("</style>").unwrap();
            insta::assert_snapshot!(format!("svg_{name}"), drawn);
        }
    }
}

#[test]
fn nothing_of_an_event_is_markup_in_the_picture() {
    let mut events = runs::good();
    for event in &mut events {
        let text = serde_json::to_string(&*event).unwrap();
        let text = text.replace("\"Services\"", "\"<script>&'\\u0000\\uffff\\\"</svg>\"");
        *event = serde_json::from_str(&text).unwrap();
    }
    let picture = svg(&Record::of(&events));
    well_formed(&picture);
    assert!(!picture.contains("<script") && !picture.contains('\u{ffff}'), "{picture}");
    assert_eq!(picture.matches("</svg>").count(), 1);
}

#[test]
fn the_page_loads_nothing_and_runs_only_its_own_script() {
    let page = html(&Record::of(&runs::good()), None);
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"), "{page}");
    assert!(page.contains("; script-src 'sha256-"));
    for outside in ["src=", "url(", "@import", "<link", "style=\"", "onclick"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_page_without_a_timeline_has_no_script() {
    let page = html(&Record::default(), None);
    assert!(!page.contains("<script"));
}

/// The resources of a stack: name, start and end in seconds.
fn resources(record: &Record, step: &str) -> Vec<(String, u64, Option<u64>)> {
    let resources = &record.step(step).unwrap().resources;
    let seconds = |it: Duration| it.as_secs();
    let each = |it: &paceline_report::ResourceSpan| {
        (it.logical_id.clone(), seconds(it.started), it.finished.map(seconds))
    };
    resources.iter().map(each).collect()
}

#[test]
fn every_operation_on_a_resource_has_its_times_on_the_clock_of_the_run() {
    let mut journal = Journal::default();
    journal.stack("A", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal.begin("deploy:A", 0, 2);
    journal.progress("deploy:A", 5, CLUSTER, "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:A", 6, ROLE, "CREATE_IN_PROGRESS", 0);
    // CloudFormation says again that it goes on.
    journal.progress("deploy:A", 7, ROLE, "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:A", 20, ROLE, "CREATE_FAILED", 0);
    journal.progress("deploy:A", 21, ROLE, "DELETE_IN_PROGRESS", 0);
    journal.progress("deploy:A", 25, ROLE, "DELETE_COMPLETE", 0);
    journal.turned("deploy:A", 26, "ROLLBACK_COMPLETE");
    journal.end("deploy:A", 30, 28, Outcome::RolledBack);
    journal.run_finished(30, 0, 1);
    let record = Record::of(&journal.events());
    assert_eq!(
        resources(&record, "deploy:A"),
        [
            ("Cluster".to_owned(), 5, None),
            ("Role".to_owned(), 6, Some(20)),
            ("Role".to_owned(), 21, Some(25)),
        ]
    );
}

#[test]
fn a_clock_of_cloudformation_that_is_ahead_draws_nothing_in_the_future() {
    let mut journal = Journal::default();
    journal.stack("A", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal.begin("deploy:A", 0, 0);
    journal.progress("deploy:A", 5, CLUSTER, "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:A", 9, CLUSTER, "CREATE_COMPLETE", 1);
    journal.end("deploy:A", 10, 10, Outcome::Deployed);
    journal.run_finished(10, 0, 0);
    let mut events = journal.events();
    for event in &mut events {
        if let Fact::StackProgress(progress) = &mut event.fact {
            progress.happened_at += Duration::from_hours(1);
        }
    }
    assert_eq!(resources(&Record::of(&events), "deploy:A"), [("Cluster".to_owned(), 5, Some(9))]);
}

#[test]
fn an_operation_that_goes_on_during_an_interruption_starts_the_next_part() {
    let mut journal = Journal::default();
    journal.stack("A", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal.begin("deploy:A", 0, 0);
    journal.progress("deploy:A", 5, CLUSTER, "CREATE_IN_PROGRESS", 0);
    journal.run_started(1_000, true);
    journal.begin("deploy:A", 1_000, 1_000);
    journal.progress("deploy:A", 1_010, CLUSTER, "CREATE_COMPLETE", 1);
    journal.end("deploy:A", 1_011, 11, Outcome::Deployed);
    journal.run_finished(1_011, 1_000, 0);
    let record = Record::of(&journal.events());
    // The clock of the run stood still from the last event of the first part on.
    assert_eq!(resources(&record, "deploy:A"), [("Cluster".to_owned(), 5, Some(15))]);
    assert!(svg(&record).contains("interrupted for 16 min 35 s"));
}

#[test]
fn waiting_is_told_from_working() {
    let page = html(&Record::of(&runs::good()), None);
    let peering = page.split("<title>").find(|it| it.starts_with("NetworkRegionPeering (")).unwrap();
    let story = peering.split_once("</title>").unwrap().0;
    assert_eq!(
        story,
        "NetworkRegionPeering (us-east-1): deployed\n\
         waited 25 min 8 s for other steps, the last of them gate IAM roles of ServicesSecondary\n\
         waited 22 s for the concurrency limit\n\
         25:30 to 28:20, 2 min 50 s"
    );
    let row = peering.split_once("</g>").unwrap().0;
    assert!(row.contains("<line class=\"needs\"") && row.contains("<line class=\"room\""), "{row}");
}

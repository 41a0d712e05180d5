//! What is told of a run to those who do not watch it.

use paceline_engine::event::Event;
use paceline_report::{Record, notice_detail, notice_of_end, notice_of_failure, notice_of_start};
use serde_json::json;

use crate::runs;

fn record(events: &[Event]) -> Record {
    Record::of(events)
}

#[test]
fn the_start_says_how_many_stacks_there_are() {
    let record = record(&runs::good()[..1]);
    assert_eq!(
        notice_of_start(&record, "shop"),
        "shop: the deployment of 5 stacks begins (run 2025-11-17-a1b2)"
    );
    assert_eq!(notice_detail(&record, "shop")["status"], "running");
}

#[test]
fn the_end_says_how_long_it_took_and_how_the_stacks_ended() {
    let record = record(&runs::good());
    assert_eq!(
        notice_of_end(&record, "shop"),
        "shop: the deployment is done after 28 min 22 s: 4 deployed, 1 unchanged (run 2025-11-17-a1b2)"
    );
    assert_eq!(
        notice_detail(&record, "shop"),
        json!({
            "deployment": "shop", "run": "2025-11-17-a1b2", "status": "done", "duration_s": 1702.0,
            "stacks": { "deployed": 4, "unchanged": 1 }, "build": null, "failure": null,
        })
    );
}

#[test]
fn a_failure_says_its_first_cause() {
    let record = record(&runs::bad());
    let failure = record.first_failure().unwrap();
    assert_eq!(notice_of_failure(&record, "shop"), format!("shop: {failure} (run 2025-11-17-a1b2)"));
    let end = notice_of_end(&record, "shop");
    assert!(end.starts_with("shop: the deployment failed after "), "{end}");
    assert!(end.contains(&failure), "{end}");
    assert_eq!(notice_detail(&record, "shop")["failure"], failure);
}

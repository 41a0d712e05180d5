//! What a record says of a run that is not in a report's words.

use std::time::Duration;

use paceline_engine::event::Outcome;
use paceline_report::{Record, Status, Style, critical_path, summary, what_to_shorten};

use crate::journal::Journal;
use crate::runs;

fn path(record: &Record) -> Vec<&str> {
    critical_path(record).iter().map(|link| link.step.step.step.as_str()).collect()
}

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn the_critical_path_goes_through_the_gates() {
    let record = Record::of(&runs::good());
    assert_eq!(
        path(&record),
        [
            "publish:asset1",
            "deploy:Services",
            "gate:iam-roles:Services",
            "deploy:ServicesSecondary",
            "gate:iam-roles:ServicesSecondary",
            "deploy:NetworkRegionPeering",
            "deploy:NetworkRoutesMain",
        ]
    );
    let links = critical_path(&record);
    assert_eq!(links[5].idle, secs(22), "it waited for room");
    let total: Duration = links.iter().map(|link| link.idle + link.duration()).sum();
    assert_eq!(total, record.elapsed);
}

#[test]
fn the_gain_ends_where_something_else_decides() {
    let record = Record::of(&runs::good());
    let stacks = what_to_shorten(&record);
    let first = &stacks[0];
    assert_eq!(first.step.step.title, "Services");
    assert_eq!((first.took, first.gain), (secs(888), secs(888)));
    let second = &stacks[1];
    assert_eq!(second.step.step.title, "ServicesSecondary");
    // Without it, `Applications` would have ended last: 670 s after the gate, instead of 771 s.
    assert_eq!((second.took, second.gain), (secs(591), secs(101)));
}

#[test]
fn a_stack_that_waits_for_one_resource_follows_a_stack_that_goes_on() {
    let mut journal = Journal::default();
    journal.stack("Early", "us-east-1", &[], 0.0);
    journal.stack("Slow", "us-east-1", &[], 0.0);
    journal.stack("User", "us-east-1", &["deploy:Early", "deploy:Slow"], 0.0);
    journal.run_started(0, false);
    journal.step("deploy:Early", 0, 0, 10, Outcome::Deployed);
    journal.step("deploy:Slow", 0, 0, 80, Outcome::Deployed);
    journal.step("deploy:User", 50, 50, 100, Outcome::Deployed);
    journal.run_finished(100, 0, 0);
    let record = Record::of(&journal.events());
    assert_eq!(path(&record), ["deploy:Slow", "deploy:User"]);
    let gains: Vec<_> = what_to_shorten(&record).iter().map(|stack| stack.gain).collect();
    assert_eq!(gains, [secs(40), secs(20)]);
}

#[test]
fn the_clock_of_a_run_stands_still_between_its_parts() {
    let record = Record::of(&runs::resumed());
    assert_eq!(record.parts.len(), 2);
    assert_eq!(record.parts[1].started, secs(1_200));
    assert_eq!(record.parts[1].pause, secs(3_600));
    assert_eq!(record.elapsed, secs(1_525));
    let services = record.step("deploy:Services").unwrap();
    assert!(services.resumed);
    assert_eq!(services.duration(), secs(888), "looking again is not deploying again");
    let secondary = record.step("deploy:ServicesSecondary").unwrap();
    assert_eq!(secondary.started(), Some(secs(909)), "its operation went on while nobody watched");
    assert_eq!(secondary.finished(), Some(secs(1_400)));
    assert!(secondary.slowest.is_empty(), "the time without the run would count");
    let waited_for =
        ["publish:asset1", "deploy:Services", "gate:iam-roles:Services", "deploy:ServicesSecondary"];
    assert_eq!(path(&record)[..4], waited_for, "not what the second part looked at again");
    assert_eq!(record.status(), Status::Done);
}

#[test]
fn what_failed_and_is_tried_again_is_measured_from_then() {
    let mut journal = Journal::default();
    journal.stack("A", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal.step("deploy:A", 0, 0, 50, Outcome::Failed);
    journal.run_finished(50, 0, 1);
    journal.run_started(500, true);
    journal.step("deploy:A", 501, 502, 512, Outcome::Deployed);
    journal.run_finished(512, 500, 0);
    let record = Record::of(&journal.events());
    let stack = record.step("deploy:A").unwrap();
    assert_eq!(stack.spans.len(), 2);
    assert_eq!((stack.duration(), stack.queued()), (secs(10), secs(1)));
    assert_eq!(record.status(), Status::Done);
    assert!(record.all_succeeded());
}

/// A run of these steps, each with its region, its forecast and its time in seconds; all start at once.
fn side_by_side(stacks: &[(&str, &str, f64, u64, Outcome)], push: u64) -> Record {
    let mut journal = Journal::default();
    journal.asset("web image");
    for (id, region, expected, ..) in stacks {
        journal.stack(id, region, &["publish:web image"], *expected);
    }
    journal.run_started(0, false);
    journal.step("publish:web image", 0, 0, push, Outcome::Deployed);
    let mut end = push;
    for (id, _, _, took, outcome) in stacks {
        journal.step(&format!("deploy:{id}"), push, push, push + took, *outcome);
        end = end.max(push + took);
    }
    journal.run_finished(end, 0, 0);
    Record::of(&journal.events())
}

#[test]
fn a_push_that_decided_is_what_to_shorten_and_not_a_short_stack_behind_it() {
    let record = side_by_side(&[("Worker", "us-east-1", 1.0, 1, Outcome::Deployed)], 40);
    let first = &what_to_shorten(&record)[0];
    assert_eq!((first.step.step.step.as_str(), first.gain), ("publish:web image", secs(40)));
    assert_eq!(what_to_shorten(&record).len(), 1);
}

#[test]
fn a_stack_whose_twin_takes_as_long_is_shortened_together_with_it() {
    let stacks = [
        ("ServicesEast", "us-east-1", 600.0, 600, Outcome::Deployed),
        ("ServicesWest", "us-west-2", 600.0, 590, Outcome::Deployed),
    ];
    let record = side_by_side(&stacks, 10);
    let shortenings = what_to_shorten(&record);
    let twin = shortenings[0].twin.unwrap();
    assert_eq!((twin.step.title.as_str(), shortenings[0].gain), ("ServicesWest", secs(600)));
    let text = summary(&record, None, Style::default());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("shorten ServicesEast (us-east-1) together with ServicesWest (us-west-2)"),
        "{text}"
    );
}

#[test]
fn a_run_that_found_nothing_to_do_is_given_no_advice() {
    let record = side_by_side(&[("A", "us-east-1", 60.0, 1, Outcome::Unchanged)], 0);
    assert!(what_to_shorten(&record).is_empty());
}

#[test]
fn a_run_ends_with_its_forecast_and_the_stacks_that_were_off() {
    let stacks = [
        ("On", "us-east-1", 100.0, 105, Outcome::Deployed),
        ("Off", "us-east-1", 100.0, 150, Outcome::Deployed),
    ];
    let text = summary(&side_by_side(&stacks, 0), None, Style::default());
    assert!(text.contains("\nForecast 1 min 45 s, took 2 min 30 s (43 % longer)\n"), "{text}");
    assert!(
        text.contains("  Off (us-east-1): forecast 1 min 40 s, took 2 min 30 s (50 % longer)\n"),
        "{text}"
    );
    assert!(!text.contains("On (us-east-1): forecast"), "{text}");
}

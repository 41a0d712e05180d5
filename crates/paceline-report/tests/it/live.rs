//! The live part of a terminal, frame by frame.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Event, Outcome};
use paceline_report::{Focus, Live, Move, Record, Screen, cause_of_stack, frame, state_of_stack};

use crate::journal::{Journal, failed};
use crate::runs;

const CLUSTER: (&str, &str) = ("Cluster", "AWS::EKS::Cluster");
const TABLE: (&str, &str) = ("OrdersTable", "AWS::DynamoDB::Table");
const ROLE: (&str, &str) = ("DeployRole", "AWS::IAM::Role");

const WIDE: Screen = Screen { width: 120, height: 40, color: false };
const USUAL: Screen = Screen { width: 80, height: 24, color: false };
const NARROW: Screen = Screen { width: 40, height: 24, color: false };

/// The frame so many seconds after the start of the run, made of the events before it.
fn at(events: &[Event], seconds: u64, at_once: Option<usize>, screen: Screen) -> Vec<String> {
    let now = start(events) + Duration::from_secs(seconds);
    let record = Record::of(events.iter().filter(|event| event.at <= now));
    let lines = frame(&record, now, Live { at_once, focus: None }, screen);
    let most = usize::from(screen.width) - 1;
    for line in &lines {
        assert!(line.chars().count() <= most, "wider than {most} columns: {line}");
        assert_eq!(line, line.trim_end());
    }
    assert!(lines.len() < usize::from(screen.height), "{} lines", lines.len());
    lines
}

fn start(events: &[Event]) -> Timestamp {
    events.first().map(|event| event.at).unwrap()
}

fn text(lines: &[String]) -> String {
    lines.join("\n")
}

/// Two regions: one stack waits for a cluster, one tries a call again, one fails.
fn busy() -> Vec<Event> {
    let mut journal = Journal::default();
    for n in 0..3 {
        journal.asset(&format!("asset{n}"));
    }
    journal.stack("Network", "us-east-1", &[], 60.0);
    journal.stack("Services", "us-east-1", &["deploy:Network"], 900.0);
    journal.stack("ServicesSecondary", "eu-central-1", &["deploy:Network"], 700.0);
    journal.stack("UserSimulationStack", "eu-central-1", &["deploy:Network"], 120.0);
    journal.gate("Network");
    journal.stack("Dashboard", "us-east-1", &["deploy:Services", "deploy:ServicesSecondary"], 300.0);
    journal.run_started(0, false);
    journal.step("publish:asset0", 0, 0, 4, Outcome::Deployed);
    journal.begin("publish:asset1", 0, 4);
    journal.begin("publish:asset2", 0, 5);
    journal.step("deploy:Network", 0, 0, 62, Outcome::Deployed);
    journal.begin("gate:iam-roles:Network", 62, 63);
    journal.begin("deploy:Services", 62, 63);
    journal.progress("deploy:Services", 70, TABLE, "CREATE_IN_PROGRESS", 3);
    journal.progress("deploy:Services", 75, CLUSTER, "CREATE_IN_PROGRESS", 3);
    journal.begin("deploy:ServicesSecondary", 62, 64);
    journal.retried("deploy:ServicesSecondary", 80, 3, "Throttling: Rate exceeded");
    journal.begin("deploy:UserSimulationStack", 62, 65);
    let denied = Some("User is not authorized to perform: iam:CreateRole");
    journal.progress_because("deploy:UserSimulationStack", 90, ROLE, "CREATE_FAILED", 0, denied);
    journal.turned("deploy:UserSimulationStack", 91, "ROLLBACK_IN_PROGRESS");
    journal.events()
}

/// As many stacks as a large app has, all running at once.
fn two_hundred() -> Vec<Event> {
    let mut journal = Journal::default();
    let id = |n: u64| format!("Tenant{n:03}");
    for n in 0..200 {
        journal.stack(&id(n), if n % 2 == 0 { "us-east-1" } else { "ap-southeast-2" }, &[], 600.0);
    }
    journal.stack("Front", "us-east-1", &["deploy:Tenant000"], 300.0);
    journal.run_started(0, false);
    for n in 0..200 {
        journal.begin(&format!("deploy:{}", id(n)), 0, n);
        journal.progress(&format!("deploy:{}", id(n)), n + 5, TABLE, "CREATE_IN_PROGRESS", 3);
    }
    journal.end("deploy:Tenant007", 240, 233, Outcome::Deployed);
    journal.end("deploy:Tenant008", 250, 242, failed("Role", "denied", "allow it"));
    journal.events()
}

#[test]
fn a_frame_names_what_each_running_stack_waits_for() {
    let events = busy();
    insta::assert_snapshot!("live_80_columns", text(&at(&events, 190, None, USUAL)));
    insta::assert_snapshot!("live_120_columns", text(&at(&events, 190, None, WIDE)));
}

#[test]
fn a_narrow_frame_keeps_names_and_times() {
    insta::assert_snapshot!("live_40_columns", text(&at(&busy(), 190, None, NARROW)));
}

#[test]
fn of_two_hundred_stacks_as_many_are_shown_as_there_are_lines() {
    let events = two_hundred();
    insta::assert_snapshot!("live_200_stacks", text(&at(&events, 300, Some(200), USUAL)));
    for (height, expected) in [(40, 35), (24, 19), (10, 5), (6, 3), (4, 3), (3, 2), (2, 1)] {
        let lines = at(&events, 300, None, Screen { height, ..USUAL });
        assert_eq!(lines.len(), expected, "{height} lines: {lines:?}");
    }
}

#[test]
fn every_size_of_a_terminal_has_a_frame() {
    for events in [busy(), two_hundred(), runs::good(), runs::bad(), runs::resumed(), runs::deleted(true)] {
        for width in [1, 10, 17, 20, 30, 40, 60, 79, 80, 200] {
            for height in [1, 2, 3, 5, 24] {
                at(&events, 200, Some(2), Screen { width, height, color: false });
            }
        }
    }
}

#[test]
fn times_pass_without_events() {
    let events = busy();
    let (before, after) = (at(&events, 190, None, USUAL), at(&events, 250, None, USUAL));
    let of = |lines: &[String]| lines.iter().find(|line| line.starts_with("Services ")).unwrap().clone();
    assert!(of(&before).contains("02:07") && of(&before).contains("~13 min"), "{before:?}");
    assert!(of(&after).contains("03:07") && of(&after).contains("~12 min"), "{after:?}");
}

#[test]
fn a_stack_that_takes_longer_than_its_forecast_makes_no_promise() {
    let mut journal = Journal::default();
    journal.stack("Api", "us-east-1", &[], 60.0);
    journal.stack("Web", "us-east-1", &["deploy:Api"], 120.0);
    journal.run_started(0, false);
    journal.begin("deploy:Api", 0, 0);
    let lines = at(&journal.events(), 200, None, USUAL);
    assert!(lines[1].contains("3 min late"), "{lines:?}");
    assert!(lines[2].ends_with("at least 2 min left"), "{lines:?}");
}

#[test]
fn the_time_left_is_a_range_when_stacks_wait_for_room_or_the_forecast_was_wrong() {
    let tenants = |expected_s: f64| {
        let mut journal = Journal::default();
        for id in ["A", "B", "C", "D"] {
            journal.stack(id, "us-east-1", &[], expected_s);
        }
        journal.run_started(0, false);
        journal
    };
    let last = |events: &[Event], at_once| at(events, 60, at_once, USUAL).last().unwrap().clone();
    let mut exact = tenants(600.0);
    exact.begin("deploy:A", 0, 0);
    assert!(last(&exact.events(), None).ends_with("about 10 min left"));
    let mut crowded = tenants(600.0);
    crowded.begin("deploy:A", 0, 0);
    let line = last(&crowded.events(), Some(2));
    assert!(line.ends_with("20 to 30 min left"), "{line}");
    let mut slow = tenants(30.0);
    slow.step("deploy:A", 0, 0, 60, Outcome::Deployed);
    let line = last(&slow.events(), None);
    assert!(line.ends_with("30 s to 1 min left"), "{line}");
}

#[test]
fn nothing_is_drawn_before_a_run_and_after_it() {
    assert_eq!(frame(&Record::default(), Timestamp::UNIX_EPOCH, Live::default(), USUAL), [""; 0]);
    let events = runs::good();
    assert_eq!(at(&events, 5_000, None, USUAL), [""; 0]);
}

#[test]
fn colours_add_to_the_words_and_replace_none() {
    let events = busy();
    let now = start(&events) + Duration::from_secs(190);
    let record = Record::of(&events);
    let colored = frame(&record, now, Live::default(), Screen { color: true, ..USUAL }).join("\n");
    assert!(colored.contains("\x1b[1;31mrolls back"), "{colored}");
    let plain = paceline_text::clean(&colored);
    assert_eq!(plain, frame(&record, now, Live::default(), USUAL).join("\n"));
}

/// A frame of 80 columns in which keys are read.
fn selecting(record: &Record, now: Timestamp, focus: &Focus) -> String {
    text(&frame(record, now, Live { at_once: None, focus: Some(focus) }, USUAL))
}

#[test]
fn keys_select_the_running_stacks_in_the_order_of_the_frame_and_then_the_failed_ones() {
    let events = busy();
    let now = start(&events) + Duration::from_secs(150);
    let record = Record::of(events.iter().filter(|event| event.at <= now));
    let mut focus = Focus::default();
    assert!(selecting(&record, now, &focus).ends_with("keys: up and down select a stack, q ends"));
    let mut seen = Vec::new();
    for _ in 0..5 {
        focus.select(&record, Move::Down);
        seen.push(focus.selected(&record).unwrap().step.title.clone());
    }
    seen.dedup();
    let shown = selecting(&record, now, &Focus::default());
    let places: Vec<_> = seen.iter().filter_map(|stack| shown.find(&format!("{stack} "))).collect();
    assert!(seen.len() > 1 && places.is_sorted() && !places.is_empty(), "{seen:?}\n{shown}");
    focus.select(&record, Move::Up);
    insta::assert_snapshot!(selecting(&record, now, &focus));
}

#[test]
fn enter_follows_the_selected_stack_and_ends_that_again() {
    let events = busy();
    let now = start(&events) + Duration::from_secs(150);
    let record = Record::of(events.iter().filter(|event| event.at <= now));
    let mut focus = Focus::default();
    assert_eq!(focus.follow(), None, "no stack is selected");
    focus.select(&record, Move::Down);
    let id = focus.selected(&record).unwrap().step.step.clone();
    assert_eq!(focus.follow(), Some(id.as_str()));
    assert!(selecting(&record, now, &focus).contains("enter ends this"));
    assert_eq!(focus.follow(), None);
}

#[test]
fn a_stack_shows_its_state_and_its_cause() {
    let events = busy();
    let now = start(&events) + Duration::from_secs(150);
    let record = Record::of(events.iter().filter(|event| event.at <= now));
    let style = paceline_report::Style { color: false, width: Some(80) };
    let mut said = String::new();
    for step in record.stacks() {
        said += &state_of_stack(&record, step, now, style);
        said += &cause_of_stack(&record, step, now, style);
    }
    insta::assert_snapshot!(said);
}

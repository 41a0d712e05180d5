//! `paceline destroy`, against the simulator in another process.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Call, Events, Place, Sim, until};
use crate::workshop::{self, STACKS};

/// Fast enough not to be waited for.
const FAST: u32 = 2000;
/// Slow enough to be interrupted.
const MEDIUM: u32 = 500;

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    let app = workshop::app_without_gates(place);
    place.paceline(["deploy", "--quiet"]).args(app).multi_region().aws_at(&sim.address)
}

fn destroy<'a>(place: &'a Place, sim: &Sim, events: &str) -> Call<'a> {
    let app = workshop::app_without_gates(place);
    place.paceline(["destroy", "--events", events]).args(app).aws_at(&sim.address)
}

/// How each stack ended, sorted.
fn outcomes(path: &Path) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = Events::read(path).last_part();
    let of_stacks = events.of("step.finished").filter(|event| event["kind"] == "delete");
    let mut outcomes: Vec<_> = of_stacks.map(|it| (text(&it["stack"]), text(&it["outcome"]))).collect();
    outcomes.sort();
    outcomes
}

#[track_caller]
fn assert_all(path: &Path, outcome: &str) {
    let outcomes = outcomes(path);
    assert_eq!(outcomes.len(), STACKS, "{outcomes:?}");
    assert!(outcomes.iter().all(|(_, ended)| ended == outcome), "{outcomes:?}");
}

#[test]
fn without_yes_it_says_what_would_be_deleted_and_asks_nobody() {
    let place = Place::new();
    let ran = place.paceline(["destroy"]).args(workshop::app()).run().expect(2);
    assert!(ran.stdout.starts_with("5 stacks to delete"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Not deleted:\n"), "what stays is shown: {}", ran.stdout);
    assert!(ran.stderr.starts_with("error: nothing was deleted\n hint: run it with --yes"), "{}", ran.stderr);
    let dry = place.paceline(["destroy", "--dry-run", "--yes"]).args(workshop::app()).run().expect(0);
    assert_eq!((dry.stdout, dry.stderr), (ran.stdout, String::new()));
    let json = place.paceline(["destroy", "--format", "json"]).args(workshop::app()).run().expect(2);
    let document = json.document("destroy");
    let stacks = document["stacks"].as_array().unwrap();
    // What others need goes last.
    assert_eq!((stacks.len(), &stacks[4]["id"]), (5, &json!("Services")));
    assert!(stacks[4]["after"].as_array().unwrap().contains(&json!("Applications")), "{document:#}");
    assert!(stacks[4]["keeps"].as_array().is_some_and(|kept| !kept.is_empty()), "{document:#}");
    assert_eq!(place.runs(), [""; 0]);
}

#[test]
fn everything_goes_in_the_reverse_order_and_once_more_is_no_failure() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    deploy(&place, &sim).run().expect(0);
    let call = destroy(&place, &sim, "events.jsonl").args(["--yes", "--report", "report"]);
    let ran = call.multi_region().run().expect(0);
    assert!(ran.stderr.contains("14 stacks deleted in "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("deployed"), "{}", ran.stderr);
    assert_all(&place.path("events.jsonl"), "deleted");
    let events = Events::read(&place.path("events.jsonl"));
    let position = |kind: &str, stack: &str| {
        let is_it = |event: &Value| event["event"] == kind && event["stack"] == stack;
        events.0.iter().position(is_it).unwrap()
    };
    for (user, used, reason) in workshop::edges(&workshop::app()) {
        let (gone, started) = (position("step.finished", &user), position("step.started", &used));
        assert!(gone < started, "{used} went while {user} was there ({reason})");
    }
    assert!(place.read("report/summary.md").starts_with("# 14 stacks deleted in "));
    assert!(place.list("report").contains(&"timeline.html".to_owned()));

    let ran = destroy(&place, &sim, "again.jsonl").args(["--yes"]).multi_region().run().expect(0);
    assert!(
        ran.stderr.contains("0 stacks deleted in") && ran.stderr.contains("14 were not there"),
        "{}",
        ran.stderr
    );
    assert_all(&place.path("again.jsonl"), "unchanged");
    assert_eq!(sim.accepted("DeleteStack").len(), STACKS);
}

#[test]
fn a_killed_run_is_finished_by_the_same_command_and_nothing_is_deleted_twice() {
    let (place, sim) = (Place::new(), Sim::start(MEDIUM));
    deploy(&place, &sim).run().expect(0);
    let running = destroy(&place, &sim, "first.jsonl").args(["--yes"]).multi_region().start("first.log");
    let path = place.path("first.jsonl");
    until("some stacks are gone", || Events::count(&path, "step.finished") >= 3);
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    assert!(sim.accepted("DeleteStack").len() < STACKS, "it was killed too late to tell");

    let call = destroy(&place, &sim, "second.jsonl").args(["--yes", "--resume"]);
    let ran = call.multi_region().run().expect(0);
    assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
    assert_all(&place.path("second.jsonl"), "deleted");
    let sent = sim.accepted("DeleteStack");
    assert_eq!(sent.len(), sent.iter().collect::<BTreeSet<_>>().len(), "{sent:?}");
    assert_eq!(sent.len(), STACKS);
}

#[test]
fn a_region_that_is_off_is_not_left_behind_in_silence() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    deploy(&place, &sim).run().expect(0);
    let ran = destroy(&place, &sim, "events.jsonl").args(["--yes"]).run().expect(3);
    assert!(ran.stderr.contains("would be left behind: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("ServicesSecondary") && ran.stderr.contains(" hint: "), "{}", ran.stderr);
    assert_eq!(sim.accepted("DeleteStack"), [""; 0]);
    assert_eq!(place.runs().len(), 1, "the deployment's: what was refused leaves no run");

    let ran = destroy(&place, &sim, "events.jsonl").args(["--yes", "--only", "Services"]);
    let ran = ran.multi_region().run().expect(3);
    assert!(ran.stderr.contains("Applications stays, and imports what Services exports"), "{}", ran.stderr);
    assert_eq!(sim.accepted("DeleteStack"), [""; 0]);

    let call = destroy(&place, &sim, "events.jsonl").args(["--yes", "--only", "ObservabilityDashboard"]);
    call.multi_region().run().expect(0);
    assert_eq!(sim.accepted("DeleteStack").len(), 1);
}

#[test]
fn protected_stacks_are_all_named_before_anything_is_deleted() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let stack = |protected: bool| {
        json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": {"templateFile": "t.json", "terminationProtection": protected},
        })
    };
    let artifacts = json!({"One": stack(true), "Other": stack(false), "Two": stack(true)});
    place.write("cdk.out/manifest.json", &json!({"version": "36.0.0", "artifacts": artifacts}).to_string());
    place.write("cdk.out/t.json", r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#);
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    let ran = place.paceline(["destroy", "--yes"]).aws_at(&sim.address).run().expect(3);
    for id in ["One", "Two"] {
        assert!(ran.stderr.contains(&format!("error: {id}: termination protection is on")), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("Other"), "{}", ran.stderr);
    assert_eq!(sim.accepted("DeleteStack"), [""; 0]);
    place.paceline(["destroy", "--yes", "--only", "Other"]).aws_at(&sim.address).run().expect(0);
    assert_eq!(sim.accepted("DeleteStack").len(), 1);
}

#[test]
fn an_app_is_not_deleted_while_another_process_deploys_it() {
    let (place, sim) = (Place::new(), Sim::start(1));
    let app = workshop::app_without_gates(&place);
    let call = place.paceline(["deploy", "--events", "first.jsonl"]).args(app).aws_at(&sim.address);
    let running = call.multi_region().start("first.log");
    let path = place.path("first.jsonl");
    until("it has started", || Events::count(&path, "step.started") > 0);
    let ran = destroy(&place, &sim, "events.jsonl").args(["--yes"]).multi_region().run().expect(3);
    assert!(ran.stderr.contains("another process is deploying this app, or deleting it"), "{}", ran.stderr);
    running.signal("KILL");
    running.end();
}

#[test]
fn a_simulated_deletion_needs_no_aws_and_no_yes() {
    let place = Place::new();
    let call = place.paceline(["destroy", "--simulate", "--events", "events.jsonl"]).args(workshop::app());
    let ran = call.multi_region().run().expect(0);
    assert!(
        ran.stderr.contains("14 stacks deleted in") && ran.stderr.contains("(simulated)"),
        "{}",
        ran.stderr
    );
    assert_all(&place.path("events.jsonl"), "deleted");
    assert_eq!(place.runs(), [""; 0]);
}

#[test]
fn out_of_time_before_it_has_begun_it_says_that_nothing_was_deleted() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    deploy(&place, &sim).run().expect(0);
    let call = destroy(&place, &sim, "events.jsonl").args(["--yes", "--deadline", "0s"]);
    let ran = call.multi_region().run().expect(4);
    assert!(ran.stderr.contains("Out of time while "), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("Nothing was deleted.\n"), "{}", ran.stderr);
    destroy(&place, &sim, "events.jsonl").args(["--yes"]).multi_region().run().expect(0);
    assert_eq!(sim.accepted("DeleteStack").len(), STACKS);
}

//! `paceline rollback`, against the simulator in another process.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Call, Events, Place, Sim, until};

/// Fast enough not to be waited for.
const FAST: u32 = 2000;
/// Slow enough to be interrupted.
const MEDIUM: u32 = 100;
/// The stacks of both versions.
const OLD: [&str; 3] = ["Api", "Base", "Web"];

fn topic(display_name: &str) -> Value {
    json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic",
        "Properties": { "DisplayName": display_name } } } })
}

/// Writes an app of three stacks in a chain. Its second version also has stacks that it creates.
fn app(place: &Place, version: &str) {
    let mut stacks = vec![("Base", topic(version), vec![]), ("Api", topic(version), vec!["Base"])];
    stacks.push(("Web", topic(version), vec!["Api"]));
    if version == "two" {
        stacks.push(("New", topic(version), vec!["Web"]));
        let bucket = json!({ "Resources": { "Bucket": { "Type": "AWS::S3::Bucket" } } });
        stacks.push(("Store", bucket, vec![]));
    }
    let mut artifacts = serde_json::Map::new();
    for (name, template, after) in stacks {
        place.write(&format!("cdk.out/{name}.json"), &template.to_string());
        let stack = json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": format!("{name}.json"), "tags": { "version": version } },
            "dependencies": after,
        });
        artifacts.insert(name.to_owned(), stack);
    }
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
}

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["deploy", "--quiet"]).aws_at(&sim.address)
}

fn rollback<'a>(place: &'a Place, sim: &Sim, arguments: &[&str]) -> Call<'a> {
    place.paceline(["rollback", "last"]).args(arguments).aws_at(&sim.address)
}

/// A folder and an AWS in which the app was deployed in both versions.
fn deployed_twice(scale: u32) -> (Place, Sim) {
    let (place, sim) = (Place::new(), Sim::start(scale));
    for version in ["one", "two"] {
        app(&place, version);
        deploy(&place, &sim).run().expect(0);
    }
    (place, sim)
}

/// Checks that the stacks are those of the first version: to deploy it changes nothing.
#[track_caller]
fn assert_version_one(place: &Place, sim: &Sim) {
    let before = sim.accepted("UpdateStack").len();
    app(place, "one");
    deploy(place, sim).run().expect(0);
    assert_eq!(sim.accepted("UpdateStack").len(), before);
}

#[test]
fn a_run_is_undone_in_the_reverse_order_and_what_it_created_stays() {
    let (place, sim) = deployed_twice(FAST);
    let ran = rollback(&place, &sim, &["--yes", "--events", "events.jsonl", "--report", "report"]);
    let ran = ran.run().expect(0);
    assert!(ran.stderr.contains("3 stacks done in"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("note: New: the run created it; --delete-created deletes it"),
        "{}",
        ran.stderr
    );
    let events = Events::read(&place.path("events.jsonl"));
    let started: Vec<&str> =
        events.of_stacks("step.started").map(|event| event["stack"].as_str().unwrap()).collect();
    assert_eq!(started, ["Web", "Api", "Base"]);
    assert!(events.of("run.started").all(|event| event["undoes"].as_str() == Some(&place.runs()[1])));
    assert!(
        place.read("report/summary.md").starts_with("# Rolled back "),
        "{}",
        place.read("report/summary.md")
    );
    assert_eq!(sim.accepted("DeleteStack"), [""; 0]);
    assert_version_one(&place, &sim);
}

#[test]
fn without_yes_it_says_what_it_would_do_and_does_nothing() {
    let (place, sim) = deployed_twice(FAST);
    let sent = sim.calls().len();
    let ran = rollback(&place, &sim, &["--delete-created"]).run().expect(2);
    assert!(ran.stdout.contains(": 3 stacks to restore and 1 to delete; about "), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("Store: the run created it, with Bucket (AWS::S3::Bucket)"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.starts_with("error: nothing was rolled back\n hint: run it with --yes"),
        "{}",
        ran.stderr
    );
    let dry = rollback(&place, &sim, &["--delete-created", "--yes", "--dry-run"]).run().expect(0);
    assert_eq!((dry.stdout, dry.stderr), (ran.stdout, String::new()));
    let json = rollback(&place, &sim, &["--delete-created", "--format", "json"]).run().expect(2);
    let document = json.document("rollback");
    let effects: Vec<_> = document["stacks"].as_array().unwrap().iter().map(|it| &it["effect"]).collect();
    assert_eq!(effects.iter().filter(|effect| **effect == "restore").count(), 3, "{document:#}");
    assert_eq!(effects.iter().filter(|effect| **effect == "delete").count(), 1, "{document:#}");
    assert_eq!(document["stays"][0]["stack"], "Store");
    assert_eq!((sim.calls().len(), place.runs().len()), (sent, 2));
}

#[test]
fn what_was_created_is_deleted_if_asked_for_and_data_must_be_named() {
    let (place, sim) = deployed_twice(FAST);
    rollback(&place, &sim, &["--yes", "--delete-created"]).run().expect(0);
    assert_eq!(sim.accepted("DeleteStack"), ["New"]);
    let run = place.runs()[1].clone();
    let arguments = ["rollback", &run, "--yes", "--delete-created", "--including", "Store"];
    place.paceline(arguments).aws_at(&sim.address).run().expect(0);
    assert_eq!(sim.accepted("DeleteStack"), ["New", "Store"]);
    let ran = rollback(&place, &sim, &["--including", "Sture"]).run().expect(2);
    assert!(ran.stderr.contains("Sture"), "{}", ran.stderr);
}

#[test]
fn a_killed_rollback_is_finished_by_the_same_command_and_nothing_is_done_twice() {
    let (place, sim) = deployed_twice(MEDIUM);
    let updates = || sim.accepted("UpdateStack").len();
    let before = updates();
    let running = rollback(&place, &sim, &["--yes", "--events", "first.jsonl"]).start("first.log");
    let path = place.path("first.jsonl");
    until("a stack is restored", || Events::count(&path, "step.finished") >= 1);
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    assert!(updates() < before + OLD.len(), "it was killed too late to tell");

    let ran = rollback(&place, &sim, &["--yes", "--resume", "--events", "second.jsonl"]).run().expect(0);
    assert!(ran.stderr.contains("continuing the interrupted run"), "{}", ran.stderr);
    let outcomes = Events::read(&place.path("second.jsonl")).last_part().outcomes();
    let ended: BTreeSet<&str> = outcomes.iter().map(|(_, outcome)| outcome.as_str()).collect();
    assert_eq!((outcomes.len(), ended), (OLD.len(), BTreeSet::from(["deployed"])));
    assert_eq!(updates(), before + OLD.len());
    assert_version_one(&place, &sim);
}

#[test]
fn what_somebody_else_has_changed_since_is_named_before_anything_is_touched() {
    let (place, sim) = deployed_twice(FAST);
    let elsewhere = Place::new();
    app(&elsewhere, "three");
    deploy(&elsewhere, &sim).args(["--exclusively", "Api"]).run().expect(0);
    let before = sim.accepted("UpdateStack").len();
    let ran = rollback(&place, &sim, &["--yes"]).run().expect(3);
    assert!(ran.stderr.contains("error: Api: somebody else has changed it since the run"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!((sim.accepted("UpdateStack").len(), place.runs().len()), (before, 2));
    rollback(&place, &sim, &["--yes", "--force"]).run().expect(0);
    assert_version_one(&place, &sim);
}

#[test]
fn a_failed_run_is_rolled_back_by_itself_if_the_configuration_says_so() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--fail", "Web:Topic:update"]));
    place.write("paceline.yaml", "on-failure: { run: rollback }\n");
    app(&place, "one");
    deploy(&place, &sim).run().expect(0);
    app(&place, "two");
    let ran = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).run().expect(1);
    assert!(ran.stderr.contains("as `on-failure` in paceline.yaml says"), "{}", ran.stderr);
    assert_eq!(place.runs().len(), 3, "the rollback is a run");
    let events = Events::read(&place.path("events.jsonl"));
    assert!(events.of("run.started").all(|event| event["undoes"].is_null()), "the file is that of the run");
    assert_eq!(sim.accepted("DeleteStack"), [""; 0]);
    assert_version_one(&place, &sim);
}

#[test]
fn a_failed_run_whose_captures_are_damaged_stays_a_failed_run() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--fail", "Web:Topic:update"]));
    place.write("damage.sh", "for file in .paceline/runs/*/captures/*.json; do echo '{' > $file; done\n");
    let command = "commands: [{ name: damage, after: Base, run: sh damage.sh }]\n";
    place.write("paceline.yaml", &format!("on-failure: {{ run: rollback }}\n{command}"));
    app(&place, "one");
    deploy(&place, &sim).run().expect(0);
    app(&place, "two");
    let ran = deploy(&place, &sim).run().expect(1);
    assert!(ran.stderr.contains("not a capture that this version of Paceline can read"), "{}", ran.stderr);
    assert_eq!(place.runs().len(), 2, "there is no rollback");
}

#[test]
fn a_run_that_is_not_there_or_cannot_be_simulated_is_refused() {
    let place = Place::new();
    let ran = place.paceline(["rollback", "last"]).run().expect(2);
    assert!(ran.stderr.contains("there is no run in this folder yet"), "{}", ran.stderr);
    let (place, sim) = deployed_twice(FAST);
    let ran = place.paceline(["rollback", "2026"]).aws_at(&sim.address).run().expect(2);
    assert!(ran.stderr.contains("there is no run 2026 in .paceline/runs"), "{}", ran.stderr);
    let ran = rollback(&place, &sim, &["--simulate"]).run().expect(2);
    assert!(ran.stderr.contains("a rollback cannot be simulated"), "{}", ran.stderr);
    // Another AWS has other stacks of the same names.
    let ran = place.paceline(["rollback", "last", "--yes"]).aws_at("http://127.0.0.1:9").run().expect(2);
    assert!(ran.stderr.contains("set AWS_ENDPOINT_URL as it was in that run"), "{}", ran.stderr);
}

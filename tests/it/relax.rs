//! An order that is only needed on a fresh account: kept there, and given up when what it is for is there.

use serde_json::json;

use crate::harness::{Events, Place, Sim};

fn place() -> Place {
    let place = Place::new();
    let stack = |template: &str| {
        json!({ "type": "aws:cloudformation:stack", "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": template } })
    };
    let manifest =
        json!({ "version": "36.0.0", "artifacts": { "Writer": stack("w.json"), "Reader": stack("r.json") } });
    place.write("cdk.out/manifest.json", &manifest.to_string());
    let writer = json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Name": "/app/x", "Value": "v" } } } });
    place.write("cdk.out/w.json", &writer.to_string());
    // Its parameter may have changed, so that it is looked at again in every run.
    let reader = json!({
        "Parameters": { "X": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/app/x" } },
        "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": { "Ref": "X" } } } },
    });
    place.write("cdk.out/r.json", &reader.to_string());
    place.write(
        "paceline.yaml",
        "edges: [{ from: Reader, to: Writer, relax: when-present, because: the name never changes }]\n",
    );
    place
}

/// Whether the reader was started before the writer had ended.
fn side_by_side(place: &Place, sim: &Sim) -> bool {
    let ran = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).run().expect(0);
    let said = ran.stderr.contains("Reader does not wait for Writer");
    let events = Events::read(&place.path("events.jsonl"));
    let together = events.position("step.started", "Reader") < events.position("step.finished", "Writer");
    assert_eq!(said, together, "{}", ran.stderr);
    together
}

#[test]
fn stacks_are_deployed_side_by_side_once_the_parameters_are_there() {
    let (place, sim) = (place(), Sim::start(1000));
    assert!(!side_by_side(&place, &sim), "on a fresh account the order is kept");
    assert!(side_by_side(&place, &sim));
}

#[test]
fn an_edge_that_another_undoes_is_not_said_to_be_gone() {
    let (place, sim) = (place(), Sim::start(1000));
    let less = "{ from: Reader, to: Writer, relax: when-present, because: the name never changes }";
    let all = "{ from: Reader, to: Writer, because: it calls it }";
    place.write("paceline.yaml", &format!("edges: [{less}, {all}]\n"));
    assert!(!side_by_side(&place, &sim));
    assert!(!side_by_side(&place, &sim));
}

#[test]
fn the_plan_shows_the_order_and_when_it_is_given_up() {
    let ran = place().paceline(["plan"]).run().expect(0);
    assert!(ran.stdout.contains("waits for Writer"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Reader and Writer"), "{}", ran.stdout);
}

/// For one release the manifest puts the stack that makes a parameter after the one that reads it.
fn turn_around(place: &Place, edges: &str) {
    let stack = |template: &str, needs: &[&str]| {
        json!({ "type": "aws:cloudformation:stack", "environment": "aws://111111111111/us-east-1",
            "properties": { "templateFile": template }, "dependencies": needs })
    };
    let artifacts = json!({ "Writer": stack("w.json", &["Reader"]), "Reader": stack("r.json", &[]) });
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
    place.write("paceline.yaml", &format!("edges: [{edges}]\n"));
}

const BY_PARAMETER: &str =
    "{ from: Reader, to: Writer, relax: when-present, because: it is there since spring }";
const BY_MANIFEST: &str =
    "{ from: Writer, to: Reader, reason: manifest, relax: when-present, because: for this release }";

#[test]
fn the_order_of_the_manifest_is_deployed_where_the_parameters_are_there() {
    let (place, sim) = (place(), Sim::start(1000));
    turn_around(&place, BY_PARAMETER);
    let ran = place.paceline(["deploy"]).aws_at(&sim.address).run().expect(3);
    assert!(ran.stderr.contains("that do not exist yet: /app/x"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);

    place.paceline(["deploy", "--only", "Writer"]).aws_at(&sim.address).run().expect(0);
    place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).run().expect(0);
    let events = Events::read(&place.path("events.jsonl"));
    assert!(events.position("step.finished", "Reader") < events.position("step.started", "Writer"));
}

#[test]
fn an_order_of_the_manifest_that_makes_a_circle_is_given_up_on_a_fresh_account_too() {
    let (place, sim) = (place(), Sim::start(1000));
    turn_around(&place, BY_MANIFEST);
    let ran = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).run().expect(0);
    assert!(
        ran.stderr.contains("Writer does not wait for Reader: waiting would make every order impossible"),
        "{}",
        ran.stderr
    );
    let events = Events::read(&place.path("events.jsonl"));
    assert!(events.position("step.finished", "Writer") < events.position("step.started", "Reader"));
}

#[test]
fn both_ways_out_of_a_circle_can_be_simulated() {
    let place = place();
    for edges in [BY_PARAMETER, BY_MANIFEST] {
        turn_around(&place, edges);
        place.paceline(["deploy", "--simulate"]).run().expect(0);
    }
}

#[test]
fn an_order_of_the_manifest_is_given_up_when_the_stack_is_there() {
    let (place, sim) = (place(), Sim::start(1000));
    turn_around(&place, BY_MANIFEST);
    let topic = r#"{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}"#;
    place.write("cdk.out/r.json", topic);
    place.write("cdk.out/w.json", topic);
    let ran = |code| place.paceline(["deploy"]).aws_at(&sim.address).run().expect(code).stderr;
    assert!(!ran(0).contains("does not wait for"));
    assert!(ran(0).contains("Writer does not wait for Reader: Reader exists"));
}

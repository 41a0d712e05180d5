//! `paceline diff`: with another assembly, and with what is deployed.

use serde_json::{Value, json};

use crate::deploy::tiny_manifest;
use crate::harness::{Place, Ran, Sim};
use crate::workshop;

const FAST: u32 = 10_000;

fn write(place: &Place, folder: &str, stacks: &[(&str, Value)]) {
    let names: Vec<&str> = stacks.iter().map(|(name, _)| *name).collect();
    place.write(&format!("{folder}/manifest.json"), &tiny_manifest(&names));
    for (name, resources) in stacks {
        let template = json!({ "Resources": resources }).to_string();
        place.write(&format!("{folder}/{name}.template.json"), &template);
    }
}

fn queue(seconds: u32) -> Value {
    json!({ "Q": { "Type": "AWS::SQS::Queue", "Properties": { "DelaySeconds": seconds } } })
}

fn reader(parameter: &str) -> Value {
    json!({ "R": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": parameter } } })
}

fn parameter() -> Value {
    json!({ "P": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Name": "/shop/x", "Value": "v" } } })
}

fn changes(ran: &Ran) -> Vec<(String, String)> {
    let document = ran.document("diff");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    document["stacks"].as_array().unwrap().iter().map(|it| (text(&it["id"]), text(&it["change"]))).collect()
}

#[test]
fn two_assemblies_are_compared_offline() {
    let place = Place::new();
    write(
        &place,
        "main.out",
        &[("One", queue(1)), ("Two", reader("x")), ("Three", parameter()), ("Old", queue(1))],
    );
    write(
        &place,
        "cdk.out",
        &[
            ("One", queue(2)),
            ("Two", reader("{{resolve:ssm:/shop/x}}")),
            ("Three", parameter()),
            ("New", queue(1)),
        ],
    );
    let ran = place.paceline(["diff", "--base", "main.out"]).run().expect(0);
    for line in ran.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(ran.stdout.contains("Properties.DelaySeconds: 1 → 2"), "{}", ran.stdout);
    assert!(ran.stdout.contains("+ Two waits for Three: reads the parameter /shop/x"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("A first deployment of these stacks takes as long as before: about 1 min 26 s."),
        "{}",
        ran.stdout
    );
    let json = place.paceline(["diff", "--base", "main.out", "--format", "json"]).run().expect(0);
    let mut changes = changes(&json);
    changes.sort();
    let expected =
        [("New", "added"), ("Old", "gone"), ("One", "changed"), ("Three", "unchanged"), ("Two", "changed")];
    assert_eq!(changes, expected.map(|(id, change)| (id.to_owned(), change.to_owned())));
    assert_eq!(json.stdout_json()["edges"]["gained"][0]["on"], "Three");
}

#[test]
fn the_exit_code_tells_a_difference_only_if_asked_for() {
    let place = Place::new();
    write(&place, "main.out", &[("One", queue(1))]);
    write(&place, "cdk.out", &[("One", queue(2))]);
    place.paceline(["diff", "--base", "main.out"]).run().expect(0);
    place.paceline(["diff", "--base", "main.out", "--exit-code"]).run().expect(1);
    place.paceline(["diff", "--base", "main.out", "--fail"]).run().expect(1);
    let same = place.paceline(["diff", "--base", "cdk.out", "--exit-code"]).run().expect(0);
    assert!(same.stdout.contains("nothing differs in 1 stack"), "{}", same.stdout);
}

#[test]
fn markdown_goes_into_a_file() {
    let place = Place::new();
    write(&place, "main.out", &[("One", queue(1))]);
    write(&place, "cdk.out", &[("One", queue(2))]);
    let arguments = ["diff", "--base", "main.out", "--format", "markdown", "--out", "diff.md"];
    let ran = place.paceline(arguments).run().expect(0);
    assert_eq!(ran.stdout, "");
    assert!(place.read("diff.md").starts_with("### Compared with main.out: "), "{}", place.read("diff.md"));
}

#[test]
fn a_selection_is_compared_alone() {
    let place = Place::new();
    write(&place, "main.out", &[("One", queue(1)), ("Two", queue(1))]);
    write(&place, "cdk.out", &[("One", queue(2)), ("Two", queue(2))]);
    let ran = place.paceline(["diff", "Two", "--base", "main.out", "--format", "json"]).run().expect(0);
    assert_eq!(changes(&ran), [("Two".to_owned(), "changed".to_owned())]);
}

#[test]
fn a_base_that_is_no_assembly_is_wrong_usage() {
    let place = Place::new();
    write(&place, "cdk.out", &[("One", queue(2))]);
    let ran = place.paceline(["diff", "--base", "nowhere"]).run().expect(2);
    assert!(ran.stderr.contains("nowhere"), "{}", ran.stderr);
}

#[test]
fn the_app_is_compared_with_what_is_deployed() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    write(&place, "cdk.out", &[("One", queue(1)), ("Two", queue(1))]);
    let diff = |more: &[&str]| place.paceline(["diff"]).args(more).aws_at(&sim.address).run();
    let ran = diff(&["--exit-code", "--format", "json"]).expect(1);
    assert_eq!(changes(&ran)[0].1, "added", "nothing is deployed yet");
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    diff(&["--exit-code"]).expect(0);
    let changing = ["CreateStack", "UpdateStack", "CreateChangeSet"].map(|it| sim.accepted(it).len());
    write(&place, "cdk.out", &[("One", queue(1)), ("Two", queue(7)), ("Three", queue(1))]);
    let ran = diff(&["--exit-code"]).expect(1);
    assert!(
        ran.stdout.starts_with("Compared with what is deployed: of 3 stacks, 1 is new, 1 changes"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("Properties.DelaySeconds: 1 → 7"), "{}", ran.stdout);
    assert_eq!(["CreateStack", "UpdateStack", "CreateChangeSet"].map(|it| sim.accepted(it).len()), changing);
}

#[test]
fn the_example_differs_from_itself_in_nothing_before_and_after_its_deployment() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let app = workshop::app_without_gates(&place);
    let offline =
        place.paceline(["diff", "--exit-code", "--base"]).args([workshop::path("cdk.out")]).args(&app);
    offline.multi_region().run().expect(0);
    place.paceline(["deploy", "--no-synth"]).args(&app).multi_region().aws_at(&sim.address).run().expect(0);
    let ran = place
        .paceline(["diff", "--exit-code"])
        .args(&app)
        .multi_region()
        .aws_at(&sim.address)
        .run()
        .expect(0);
    assert!(ran.stdout.contains("nothing differs in 14 stacks"), "{}", ran.stdout);
}

//! Several apps in one deployment: synthesized side by side, planned as one.

use serde_json::{Value, json};

use crate::harness::{Place, Sim};

/// Every app has a stack with the same id.
fn manifest(name: &str) -> String {
    json!({ "version": "36.0.0", "artifacts": { "Stack": {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111111111111/us-east-1",
        "properties": { "templateFile": "t.json", "stackName": name },
    } } })
    .to_string()
}

fn writer() -> Value {
    json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Name": "/editor/role", "Value": "v" } } } })
}

fn reader() -> Value {
    json!({
        "Parameters": { "Role": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/editor/role" } },
        "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": { "Ref": "Role" } } } },
    })
}

/// Two apps with a stack of the same id; one reads a parameter that the other writes. Each is synthesized by
/// copying what a CDK app would write.
fn place() -> Place {
    let place = Place::new();
    for (app, template) in [("pets", reader()), ("editor", writer())] {
        place.write(&format!("{app}/made/manifest.json"), &manifest(app));
        place.write(&format!("{app}/made/t.json"), &template.to_string());
    }
    place.write(
        "paceline.yaml",
        "apps:\n  pets: { dir: pets, synth: cp -r made cdk.out, context: { who: it } }\n  editor:\n    dir: editor\n    install: mkdir -p node_modules && echo installing\n    build: echo building\n    synth: rm -rf cdk.out && cp -r made cdk.out && echo \"$CDK_CONTEXT_JSON\"\n    context: { stage: prod }\n    env: { STAGE: prod }\n",
    );
    place.write("editor/package-lock.json", "{}");
    place
}

#[test]
fn apps_are_synthesized_side_by_side_and_dependencies_are_installed_once() {
    let place = place();
    let ran = place.paceline(["plan"]).run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("app `editor` is not synthesized") && ran.stderr.contains("paceline synth"));

    let ran = place.paceline(["synth", "editor"]).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for line in
        ["[synth editor] installing", "[synth editor] building", "[synth editor] {\"stage\":\"prod\"}"]
    {
        assert!(ran.stderr.lines().any(|it| it == line), "no {line} in {}", ran.stderr);
    }
    let again = place.paceline(["synth", "editor"]).run();
    assert!(again.stderr.contains("the lock file has not changed"), "{}", again.stderr);
    assert!(!again.stderr.contains("] installing"), "{}", again.stderr);
    place.write("editor/package-lock.json", "{ }");
    assert!(place.paceline(["synth", "editor"]).run().stderr.contains("] installing"));

    let unknown = place.paceline(["synth", "editr"]).run();
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("the apps are: editor, pets"), "{}", unknown.stderr);
}

#[test]
fn apps_are_planned_as_one_and_their_edges_are_found() {
    let place = place();
    assert_eq!(place.paceline(["synth"]).run().code, 0);
    let ran = place.paceline(["plan", "--format", "json"]).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ids: Vec<&str> =
        plan["stacks"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["editor/Stack", "pets/Stack"]);
    assert_eq!(plan["stacks"][1]["depends_on"][0]["stack"], "editor/Stack");
    assert_eq!(plan["stacks"][1]["depends_on"][0]["reason"], "ssm");
    let ran = place.paceline(["plan", "--app", "editor/cdk.out"]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("leave --app out"), "{}", ran.stderr);
}

#[test]
fn a_deployment_synthesizes_first() {
    let place = place();
    let sim = Sim::start(1000);
    let ran = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("[synth pets] done in "), "{}", ran.stderr);
    let deployed = place.read("events.jsonl");
    let deployed = deployed.lines().filter(|line| line.contains("\"outcome\":\"deployed\"")).count();
    assert_eq!(deployed, 2);
}

#[test]
fn every_synthesis_that_fails_is_said() {
    let place = Place::new();
    place.write(
        "paceline.yaml",
        "apps:\n  a: { dir: ., synth: \"echo no node here >&2; exit 3\" }\n  b: { dir: nowhere, synth: 'true' }\n",
    );
    let ran = place.paceline(["deploy"]).run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("exit status: 3: no node here"), "{}", ran.stderr);
    assert!(ran.stderr.contains("app `b`: `true` failed: cannot run it in nowhere"), "{}", ran.stderr);
}

//! Templates that are more, or less, than they look: loops, functions in functions, and what is no file at all.

use serde_json::{Value, json};

use crate::deploy::tiny_manifest;
use crate::harness::{Events, Place, Ran};

/// A place with an assembly of these stacks.
fn assembly(stacks: &[(&str, Value)]) -> Place {
    let place = Place::new();
    let names: Vec<&str> = stacks.iter().map(|(name, _)| *name).collect();
    place.write("cdk.out/manifest.json", &tiny_manifest(&names));
    for (name, template) in stacks {
        place.write(&format!("cdk.out/{name}.template.json"), &template.to_string());
    }
    place
}

fn simulate(place: &Place, more: &[&str]) -> (Ran, Vec<(String, String)>) {
    let call = place.paceline(["deploy", "--simulate", "--events", "events.jsonl"]).args(more);
    let ran = call.run();
    let outcomes = Events::read(&place.path("events.jsonl")).outcomes();
    (ran, outcomes)
}

/// Exports `net-X-id` for every X of `collection`, by a loop and nothing else.
fn network(collection: &Value) -> Value {
    let output = json!({ "Value": { "Ref": { "Fn::Sub": "Topic${Tier}" } }, "Export": { "Name": { "Fn::Sub": "net-${Tier}-id" } } });
    json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": { "Tiers": { "Type": "CommaDelimitedList", "Default": "Other" } },
        "Resources": { "Fn::ForEach::Topics": ["Tier", collection, { "Topic${Tier}": { "Type": "AWS::SNS::Topic" } }] },
        "Outputs": { "Fn::ForEach::Outs": ["Tier", collection, { "Id${Tier}": output }] },
    })
}

fn imports(name: &str) -> Value {
    let properties = json!({ "DisplayName": { "Fn::ImportValue": name } });
    json!({ "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": properties } } })
}

#[test]
fn a_stack_whose_resources_are_all_in_a_loop_is_deployed_before_who_imports_from_it() {
    let place = assembly(&[("Api", imports("net-App-id")), ("Net", network(&json!(["App", "Data"])))]);
    let (ran, outcomes) = simulate(&place, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(outcomes, [("Api".into(), "deployed".into()), ("Net".into(), "deployed".into())]);
}

#[test]
fn the_parameters_that_are_given_decide_what_a_loop_makes() {
    let place = assembly(&[("Api", imports("net-App-id")), ("Net", network(&json!({ "Ref": "Tiers" })))]);
    let (ran, outcomes) = simulate(&place, &["--parameters", "Net:Tiers=App"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(outcomes, [("Api".into(), "deployed".into()), ("Net".into(), "deployed".into())]);
    let (ran, _) = simulate(&place, &["--parameters", "Net:Tiers=Data"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("No export named net-App-id found."), "{}", ran.stderr);
}

#[test]
fn a_stack_without_resources_is_still_passed_over() {
    let place = assembly(&[("Empty", json!({ "Resources": {} })), ("Net", network(&json!([])))]);
    let (ran, outcomes) = simulate(&place, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "unchanged"), "{outcomes:?}");
}

#[test]
fn a_text_that_grows_without_bounds_ends_in_one_clear_error() {
    let text =
        (0..30).fold(json!("x"), |inner, _| json!({ "Fn::Sub": ["${a}${a}${a}${a}", { "a": inner }] }));
    let topic = json!({ "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": text } });
    let place = assembly(&[("Growing", json!({ "Resources": { "T": topic } }))]);
    let planned = place.paceline(["plan", "--format", "json"]).run();
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let plan: Value = serde_json::from_str(&planned.stdout).unwrap();
    let warning = plan["warnings"][0].as_str().unwrap();
    assert!(
        warning
            .contains("Growing: the functions at `T.Properties.DisplayName` make texts that are too large")
    );
    let (ran, outcomes) = simulate(&place, &[]);
    assert_eq!((ran.code, outcomes), (1, vec![("Growing".into(), "rolled-back".into())]), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("a value becomes larger than 4 MiB at Resources.T.Properties.DisplayName"),
        "{}",
        ran.stderr
    );
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_in_place_of_files_are_refused_and_not_read() {
    let template = imports("x");
    let check = |file: &str, call: &[&str]| {
        let place = assembly(&[("Api", template.clone())]);
        let path = place.path(file);
        drop(fs_err::remove_file(&path));
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let ran = place.paceline(call).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{file}: {}", ran.stderr);
        assert!(ran.stderr.contains("is a named pipe, and not a file"), "{file}: {}", ran.stderr);
        fs_err::remove_file(&path).unwrap();
        fs_err::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let ran = place.paceline(call).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{file}: {}", ran.stderr);
        assert!(ran.stderr.contains("is a device, and not a file"), "{file}: {}", ran.stderr);
    };
    check("cdk.out/Api.template.json", &["plan"]);
    check("cdk.out/manifest.json", &["plan"]);
    check("paceline.yaml", &["plan"]);
    check("other.yaml", &["plan", "--config", "other.yaml"]);
    check("buildspec.yml", &["init", "--from", "buildspec.yml"]);
    check("buildspec.yml", &["run-buildspec", "buildspec.yml"]);
}

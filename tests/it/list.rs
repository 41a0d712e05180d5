//! `paceline ls` and `paceline publish`, and the stacks that they choose.

use serde_json::json;

use crate::harness::{Place, Ran, Sim};
use crate::workshop;

fn ls(arguments: &[&str]) -> Ran {
    let place = Place::new();
    place.paceline(["ls"]).args(workshop::app()).args(arguments).multi_region().run().expect(0)
}

#[test]
fn ids_are_listed_one_a_line_and_chosen_as_for_a_deployment() {
    assert_eq!(ls(&[]).stdout.lines().count(), workshop::STACKS);
    let needed = ls(&["ObservabilityDashboard"]).stdout;
    assert!(
        needed.lines().count() > 1 && needed.lines().last() == Some("ObservabilityDashboard"),
        "{needed}"
    );
    assert_eq!(ls(&["ObservabilityDashboard", "-e"]).stdout, "ObservabilityDashboard\n");
    let second = ls(&["--only", "region:us-west-2"]).stdout;
    assert!(second.lines().all(|id| id.contains("Secondary") || id.contains("Network")), "{second}");
}

#[test]
fn more_about_each_stack_is_yaml_or_json() {
    let place = Place::new();
    place.write("cdk.out/manifest.json", &manifest());
    for stack in ["One", "Two"] {
        place.write(&format!("cdk.out/{stack}.template.json"), r#"{"Resources": {}}"#);
    }
    let list = |arguments: &[&str]| place.paceline(["list"]).args(arguments).run().expect(0).stdout;
    let stack = |id: &str, rest: &str| {
        format!(
            "- id: {id}\n  name: {id}\n  environment:\n    account: \"111111111111\"\n    region: us-east-1\n    \
             name: \"aws://111111111111/us-east-1\"\n  dependencies:{rest}\n"
        )
    };
    let both = [stack("One", " []"), stack("Two", "\n    - id: One")].concat();
    assert_eq!(list(&["--long", "--show-dependencies"]), both);
    let json = |arguments: &[&str]| place.paceline(["ls"]).args(arguments).run().expect(0).document("ls");
    let expected = json!([{"id": "One", "dependencies": []}, {"id": "Two", "dependencies": [{"id": "One"}]}]);
    assert_eq!(json(&["-d", "--json"]), expected);
    let environment =
        json!({"account": "111111111111", "region": "us-east-1", "name": "aws://111111111111/us-east-1"});
    assert_eq!(json(&["--long", "--format", "json"])[1]["environment"], environment);
    for flag in [&["--json"][..], &["--format", "json"]] {
        assert_eq!(json(flag), json!(["One", "Two"]));
    }
}

fn manifest() -> String {
    let stack = |name: &str, after: &[&str]| {
        json!({
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-east-1",
            "properties": {"templateFile": format!("{name}.template.json")},
            "dependencies": after,
        })
    };
    json!({"version": "36.0.0", "artifacts": {"One": stack("One", &[]), "Two": stack("Two", &["One"])}})
        .to_string()
}

#[test]
fn only_what_differs_from_a_commit_is_listed() {
    let place = Place::new();
    place.write("cdk.out/manifest.json", &manifest());
    place.write("cdk.out/One.template.json", r#"{"Resources": {}}"#);
    place.write("cdk.out/Two.template.json", r#"{"Resources": {}}"#);
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        let ran = git.current_dir(place.path("")).env("HOME", place.path("")).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    let differing = |base: &str, code: i32| place.paceline(["ls", "--affected-by", base]).run().expect(code);
    assert!(differing("main", 2).stderr.contains("neither a folder nor a commit"));
    git(&["init", "-q", "-b", "main"]);
    git(&["commit", "-q", "--allow-empty", "-m", "empty"]);
    git(&["tag", "empty"]);
    assert!(differing("empty", 2).stderr.contains("cdk.out is not committed in `empty`"));
    git(&["add", "-f", "cdk.out"]);
    git(&["commit", "-q", "-m", "assembly"]);
    let same = differing("main", 0);
    assert_eq!(same.stdout, "");
    assert!(same.stderr.starts_with("none of these stacks differs from main"), "{}", same.stderr);
    let json = place.paceline(["ls", "--json", "--affected-by", "main"]).run().expect(0);
    assert_eq!(json.stdout, "[]\n", "an empty list is JSON, too");
    place.write("cdk.out/Two.template.json", r#"{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}"#);
    assert_eq!(differing("main", 0).stdout, "Two\n");
    assert_eq!(differing("HEAD", 0).stdout, "Two\n");
    let deploys = place.paceline(["deploy", "--simulate", "--affected-by", "main"]).run().expect(0);
    assert!(deploys.stderr.contains("1 deployed"), "{}", deploys.stderr);
    let deploys = place.paceline(["deploy", "--simulate", "--affected-by", "cdk.out"]).run().expect(0);
    assert!(deploys.stderr.contains("there is nothing to do"), "{}", deploys.stderr);
}

#[test]
fn publishing_changes_no_stack() {
    let (place, sim) = (Place::new(), Sim::start(2000));
    let publish = || {
        let call = place.paceline(["publish", "--only", "Services", "--events", "events.jsonl"]);
        call.args(workshop::app()).aws_at(&sim.address).run().expect(0)
    };
    publish();
    let events = crate::harness::Events::read(&place.path("events.jsonl"));
    let finished: Vec<_> = events.of("step.finished").collect();
    assert!(!finished.is_empty());
    for event in finished {
        assert_eq!(event["kind"], "publish", "{event}");
    }
    assert!(sim.calls().iter().all(|call| call.0 != "cloudformation"), "no stack is looked at");
    let dry = |format: &str| {
        let call = place.paceline(["publish", "--dry-run", "--only", "Services", "--format", format]);
        call.args(workshop::app()).run().expect(0)
    };
    let (text, json) = (dry("text").stdout, dry("json").document("publish"));
    let assets = json["assets"].as_array().unwrap();
    assert!(text.ends_with(&format!("\n{} assets to publish\n", assets.len())), "{text}");
    assert!(assets.iter().all(|asset| asset["stack"] == "Services"), "{json:#}");
}

//! `--context` goes to the synthesis of the apps, and is refused where there is none. Outputs of apps whose
//! stacks have one name are kept apart.

use serde_json::{Value, json};

use crate::harness::{Place, Sim};

fn manifest(name: &str, region: &str) -> String {
    json!({ "version": "36.0.0", "artifacts": { "Stack": {
        "type": "aws:cloudformation:stack",
        "environment": format!("aws://111111111111/{region}"),
        "properties": { "templateFile": "t.json", "stackName": name },
    } } })
    .to_string()
}

/// Two apps whose synthesis prints its context, with these stacks.
fn place(stacks: [(&str, &str); 2]) -> Place {
    let place = Place::new();
    for (app, (name, region)) in ["a", "b"].into_iter().zip(stacks) {
        let template = json!({
            "Resources": { "Q": { "Type": "AWS::SQS::Queue" } },
            "Outputs": { "Where": { "Value": region } },
        });
        place.write(&format!("{app}/cdk.out/manifest.json"), &manifest(name, region));
        place.write(&format!("{app}/cdk.out/t.json"), &template.to_string());
    }
    let config = "apps:\n  a: { dir: a, synth: 'echo \"$CDK_CONTEXT_JSON\"', context: { stage: dev } }\n  b: { dir: b, synth: 'echo \"$CDK_CONTEXT_JSON\"' }\n";
    place.write("paceline.yaml", config);
    place
}

fn two_names() -> Place {
    place([("A", "us-east-1"), ("B", "us-east-1")])
}

#[test]
fn context_goes_to_one_app_or_to_all() {
    let (place, sim) = (two_names(), Sim::start(1000));
    let context = [
        "--context",
        "stage=prod",
        "--context",
        "b:who=it",
        "--context",
        "@aws-cdk/core:x=1",
        "--context",
        "*:k:l=2",
    ];
    for command in ["synth", "deploy"] {
        let ran = place.paceline([command]).args(context).aws_at(&sim.address).run().expect(0);
        for line in [
            r#"[synth a] {"@aws-cdk/core:x":"1","k:l":"2","stage":"prod"}"#,
            r#"[synth b] {"@aws-cdk/core:x":"1","k:l":"2","stage":"prod","who":"it"}"#,
        ] {
            assert!(ran.stderr.lines().any(|it| it == line), "no {line} in {}", ran.stderr);
        }
    }
}

#[track_caller]
fn refused(place: &Place, arguments: &[&str], error: &str) {
    let ran = place.paceline(arguments).run().expect(2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].starts_with("error: --context ") && lines[0].contains(error), "{}", ran.stderr);
    assert!(lines[1].starts_with(" hint: "), "{}", ran.stderr);
}

#[test]
fn context_that_would_change_nothing_is_refused() {
    let place = two_names();
    for flag in ["--simulate", "--dry-run", "--no-synth"] {
        refused(&place, &["deploy", flag, "--context", "a=b"], "nothing is synthesized in this run");
    }
    refused(&place, &["destroy", "--context", "a=b"], "nothing is synthesized in this run");
    refused(&place, &["deploy", "--context", "stage"], "there is no KEY=VALUE");
    refused(&place, &["deploy", "--context", "=prod"], "there is no KEY=VALUE");
    refused(&place, &["synth", "--context", "c:stage=prod"], "no app is called `c`");
    refused(
        &place,
        &["synth", "a", "--context", "b:stage=prod"],
        "the command synthesizes no app that could take it",
    );
    place.write("paceline.yaml", "app: a/cdk.out\n");
    refused(
        &place,
        &["deploy", "--context", "stage=prod"],
        "the command synthesizes no app that could take it",
    );
}

#[test]
fn outputs_of_stacks_with_one_name_do_not_overwrite_each_other() {
    let (place, sim) = (place([("Same", "us-east-1"), ("Same", "eu-west-1")]), Sim::start(1000));
    place.paceline(["deploy", "--outputs", "outputs.json"]).aws_at(&sim.address).run().expect(0);
    let outputs: Value = place.json("outputs.json");
    assert_eq!(
        outputs,
        json!({
            "Same@111111111111/eu-west-1": { "Where": "eu-west-1" },
            "Same@111111111111/us-east-1": { "Where": "us-east-1" },
        })
    );
}

#[test]
fn two_apps_with_one_stack_between_them_are_refused() {
    let place = place([("Same", "us-east-1"), ("Same", "us-east-1")]);
    let ran = place.paceline(["plan"]).run().expect(2);
    assert!(ran.stderr.contains("Same") && ran.stderr.contains("a/Stack"), "{}", ran.stderr);
}

//! `paceline deploy` against an AWS in another process.

use serde_json::Value;

use crate::harness::{Events, Place, Ran, Sim};
use crate::workshop::{self, STACKS};

/// Two hours in some seconds.
const FAST: u32 = 2000;

/// Deploys twice: the first run deploys everything in order, the second finds nothing to do.
fn deploy_twice(app: &[String]) -> (Events, Ran) {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let deploy = |events: &str| {
        let call = place.paceline(["deploy", "--events", events, "--outputs", "outputs.json"]);
        call.args(app).multi_region().aws_at(&sim.address).run().expect(0)
    };
    let first_ran = deploy("first.jsonl");
    let first = Events::read(&place.path("first.jsonl"));
    assert_eq!(first.outcomes().len(), STACKS);
    assert!(first.outcomes().iter().all(|(_, outcome)| outcome == "deployed"), "{:?}", first.outcomes());
    first.assert_order(&workshop::edges(app));
    let created = sim.accepted("CreateStack");
    assert_eq!(created.len(), STACKS);
    let outputs = place.read("outputs.json");
    assert!(outputs.contains("StorefrontUrl"), "{outputs}");

    let ran = deploy("second.jsonl");
    let second = Events::read(&place.path("second.jsonl"));
    assert_eq!(second.outcomes().len(), STACKS);
    assert!(second.outcomes().iter().all(|(_, outcome)| outcome == "unchanged"), "{:?}", second.outcomes());
    assert!(ran.stderr.contains("14 unchanged"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), created, "nothing is created twice");
    assert_eq!(sim.accepted("UpdateStack"), [""; 0], "nothing is updated");
    assert_eq!(place.read("outputs.json"), outputs, "what is unchanged has its outputs still");
    (first, first_ran)
}

#[test]
fn the_example_is_deployed_in_order_and_a_second_run_changes_nothing() {
    let (events, ran) = deploy_twice(&workshop::app());
    let gates: Vec<&Value> = events.of("step.finished").filter(|event| event["kind"] == "gate").collect();
    assert_eq!(gates.len(), 2);
    for gate in gates {
        assert_eq!(gate["outcome"], "deployed", "{gate}");
        assert!(gate["detail"].as_str().unwrap().ends_with("roles usable"), "{gate}");
        assert!(gate["duration_s"].as_f64().unwrap() > 1.0, "new roles are not trusted at once: {gate}");
    }
    assert!(ran.stderr.contains("IAM roles: waited"), "the summary has a line for it: {}", ran.stderr);
}

#[test]
fn without_a_configuration_the_assembly_is_enough() {
    deploy_twice(&["--app".to_owned(), workshop::path("cdk.out")]);
}

#[test]
fn change_sets_lead_to_the_same_end() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let app = workshop::app_without_gates(&place);
    let deploy = |events: &str| {
        let call = place.paceline(["deploy", "--method", "change-set", "--events", events]);
        call.args(&app).multi_region().aws_at(&sim.address).run().expect(0);
        Events::read(&place.path(events))
    };
    let first = deploy("first.jsonl");
    assert!(first.outcomes().iter().all(|(_, outcome)| outcome == "deployed"), "{:?}", first.outcomes());
    first.assert_order(&workshop::edges(&app));
    assert_eq!(sim.accepted("ExecuteChangeSet").len(), STACKS);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
    let second = deploy("second.jsonl");
    assert!(second.outcomes().iter().all(|(_, outcome)| outcome == "unchanged"), "{:?}", second.outcomes());
    assert_eq!(sim.accepted("ExecuteChangeSet").len(), STACKS, "nothing is executed twice");
}

#[test]
fn a_changed_template_updates_its_stack_and_no_other() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let app = |value: &str| {
        place.write("cdk.out/manifest.json", &tiny_manifest(&["One", "Two"]));
        place.write("cdk.out/One.template.json", &queue("1"));
        place.write("cdk.out/Two.template.json", &queue(value));
        let call = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address);
        call.run().expect(0);
        Events::read(&place.path("events.jsonl")).outcomes()
    };
    let outcome =
        |one: &str, two: &str| vec![("One".to_owned(), one.to_owned()), ("Two".to_owned(), two.to_owned())];
    assert_eq!(app("1"), outcome("deployed", "deployed"));
    assert_eq!(app("2"), outcome("unchanged", "deployed"));
    assert_eq!(sim.accepted("UpdateStack"), ["Two"]);
}

#[test]
fn an_app_without_bootstrap_needs_no_configuration() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One"]));
    place.write("cdk.out/One.template.json", &queue("1"));
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    assert_eq!(sim.accepted("CreateStack"), ["One"]);
}

/// Two stacks, the second with a command after it.
fn with_command(place: &Place, run: &str) {
    place.write("cdk.out/manifest.json", &tiny_manifest(&["One", "Two"]));
    place.write("cdk.out/One.template.json", &queue("1"));
    place.write("cdk.out/Two.template.json", &queue("1"));
    let command = format!("version: 1\ncommands:\n  - {{ name: tidy-up, after: Two, run: '{run}' }}\n");
    place.write("paceline.yaml", &command);
}

#[test]
fn a_command_runs_after_its_stack_and_what_it_prints_is_shown() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "echo tidying; touch tidied");
    let call = place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address);
    let ran = call.run().expect(0);
    assert!(ran.stderr.contains("tidying"), "{}", ran.stderr);
    assert!(place.path("tidied").exists());
    let events = Events::read(&place.path("events.jsonl"));
    let is_start = |event: &Value| event["event"] == "step.started" && event["kind"] == "command";
    let started = events.0.iter().position(is_start).unwrap();
    assert!(events.position("step.finished", "Two") < started);
}

#[test]
fn a_command_that_fails_fails_the_run_with_its_last_words() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "echo no broom >&2; exit 3");
    let ran = place.paceline(["deploy"]).aws_at(&sim.address).run().expect(1);
    assert!(ran.stderr.contains("tidy-up") && ran.stderr.contains("no broom"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), ["One", "Two"], "the stacks are deployed all the same");
}

#[test]
fn a_command_that_fails_is_run_again_as_often_as_it_says() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "test -e tried || { touch tried; echo no broom yet; exit 3; }");
    let config = place.read("paceline.yaml").replace("after: Two,", "after: Two, retries: 1,");
    place.write("paceline.yaml", &config);
    place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address).run().expect(0);
    let events = Events::read(&place.path("events.jsonl"));
    let [retried] = events.of("step.retried").collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(retried["attempt"], 2, "the one that is about to start");
    assert!(retried["reason"].as_str().unwrap().contains("no broom yet"), "{retried}");
}

#[test]
fn a_command_has_its_shell_its_folder_and_its_environment() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "[[ $STAGE == p* ]] && echo \"$STAGE in ${PWD##*/}\" > seen");
    let more = "after: Two, shell: bash, dir: scripts, env: { STAGE: prod },";
    place.write("paceline.yaml", &place.read("paceline.yaml").replace("after: Two,", more));
    place.write("scripts/here", "");
    place.paceline(["deploy"]).aws_at(&sim.address).run().expect(0);
    assert_eq!(place.read("scripts/seen"), "prod in scripts\n");
}

#[test]
fn a_command_that_is_out_of_time_is_ended_and_has_failed() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    with_command(&place, "exec sleep 600");
    place.write(
        "paceline.yaml",
        &place.read("paceline.yaml").replace("after: Two,", "after: Two, timeout: 1s,"),
    );
    let ran = place.paceline(["deploy"]).aws_at(&sim.address).run().expect(1);
    assert!(ran.stderr.contains("it was ended because it took longer than 1 s"), "{}", ran.stderr);
}

#[test]
fn a_simulation_runs_no_command() {
    let place = Place::new();
    with_command(&place, "touch tidied");
    place.paceline(["deploy", "--simulate"]).run().expect(0);
    assert!(!place.path("tidied").exists());
}

/// An assembly of stacks without assets, roles or bootstrap.
pub(crate) fn tiny_manifest(stacks: &[&str]) -> String {
    let artifact = |name: &&str| {
        format!(
            r#""{name}":{{"type":"aws:cloudformation:stack","environment":"aws://111111111111/us-east-1",
                "properties":{{"templateFile":"{name}.template.json"}}}}"#
        )
    };
    let artifacts: Vec<String> = stacks.iter().map(artifact).collect();
    format!(r#"{{"version":"36.0.0","artifacts":{{{}}}}}"#, artifacts.join(","))
}

fn queue(seconds: &str) -> String {
    format!(
        r#"{{"Resources":{{"Q":{{"Type":"AWS::SQS::Queue","Properties":{{"DelaySeconds":{seconds}}}}}}}}}"#
    )
}

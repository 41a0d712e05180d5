//! `paceline deploy` against an AWS in another process.

use crate::harness::{Events, Place, Sim};
use crate::workshop::{self, STACKS};

/// Two hours in some seconds.
const FAST: u32 = 2000;

#[test]
fn all_stacks_are_deployed_in_order_and_a_second_run_changes_nothing() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let app = workshop::app_without_gates(&place);
    let deploy = |events: &str| {
        let call = place.paceline(["deploy", "--events", events, "--outputs", "outputs.json"]);
        call.args(&app).multi_region().aws_at(&sim.address).run().expect(0)
    };
    deploy("first.jsonl");
    let first = Events::read(&place.path("first.jsonl"));
    assert_eq!(first.outcomes().len(), STACKS);
    assert!(first.outcomes().iter().all(|(_, outcome)| outcome == "deployed"), "{:?}", first.outcomes());
    first.assert_order(&workshop::edges(&app));
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
}

#[test]
fn gates_wait_for_the_roles_of_the_services() {
    let (place, sim) = (Place::new(), Sim::start(FAST));
    let call =
        place.paceline(["deploy", "--events", "events.jsonl", "--only", "Services", "--only", "S3Replica"]);
    let ran =
        call.args(workshop::app()).aws_at(&sim.address).env("ENABLE_MULTI_REGION", "true").run().expect(1);
    let events = Events::read(&place.path("events.jsonl"));
    let gate = events.of("step.finished").find(|event| event["kind"] == "gate").unwrap();
    assert_eq!(gate["outcome"], "deployed", "{gate}");
    assert!(gate["detail"].as_str().unwrap().ends_with("roles usable"), "{gate}");
    assert!(gate["duration_s"].as_f64().unwrap() > 1.0, "new roles are not trusted at once: {gate}");
    assert!(ran.stderr.contains("IAM roles: waited"), "the summary has a line for it: {}", ran.stderr);
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

//! A run that sleeps: its build ends, and a rule of EventBridge starts the build that continues it.

use serde_json::{Value, json};

use crate::aws_json::{codebuild, events};
use crate::chain::{self, topic};
use crate::harness::{Call, Events, Place, Sim, until};
use crate::wait_handle::Outer;

const PROJECT: &str = "shop";
/// At this speed, the ten seconds that a run waits before it sleeps are ten minutes. The slow stack takes half an hour.
const SCALE: u32 = 60;
/// At this speed, they are more than an hour.
const FAST: u32 = 400;

/// The machine of a build: an app of a quick stack, a stack of half an hour, and another quick one.
fn machine(version: &str) -> Place {
    let place = Place::new();
    let topic = topic(version);
    let cluster = json!({ "Type": "AWS::MSK::Cluster", "Properties": { "ClusterName": "c" } });
    chain::write(&place, &[("Base", &topic), ("Slow", &cluster), ("Web", &topic)]);
    place.write(
        "paceline.yaml",
        "codebuild: { source: github, location: 'https://github.com/acme/shop.git', sleep: true }\n",
    );
    place
}

/// An AWS in which the generated template of the project is deployed, and a build of it.
struct Aws {
    sim: Sim,
    rule: String,
    build: String,
}

impl Aws {
    fn start(scale: u32) -> Self {
        let sim = Sim::start(scale);
        let place = machine("one");
        let role = "arn:aws:iam::111111111111:role/build";
        let apply = place.paceline(["project", "apply", "--name", PROJECT, "--service-role", role]);
        apply.aws_at(&sim.address).run().expect(0);
        place.paceline(["gen", "--name", PROJECT]).run().expect(0);
        let template = place.read(&format!("buildspecs/{PROJECT}.project.yaml"));
        let template: Value = paceline_buildspec::yaml::parse(&template).unwrap().to_json();
        let rule = &template["Resources"]["WakeRule"]["Properties"];
        let name = rule["Name"].as_str().unwrap().to_owned();
        let pattern = resolved(&rule["EventPattern"]);
        let arn = format!("arn:aws:codebuild:us-east-1:111111111111:project/{PROJECT}");
        let put = json!({ "Name": name, "State": rule["State"], "EventPattern": pattern.to_string() });
        events(&sim, "PutRule", &put);
        let target = json!({ "Id": "build", "Arn": arn, "RoleArn": role });
        events(&sim, "PutTargets", &json!({ "Rule": name, "Targets": [target] }));
        let started = json!({ "projectName": PROJECT, "sourceVersion": "v1.2.3" });
        let started = codebuild(&sim, "StartBuild", &started);
        let build = started["build"]["id"].as_str().unwrap().to_owned();
        Self { sim, rule: name, build }
    }

    /// `paceline deploy` as a build runs it.
    fn deploy<'a>(&self, place: &'a Place, build: &str) -> Call<'a> {
        let call = place.paceline(["deploy", "--events", "events.jsonl", "--sleep", &self.rule]);
        call.aws_at(&self.sim.address).env("CODEBUILD_BUILD_ID", build)
    }

    fn builds(&self) -> Vec<String> {
        let listed = codebuild(&self.sim, "ListBuildsForProject", &json!({ "projectName": PROJECT }));
        listed["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    fn is_enabled(&self) -> bool {
        events(&self.sim, "DescribeRule", &json!({ "Name": self.rule }))["State"] == "ENABLED"
    }
}

/// What CloudFormation makes of `Fn::Sub` here.
fn resolved(value: &Value) -> Value {
    let known = [
        ("${AWS::Partition}", "aws"),
        ("${AWS::Region}", "us-east-1"),
        ("${AWS::AccountId}", "111111111111"),
    ];
    match value {
        Value::Object(fields) => match fields.get("Fn::Sub").and_then(Value::as_str) {
            Some(text) => {
                json!(known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
            }
            None => fields.iter().map(|(name, value)| (name.clone(), resolved(value))).collect(),
        },
        Value::Array(items) => items.iter().map(resolved).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_run_sleeps_while_cloudformation_works_and_another_build_continues_it() {
    let (aws, outer) = (Aws::start(SCALE), Outer::good());
    let before = machine("one");
    let call = aws.deploy(&before, &aws.build).env("WAIT_HANDLE_URL", &outer.url());
    let ran = call.run().expect(4);
    let run = before.runs()[0].clone();
    assert!(ran.stderr.contains("\nAsleep after "), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 of 3 stacks done; CloudFormation works on Slow"), "{}", ran.stderr);
    assert!(
        before.read(".paceline/asleep").starts_with(&format!("the run {run} sleeps until CloudFormation"))
    );
    assert!(aws.is_enabled());
    assert!(outer.requests().is_empty(), "the deployment has not ended");

    // Another run is told.
    let other = machine("two");
    let refused = other.paceline(["deploy", "--lock", "refuse"]).aws_at(&aws.sim.address).run().expect(3);
    assert!(
        refused.stderr.contains(&format!("the run {run} sleeps while CloudFormation works")),
        "{}",
        refused.stderr
    );
    assert_eq!(aws.sim.accepted("UpdateStack"), [""; 0]);

    until("a build is started", || aws.builds().len() > 1);
    let next = aws.builds()[0].clone();
    let started = codebuild(&aws.sim, "BatchGetBuilds", &json!({ "ids": [next] }))["builds"][0].clone();
    let variables = started["environment"]["environmentVariables"].as_array().unwrap();
    assert!(variables.contains(&json!({ "name": "PACELINE_WAKE", "value": run, "type": "PLAINTEXT" })));
    assert_eq!(started["sourceVersion"], "v1.2.3", "it deploys the same source");

    let place = machine("one");
    let call = aws.deploy(&place, &next).env("PACELINE_WAKE", &run);
    let ran = call.env("WAIT_HANDLE_URL", &outer.url()).run().expect(0);
    assert!(ran.stderr.contains(&format!("continuing the run {run}, which slept")), "{}", ran.stderr);
    assert_eq!(aws.sim.accepted("CreateStack"), ["Base", "Slow", "Web"], "nothing is done twice");
    let heard = Events::read(&place.path("events.jsonl"));
    assert_eq!(heard.of("run.started").count(), 2, "the report covers both builds");
    assert!(!aws.is_enabled(), "later changes of stacks start no builds");
    assert_eq!(aws.builds().len(), 2);

    // An event that comes twice starts a build that has nothing to do.
    let calls = aws.sim.calls().len();
    let late = machine("one");
    let call = aws.deploy(&late, &next).env("PACELINE_WAKE", &run);
    let ran = call.env("WAIT_HANDLE_URL", &outer.url()).run().expect(0);
    outer.once("SUCCESS");
    assert!(ran.stderr.contains(&format!("the run {run} does not sleep any more")), "{}", ran.stderr);
    let changes = ["PutObject", "CreateStack", "UpdateStack", "CreateChangeSet", "EnableRule"];
    assert!(!aws.sim.calls().iter().skip(calls).any(|call| changes.contains(&call.1.as_str())));
}

#[test]
fn a_run_stays_awake_if_a_stack_has_ended_before_the_rule_could_hear_it() {
    let aws = Aws::start(FAST);
    let place = machine("one");
    let ran = aws.deploy(&place, &aws.build).run().expect(0);
    assert!(
        ran.stderr.contains("the run stays awake: CloudFormation has ended an operation meanwhile"),
        "{}",
        ran.stderr
    );
    assert_eq!(aws.sim.accepted("CreateStack"), ["Base", "Slow", "Web"]);
    assert!(!aws.is_enabled());
    assert!(!place.path(".paceline/asleep").exists());
}

#[test]
fn a_run_stays_awake_if_nothing_would_continue_it() {
    let aws = Aws::start(FAST);
    let place = machine("one");
    let call = place.paceline(["deploy", "--sleep", "none"]).aws_at(&aws.sim.address);
    let ran = call.env("CODEBUILD_BUILD_ID", &aws.build).run().expect(0);
    assert!(ran.stderr.contains("the run stays awake: no build would continue it"), "{}", ran.stderr);
    // Not in a build, a run never sleeps.
    let aws = Aws::start(FAST);
    let ran =
        machine("one").paceline(["deploy", "--sleep", &aws.rule]).aws_at(&aws.sim.address).run().expect(0);
    assert!(!ran.stderr.contains("awake"), "{}", ran.stderr);
}

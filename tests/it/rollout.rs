//! A region at a time, against the simulator in another process.

use serde_json::{Value, json};

use crate::generated_role::RUNNER;
use crate::harness::{Call, Events, Place, Sim};

/// Fast enough not to be waited for.
const FAST: u32 = 2000;
/// Sends the alarm of the simulator into `ALARM`, as the command of a team that runs after the first region.
const SET_ALARM: &str = r#"
address=${AWS_ENDPOINT_URL#http://}
body='Action=SetAlarmState&AlarmName=prod-5xx&StateValue=ALARM&StateReason=test'
exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
printf 'POST / HTTP/1.1\r\nHost: aws\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' "${#body}" "$body" >&3
grep -q '200 OK' <&3
"#;

/// Writes an app of two stacks in the first region and one in another.
fn app(place: &Place, version: &str) {
    let mut artifacts = serde_json::Map::new();
    for (name, region) in [("Us", "us-east-1"), ("UsApi", "us-east-1"), ("Eu", "eu-west-1")] {
        let template = json!({ "Resources": { "Topic": {
            "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": version } } } });
        place.write(&format!("cdk.out/{name}.json"), &template.to_string());
        let stack = json!({
            "type": "aws:cloudformation:stack",
            "environment": format!("aws://111111111111/{region}"),
            "properties": { "templateFile": format!("{name}.json") },
        });
        artifacts.insert(name.to_owned(), stack);
    }
    place.write("cdk.out/manifest.json", &json!({ "version": "36.0.0", "artifacts": artifacts }).to_string());
}

fn config(place: &Place, more: &str) {
    let rollout = "rollout: { first: us-east-1, bake: 1s, alarms: ['prod-*']";
    place.write("paceline.yaml", &format!("{rollout}{more}\n"));
}

fn deploy<'a>(place: &'a Place, sim: &Sim) -> Call<'a> {
    place.paceline(["deploy", "--events", "events.jsonl"]).aws_at(&sim.address)
}

#[test]
fn an_alarm_stops_the_run_and_rolls_it_back_if_the_configuration_says_so() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--alarm", "prod-5xx"]));
    place.write("alarm.sh", SET_ALARM);
    config(&place, " }");
    app(&place, "one");
    deploy(&place, &sim).run().expect(0);
    app(&place, "two");
    config(&place, ", on-alarm: rollback }\ncommands: [{ name: test, after: Us, run: bash alarm.sh }]");
    let ran = deploy(&place, &sim).run().expect(1);
    for said in [
        "prod-5xx (AWS::CloudWatch::Alarm): in ALARM since",
        "Eu (eu-west-1), because the alarm prod-5xx went off",
        "as `rollout` in paceline.yaml says",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let skipped = |event: &&Value| event["stack"] == "Eu" && event["outcome"] == "skipped";
    let events = Events::read(&place.path("events.jsonl"));
    assert_eq!(events.of("step.finished").filter(skipped).count(), 1);
    assert_eq!(sim.accepted("UpdateStack"), ["Us", "Us", "UsApi", "UsApi"], "updated and restored");
    assert_eq!(place.runs().len(), 3, "the rollback is a run");
}

#[test]
fn an_alarm_that_only_stops_the_run_leaves_the_first_region() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--alarm", "prod-5xx"]));
    place.write("alarm.sh", SET_ALARM);
    app(&place, "one");
    config(&place, " }\ncommands: [{ name: test, after: Us, run: bash alarm.sh }]");
    let ran = deploy(&place, &sim).run().expect(1);
    assert!(ran.stderr.contains("or restore it with `paceline rollback"), "{}", ran.stderr);
    assert_eq!(place.runs().len(), 1);
    assert_eq!(sim.accepted("CreateStack").len(), 2);
}

#[test]
fn a_misspelt_alarm_is_refused_before_anything_is_touched() {
    let (place, sim) = (Place::new(), Sim::start_with(FAST, &["--alarm", "production-5xx"]));
    app(&place, "one");
    config(&place, " }");
    let ran = deploy(&place, &sim).run().expect(3);
    assert!(ran.stderr.contains("no alarm in us-east-1 is called `prod-*`"), "{}", ran.stderr);
    assert_eq!(sim.accepted("CreateStack"), [""; 0]);
    let ran = place.paceline(["sim", "serve", "--alarm", "a@soon"]).run().expect(2);
    assert!(ran.stderr.contains("write the time like 10m or 90s"), "{}", ran.stderr);
}

#[test]
fn a_simulation_bakes_without_alarms_and_says_so() {
    let place = Place::new();
    app(&place, "one");
    config(&place, " }");
    let ran = place.paceline(["deploy", "--simulate"]).run().expect(0);
    assert!(
        ran.stderr.contains("simulated as if the alarms prod-* of us-east-1 were there and did not go off"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("bake of us-east-1: 1 alarm watched, none went off"), "{}", ran.stderr);
}

#[test]
fn the_generated_role_may_read_alarms_only_with_the_setting() {
    let place = Place::new();
    app(&place, "one");
    let role = |config: &str| {
        place.write("paceline.yaml", &format!("{RUNNER}{config}"));
        place.paceline(["gen", "--name", "shop"]).run().expect(0);
        place.read("buildspecs/shop.project.yaml")
    };
    let with = role("rollout: { first: us-east-1, alarms: a }\n");
    assert!(with.contains("cloudwatch:DescribeAlarms"), "{with}");
    assert!(!role("").contains("DescribeAlarms"));
}

#[test]
fn several_builds_are_refused_at_the_setting_of_the_rollout() {
    let place = Place::new();
    app(&place, "one");
    let refused = |more: &str, options: &[&str], whose: &str| {
        config(&place, &format!(" }}\n{more}"));
        let ran = place.paceline(["gen", "--name", "shop"]).args(options).run().expect(2);
        let said = format!(
            "error: paceline.yaml:1:10: `rollout` deploys a region at a time, and each build of {whose}"
        );
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    };
    let source = "source: github, location: \"https://github.com/acme/shop.git\"";
    refused(&format!("codebuild: {{ batch: regions, {source} }}"), &[], "a batch");
    refused(&format!("codebuild: {{ {source} }}"), &["--fan-out"], "a state machine");
}

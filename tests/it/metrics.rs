//! The metrics of a run and the notifications about it, as a team sets them up.

use serde_json::Value;

use crate::deploy::tiny_manifest;
use crate::harness::{Call, Place, Ran, Sim, skipped};
use crate::unsigned::send;

const FAST: u32 = 1000;
/// The address of something else than this simulator that understands CloudWatch, such as `http://127.0.0.1:5000`.
const OTHER_CLOUDWATCH: &str = "PACELINE_TEST_CLOUDWATCH";

/// An app of two stacks with nothing between them, and its configuration.
fn place(config: &str) -> Place {
    let place = Place::new();
    place.write("shop/cdk.out/manifest.json", &tiny_manifest(&["A", "B"]));
    for stack in ["A", "B"] {
        let template = r#"{"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{}}}}"#;
        place.write(&format!("shop/cdk.out/{stack}.template.json"), template);
    }
    place.write("paceline.yaml", &format!("app: shop/cdk.out\n{config}"));
    place
}

fn deploy(place: &Place) -> Call<'_> {
    place.paceline(["deploy", "--no-synth"])
}

fn calls(sim: &Sim, operation: &str) -> Vec<u16> {
    sim.calls().into_iter().filter(|call| call.1 == operation).map(|call| call.2).collect()
}

#[test]
fn the_metrics_of_a_run_are_sent_once_at_its_end() {
    let (place, sim) = (place("metrics: cloudwatch\n"), Sim::start(FAST));
    let ran = deploy(&place).aws_at(&sim.address).run().expect(0);
    assert_eq!(calls(&sim, "PutMetricData"), [200]);
    assert!(!ran.stderr.contains("metrics"), "{}", ran.stderr);
    assert_eq!(sim.calls().last().unwrap().1, "PutMetricData");
}

#[test]
fn no_metrics_are_sent_unless_somebody_wants_them() {
    let (place, sim) = (place(""), Sim::start(FAST));
    deploy(&place).aws_at(&sim.address).run().expect(0);
    assert_eq!(calls(&sim, "PutMetricData"), [0; 0]);
    let once = place.paceline(["destroy", "--yes", "--no-synth", "--metrics", "cloudwatch"]);
    once.aws_at(&sim.address).run().expect(0);
    assert_eq!(calls(&sim, "PutMetricData"), [200]);
}

#[test]
fn metrics_that_cannot_be_sent_are_a_warning_and_no_failure() {
    let (place, sim) = (place("metrics: cloudwatch\n"), Sim::start(FAST));
    // Nobody listens there.
    let call = deploy(&place).aws_at(&sim.address).env("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:1");
    let ran = call.run().expect(0);
    assert!(ran.stderr.contains("the metrics of the run were not sent to CloudWatch"), "{}", ran.stderr);
}

/// The lines of the embedded metric format.
fn emf(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_embedded_format_is_all_that_is_on_stdout() {
    let (place, sim) = (place("metrics: emf\n"), Sim::start(FAST));
    let call = deploy(&place).aws_at(&sim.address).env("CODEBUILD_BUILD_ID", "shop-build:1f2e");
    let lines = emf(&call.run().expect(0));
    assert_eq!(calls(&sim, "PutMetricData"), [0; 0]);
    let of_run = lines.iter().find(|line| line["RunDuration"].is_number()).unwrap();
    assert_eq!(of_run["Deployment"], "shop-build");
    assert_eq!(of_run["ParallelCompletions"], 2.0);
    let stacks = lines.iter().find(|line| line["Outcome"] == "deployed").unwrap();
    assert_eq!(stacks["Stacks"], 2.0);
}

#[test]
fn a_simulation_leaves_no_metrics_unless_it_is_asked_to() {
    let place = place("metrics: emf\n");
    assert_eq!(deploy(&place).args(["--simulate"]).run().expect(0).stdout, "");
    let ran = deploy(&place).args(["--simulate", "--metrics", "emf"]).run().expect(0);
    assert!(emf(&ran).iter().all(|line| line["Deployment"] == "shop"), "{}", ran.stdout);
    deploy(&place).args(["--simulate", "--metrics", "cloudwatch"]).run().expect(0);
}

#[test]
fn a_topic_and_a_bus_hear_that_a_run_begins_and_ends() {
    let config = "notifications: { sns: 'arn:aws:sns:us-east-1:111122223333:t', event-bus: deployments }\n";
    let (place, sim) = (place(config), Sim::start(FAST));
    deploy(&place).aws_at(&sim.address).run().expect(0);
    assert_eq!(calls(&sim, "Publish"), [200, 200]);
    assert_eq!(calls(&sim, "PutEvents"), [200, 200]);
    deploy(&place).args(["--simulate"]).run().expect(0);
    assert_eq!(calls(&sim, "Publish").len(), 2);
}

#[test]
fn a_failure_is_told_at_once_and_once() {
    let config = "notifications: { sns: 'arn:aws:sns:us-east-1:111122223333:t', on: [failure] }\n";
    let (place, sim) =
        (place(config), Sim::start_with(FAST, &["--fail", "A:T:create", "--fail", "B:T:create"]));
    deploy(&place).aws_at(&sim.address).run().expect(1);
    assert_eq!(calls(&sim, "Publish"), [200]);
}

#[test]
fn who_cannot_be_notified_is_a_warning_and_no_failure() {
    let config = "notifications: { sns: 'arn:aws:sns:us-east-1:111122223333:t' }\n";
    let (place, sim) = (place(config), Sim::start(FAST));
    let call = deploy(&place).aws_at(&sim.address).env("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1");
    let ran = call.run().expect(0);
    assert!(ran.stderr.contains("was not notified"), "{}", ran.stderr);
}

#[test]
fn another_cloudwatch_takes_the_metrics_too() {
    let Ok(other) = std::env::var(OTHER_CLOUDWATCH) else {
        skipped(&format!(
            "{OTHER_CLOUDWATCH} names no CloudWatch, so only the simulator has taken the metrics"
        ));
        return;
    };
    let (place, sim) = (place("metrics: cloudwatch\n"), Sim::start(FAST));
    let call = deploy(&place).aws_at(&sim.address).env("AWS_ENDPOINT_URL_CLOUDWATCH", &other);
    let ran = call.run().expect(0);
    assert!(!ran.stderr.contains("metrics"), "{}", ran.stderr);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let query = "Action=ListMetrics&Version=2010-08-01&Namespace=Paceline";
    let (_, listed) = send(&other, "monitoring", "POST /", &form, query);
    for name in ["RunDuration", "StackDuration", "IamConsistencyFailures", "StackEvents"] {
        assert!(listed.contains(&format!("<MetricName>{name}</MetricName>")), "{name}: {listed}");
    }
    assert!(listed.contains("<Value>AWS::SNS::Topic</Value>"), "{listed}");
}

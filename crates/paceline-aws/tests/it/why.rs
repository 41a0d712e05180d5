//! What the services of resources say while they hang, and when they have failed.

use std::sync::Arc;
use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::event::{ServiceReason, ServiceReport, StuckResource, UsualSource};
use paceline_engine::{Fact, Outcome};
use paceline_plan::StepOperation;
use paceline_plan::durations::ResourceOperation;
use paceline_plan::history::{Entry, History, HistoryKind, ResourceTime, SCHEMA, account_key};
use paceline_sim::{Call, Calls, Faults, Hanging, Mishap, SimOptions};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, BUCKET, REGION, topic};
use crate::world::{How, Ran, World};

const PULL: &str = "CannotPullContainerError: pull access denied for shop/web";
const EXITED: &str = "Essential container in task exited";
const CANCEL: &str = "on-failure: { stuck: cancel }";

fn hanging(stack: &str, logical_id: &str) -> Hanging {
    let reasons = [PULL, EXITED].map(str::to_owned).to_vec();
    let (stack, logical_id) = (stack.to_owned(), logical_id.to_owned());
    Hanging { stack, logical_id, reasons, patience: Duration::from_mins(8) }
}

fn hangs(stacks: &[&str]) -> Faults {
    Faults { hanging: stacks.iter().map(|stack| hanging(stack, "Service")).collect(), ..Faults::default() }
}

fn world(faults: Faults) -> World {
    World::new(SimOptions { faults, ..SimOptions::default() })
}

fn service(count: u32) -> Value {
    named("web", count)
}

fn named(name: &str, count: u32) -> Value {
    let mut template = topic("t");
    template["Resources"]["Service"] = json!({
        "Type": "AWS::ECS::Service",
        "Metadata": {"aws:cdk:path": "App/Stack/Service/Resource"},
        "Properties": {"DesiredCount": count, "Cluster": "shop", "ServiceName": name},
    });
    template
}

pub(crate) fn stuck(ran: &Ran) -> Vec<&StuckResource> {
    let stuck = ran.events.iter().filter_map(|event| match &event.fact {
        Fact::StepWarned(warned) => warned.stuck.as_deref(),
        _ => None,
    });
    stuck.collect()
}

pub(crate) fn counts(report: &ServiceReport) -> Vec<(&str, usize)> {
    report.reasons.iter().map(|ServiceReason { reason, count }| (reason.as_str(), *count)).collect()
}

#[tokio::test(start_paused = true)]
async fn an_ecs_service_that_hangs_is_named_with_the_reasons_of_its_stopped_tasks() {
    let world = world(hangs(&["S"]));
    let ran = world.deploy(&App::of("S", &service(2))).await;
    let [warning] = ran.warnings()[..] else { panic!("{:?}", ran.warnings()) };
    let place = "App/Stack/Service/Resource (AWS::ECS::Service), arn:aws:ecs:us-east-1:111111111111:service/shop/web,";
    assert!(warning.starts_with(place), "{warning}");
    let exited = format!("{EXITED}: web exited with code 1");
    let said = format!(
        "usually takes 1 min 59 s (typical of its type): Amazon ECS says: 0 of 2 tasks run, 7 failed; \
         {PULL} (4 times); {exited} (3 times)"
    );
    assert!(warning.ends_with(&said), "{warning}");
    let [stuck] = stuck(&ran)[..] else { panic!("{:?}", stuck(&ran)) };
    assert_eq!((stuck.logical_id.as_str(), stuck.status.as_str()), ("Service", "CREATE_IN_PROGRESS"));
    assert_eq!((stuck.usual_s, &stuck.usual_from, stuck.samples), (119.0, &UsualSource::Table, 0));
    assert!((357.0..400.0).contains(&stuck.taken_s), "{}", stuck.taken_s);
    let report = stuck.service.as_ref().unwrap();
    assert_eq!(report.state.as_deref(), Some("0 of 2 tasks run, 7 failed"));
    assert_eq!(counts(report), [(PULL, 4), (exited.as_str(), 3)]);
}

/// CloudFormation gives up after eight minutes, and rolls back.
#[tokio::test(start_paused = true)]
async fn the_reasons_of_a_service_that_has_failed_are_a_part_of_the_first_cause() {
    let world = world(hangs(&["S"]));
    let ran = world.deploy(&App::of("S", &service(2))).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let cause = ran.cause("S");
    assert_eq!(cause.at.as_deref(), Some("App/Stack/Service/Resource (AWS::ECS::Service)"));
    assert!(cause.message.starts_with("Resource handler returned message: "), "{cause:?}");
    assert!(cause.message.contains("HandlerErrorCode: NotStabilized); Amazon ECS says: "), "{cause:?}");
    assert!(cause.message.contains(PULL), "{cause:?}");
    let [(_, one), (_, other)] = counts(cause.service.as_ref().unwrap())[..] else { panic!("{cause:?}") };
    assert_eq!((one, other), (5, 5), "{cause:?}");
}

#[tokio::test(start_paused = true)]
async fn an_update_of_a_service_that_hangs_is_cancelled_and_its_cause_has_the_reasons() {
    for method in [Method::Direct, Method::ChangeSet] {
        let world = world(Faults::default());
        world.deploy(&App::of("S", &service(1))).await.check(&[("S", Outcome::Deployed)]);
        let how = How { config: CANCEL, faults: Some(hangs(&["S"])), method, ..How::default() };
        let ran = world.run(&App::of("S", &service(2)), how).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        let cause = ran.cause("S");
        let cancelled = "its update was cancelled (on-failure.stuck): it has been in UPDATE_IN_PROGRESS for ";
        assert!(cause.message.starts_with(cancelled), "{cause:?}");
        assert!(cause.message.contains("; Amazon ECS says: 0 of 2 tasks run"), "{cause:?}");
        assert!(counts(cause.service.as_ref().unwrap()).iter().any(|(reason, _)| *reason == PULL));
        assert_eq!(world.count("CancelUpdateStack"), 1);
        assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_may_not_be_asked_is_said_once_and_stops_nothing() {
    let denied = vec![("ecs".to_owned(), "DescribeServices".to_owned())];
    let world = world(Faults { denied, ..hangs(&["A", "B"]) });
    let app = App::new().stack("A", &named("a", 1), &[]).stack("B", &named("b", 1), &[]);
    let ran = world.deploy(&app).await;
    ran.check_all(Outcome::RolledBack);
    let warnings = ran.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().all(|it| it.contains("look at the service's events")), "{warnings:?}");
    let not_asked = "(Amazon ECS could not be asked why: DescribeServices: ";
    assert_eq!(warnings.iter().filter(|it| it.contains(not_asked)).count(), 1, "{warnings:?}");
    assert!(ran.cause("A").service.is_none() && ran.cause("B").service.is_none());
    // Each may have asked once with the credentials of the run and once with the deploy role, but not after that.
    assert!(world.count("DescribeServices") <= 4, "{}", world.count("DescribeServices"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_stops_nothing() {
    for mishap in [Mishap::never_answered(), Mishap::html(), Mishap::empty(), Mishap::reset()] {
        let world = world(hangs(&["S"]));
        world.proxy.on(Calls::to("ecs"), mishap.clone());
        let ran = world.deploy(&App::of("S", &service(1))).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        let [warning] = ran.warnings()[..] else { panic!("{mishap:?}: {:?}", ran.warnings()) };
        assert!(warning.contains("(Amazon ECS could not be asked why: "), "{mishap:?}: {warning}");
        let cause = ran.cause("S");
        assert!(cause.message.contains("; Amazon ECS could not be asked why: "), "{mishap:?}: {cause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lookup_role_asks_if_there_is_one() {
    let world = world(hangs(&["S"]));
    let role = format!("arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-lookup-role-{ACCOUNT}-{REGION}");
    let more = json!({"properties": {"lookupRole": {"arn": role}}});
    let app = App::new().stack_with("S", &service(1), &more);
    let ran = world.deploy(&app).await;
    assert!(stuck(&ran)[0].service.as_ref().unwrap().not_asked.is_none());
    let calls = world.sim.calls();
    let asked: Vec<bool> = calls.iter().filter(|it| it.service == "ecs").map(|it| it.as_role).collect();
    assert_eq!(asked, [true; 6], "three calls while it hangs, and three after its failure");
}

#[tokio::test(start_paused = true)]
async fn an_auto_scaling_group_that_hangs_is_named_with_its_failed_activities() {
    let reason = "You have requested more vCPU capacity than your limit of 32 allows";
    let hanging = Hanging { reasons: vec![reason.to_owned()], ..hanging("S", "Group") };
    let world = world(Faults { hanging: vec![hanging], ..Faults::default() });
    let mut template = topic("t");
    template["Resources"]["Group"] = json!({"Type": "AWS::AutoScaling::AutoScalingGroup"});
    let ran = world.deploy(&App::of("S", &template)).await;
    let [warning] = ran.warnings()[..] else { panic!("{:?}", ran.warnings()) };
    let said = format!(": Amazon EC2 Auto Scaling says: {reason} (6 times)");
    assert!(warning.ends_with(&said), "{warning}");
    assert!(ran.cause("S").message.contains("; Amazon EC2 Auto Scaling says: "), "{:?}", ran.cause("S"));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_hangs_or_fails_is_named_with_its_events() {
    for kind in ["AWS::RDS::DBInstance", "AWS::RDS::DBCluster"] {
        let reason = "The DB instance has an incompatible network";
        let patience = Duration::from_mins(70);
        let hanging = Hanging { reasons: vec![reason.to_owned()], patience, ..hanging("S", "Db") };
        let world = world(Faults { hanging: vec![hanging], ..Faults::default() });
        let mut template = topic("t");
        template["Resources"]["Db"] = json!({"Type": kind});
        let ran = world.deploy(&App::of("S", &template)).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        let [warning] = ran.warnings()[..] else { panic!("{kind}: {:?}", ran.warnings()) };
        assert!(warning.contains(&format!(": Amazon RDS says: {reason} (")), "{kind}: {warning}");
        let cause = ran.cause("S");
        assert!(cause.message.contains(&format!("; Amazon RDS says: {reason} (")), "{kind}: {cause:?}");
        // One event each 45 seconds, and none is left out although RDS by itself shows those of the last hour.
        assert_eq!(counts(cause.service.as_ref().unwrap()), [(reason, 93)], "{kind}");
    }
}

/// The times of earlier creations of the service.
fn history(logical_id: &str, seconds: f64) -> Arc<History> {
    let entry = |run: u32| Entry {
        schema: SCHEMA,
        run: format!("run-{run}"),
        step: "deploy:S".to_owned(),
        at: format!("2025-12-01T00:00:0{run}.000Z"),
        kind: HistoryKind::Stack,
        name: "S".to_owned(),
        account: Some(account_key(ACCOUNT)),
        region: Some(REGION.to_owned()),
        operation: StepOperation::Create,
        content: None,
        endpoint: None,
        seconds,
        resources: vec![ResourceTime {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::ECS::Service".to_owned(),
            operation: ResourceOperation::Create,
            seconds,
        }],
    };
    let mut history = History::default();
    history.extend((0..4).map(entry));
    Arc::new(history)
}

#[tokio::test(start_paused = true)]
async fn earlier_runs_tell_what_is_usual_for_a_resource_and_for_its_type() {
    for (logical_id, from, said) in [
        ("Service", UsualSource::Resource, "usually takes 10 min (90th percentile of its last 4 creations)"),
        (
            "Another",
            UsualSource::Type,
            "usually takes 10 min (90th percentile of the last 4 creations of its type)",
        ),
    ] {
        let mut faults = hangs(&["S"]);
        faults.hanging[0].patience = Duration::from_mins(32);
        let world = world(faults);
        let how = How { history: history(logical_id, 600.0), ..How::default() };
        let ran = world.run(&App::of("S", &service(1)), how).await;
        let [stuck] = stuck(&ran)[..] else { panic!("{:?}", stuck(&ran)) };
        assert_eq!((&stuck.usual_from, stuck.samples, stuck.usual_s), (&from, 4, 600.0));
        assert!((1800.0..1900.0).contains(&stuck.taken_s), "{}", stuck.taken_s);
        assert!(ran.warnings()[0].contains(said), "{:?}", ran.warnings());
    }
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_always_slow_is_not_stuck() {
    let durations = SimOptions::default().durations;
    let slow = durations.with("AWS::ECS::Service", ResourceOperation::Create, Duration::from_mins(25));
    let world = World::new(SimOptions { durations: slow, ..SimOptions::default() });
    let how = How { history: history("Service", 600.0), ..How::default() };
    let ran = world.run(&App::of("S", &service(1)), how).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.warnings(), [""; 0]);
}

/// An app whose stack S has nested stacks: `Child`, and in it `Inner`, which has the service with this count.
fn nested_app(count: u32) -> App {
    let nested = |file: &str| {
        json!({"Type": "AWS::CloudFormation::Stack", "Properties": {
            "TemplateURL": format!("https://s3.{REGION}.amazonaws.com/{BUCKET}/{count}-{file}")},
            "Metadata": {"aws:asset:path": file, "aws:asset:property": "TemplateURL"}})
    };
    let mut app = App::new();
    let mut child = topic("child");
    child["Resources"]["Inner"] = nested("inner.json");
    app.write("child.json", child.to_string());
    app.write("inner.json", service(count).to_string());
    let file = |name: &str| {
        json!({"source": {"path": name, "packaging": "file"},
            "destinations": {"here": {"bucketName": BUCKET, "objectKey": format!("{count}-{name}"), "region": REGION}}})
    };
    let manifest =
        json!({"version": "36.0.0", "files": {"child": file("child.json"), "inner": file("inner.json")}});
    app.stack("S", &json!({"Resources": {"Child": nested("child.json")}}), &[]).assets("S", &manifest)
}

/// The name of the stack that has the service. It is generated from a seed at its creation, and a first run shows it.
async fn innermost(app: &App) -> String {
    let first = world(Faults::default());
    first.deploy(app).await.check(&[("S", Outcome::Deployed)]);
    let stacks = first.sim.stacks();
    stacks.iter().map(|stack| stack.name.clone()).find(|name| name.contains("-Inner-")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_hangs_in_nested_stacks_is_named_while_it_hangs_and_is_the_cause() {
    let app = nested_app(1);
    let world = world(hangs(&[&innermost(&app).await]));
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let [warning] = ran.warnings()[..] else { panic!("{:?}", ran.warnings()) };
    let place = "Child / Inner / App/Stack/Service/Resource (AWS::ECS::Service), arn:aws:ecs:";
    assert!(warning.starts_with(place), "{warning}");
    let said = "usually takes 1 min 59 s (typical of its type): Amazon ECS says: 0 of 1 task run, 7 failed; ";
    assert!(warning.contains(said), "{warning}");
    let [stuck] = stuck(&ran)[..] else { panic!("{:?}", stuck(&ran)) };
    assert_eq!(
        (&stuck.within[..], stuck.logical_id.as_str()),
        (&["Child", "Inner"].map(str::to_owned)[..], "Service")
    );
    let cause = ran.cause("S");
    assert!(
        cause.at.as_deref().unwrap().starts_with("Child / Inner / App/Stack/Service/Resource"),
        "{cause:?}"
    );
    let report = cause.service.as_ref().unwrap();
    assert_eq!(report.state.as_deref(), Some("the service is deleted"));
    assert!(counts(report).iter().any(|(reason, _)| *reason == PULL), "{cause:?}");
}

/// The calls that read the events of nested stacks, each with the seconds since the start.
fn reads_of_nested(world: &World) -> Vec<(String, i64)> {
    let calls = world.sim.calls();
    let start = calls[0].at;
    let reads = calls.iter().filter(|call| call.operation == "DescribeStackEvents");
    let reads = reads.filter_map(|call| Some((call.stack.clone()?, call.at.duration_since(start).as_secs())));
    reads.filter(|(stack, _)| stack.contains("-Child-")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_nested_stack_with_nothing_that_hangs_is_read_now_and_then_while_it_takes_long_and_not_named() {
    let durations = SimOptions::default().durations;
    let slow = durations.with("AWS::ECS::Service", ResourceOperation::Create, Duration::from_mins(25));
    let slow = World::new(SimOptions { durations: slow, ..SimOptions::default() });
    let how = How { history: history("Elsewhere", 600.0), ..How::default() };
    let ran = slow.run(&nested_app(1), how).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.warnings(), [""; 0]);
    let reads = reads_of_nested(&slow);
    assert!(reads.iter().all(|(_, at)| *at >= 300), "{reads:?}");
    // Two nested stacks for twenty minutes.
    assert!((40..=2 * 20 * 4).contains(&reads.len()), "{reads:?}");

    let quick = world(Faults::default());
    quick.deploy(&nested_app(1)).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(reads_of_nested(&quick), []);
}

#[tokio::test(start_paused = true)]
async fn a_nested_stack_whose_events_cannot_be_read_is_said_once_and_stops_nothing() {
    let app = nested_app(1);
    let world = world(hangs(&[&innermost(&app).await]));
    let of_nested = |call: &Call| call.stack.as_ref().is_some_and(|stack| stack.contains("-Child-"));
    world.proxy.on(Calls::of("DescribeStackEvents").when(of_nested), Mishap::denied());
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let [warning] = ran.warnings()[..] else { panic!("{:?}", ran.warnings()) };
    let said =
        "the nested stack Child takes long, and its events cannot be read: what hangs in it is not known: ";
    assert!(warning.starts_with(said), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn an_update_is_cancelled_because_of_what_hangs_in_a_nested_stack() {
    let app = nested_app(1);
    let name = innermost(&app).await;
    let world = world(Faults::default());
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    let how = How { config: CANCEL, faults: Some(hangs(&[&name])), ..How::default() };
    let ran = world.run(&nested_app(2), how).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let cause = ran.cause("S");
    assert!(
        cause.at.as_deref().unwrap().starts_with("Child / Inner / App/Stack/Service/Resource"),
        "{cause:?}"
    );
    assert!(
        cause.message.starts_with("its update was cancelled (on-failure.stuck): it has been in "),
        "{cause:?}"
    );
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
}

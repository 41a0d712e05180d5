//! Rollouts: the first region is deployed, its alarms are watched, and only then the other regions start.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use paceline_engine::{ExitCode, Fact, Outcome};
use paceline_sim::{AlarmState, Calls, Failure, Faults, Mishap, SimAlarm};
use paceline_text::Explained as _;
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, REGION, slow};
use crate::world::{How, Ran, World};

const BAKE: &str = "gate:bake:us-east-1";
const CONFIG: &str = "rollout: { first: us-east-1, bake: 10m, alarms: ['prod-*'] }";
const OTHER_REGION: &str = "eu-west-1";

fn how() -> How {
    How { config: CONFIG, ..How::default() }
}

fn elsewhere() -> Value {
    json!({"environment": format!("aws://{ACCOUNT}/{OTHER_REGION}")})
}

/// `Us` is in the first region, `Eu` in another one. Each takes a minute.
fn app() -> App {
    App::new().stack("Us", &slow("us"), &[]).stack_with("Eu", &slow("eu"), &elsewhere())
}

fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().unwrap()
}

/// A world with an alarm that changes its state at these times.
fn world(changes: &[(Timestamp, AlarmState)]) -> World {
    let world = World::slow();
    let alarm = SimAlarm::named("prod-5xx");
    world.sim.set_alarm(changes.iter().fold(alarm, |alarm, (at, state)| alarm.at(*at, *state)));
    world
}

/// The time from the end of a stack's deployment to the start of another one.
fn between(ran: &Ran, first: &str, second: &str) -> Duration {
    let ended = ran.position(first, |fact| matches!(fact, Fact::StepFinished(_)));
    let started = ran.position(second, |fact| matches!(fact, Fact::StepStarted(_)));
    ran.events[started].at.duration_since(ran.events[ended].at).try_into().unwrap()
}

#[track_caller]
fn check_stopped(ran: &Ran, since: &str) {
    ran.check(&[("Us", Outcome::Deployed), ("Eu", Outcome::Skipped)]);
    assert_eq!(ran.stack("Eu").because.as_deref(), Some(BAKE));
    let bake = ran.finished(BAKE);
    assert_eq!(bake.outcome, Outcome::Failed);
    let cause = bake.cause.as_ref().unwrap();
    assert_eq!(cause.alarm(&bake.step), Some("prod-5xx"));
    let message = format!(
        "in ALARM since 2026-01-01T{since}Z in {ACCOUNT}/{REGION}: Threshold Crossed: 1 datapoint [7.0] was greater \
         than the threshold (1.0)."
    );
    assert_eq!(cause.message, message);
    assert_eq!(ran.exit_code(), ExitCode::Failed);
}

fn began_elsewhere(world: &World) -> bool {
    world.sim.stacks().iter().any(|stack| stack.region == OTHER_REGION)
}

#[tokio::test(start_paused = true)]
async fn the_other_regions_start_when_the_time_is_over_and_no_alarm_went_off() {
    let world = world(&[]);
    let ran = world.run(&app(), how()).await;
    ran.check_all(Outcome::Deployed);
    let waited = between(&ran, "Us", "Eu");
    assert!((Duration::from_mins(10)..Duration::from_mins(11)).contains(&waited), "{waited:?}");
    let bake = ran.finished(BAKE);
    assert_eq!(bake.detail.as_deref(), Some("1 alarm watched, none went off"));
    assert_eq!((bake.step.title.as_str(), bake.step.region.as_deref()), ("bake of us-east-1", Some(REGION)));
    assert!(ran.warnings().is_empty(), "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn an_alarm_during_the_bake_stops_the_run() {
    let world = world(&[(at("00:05:00"), AlarmState::Alarm)]);
    let ran = world.run(&app(), how()).await;
    check_stopped(&ran, "00:05:00");
    assert!(!began_elsewhere(&world));
    assert!(ran.events.last().unwrap().at < at("00:05:30"), "it does not wait for the end of the bake");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_during_the_deployment_of_the_first_region_counts() {
    let world = world(&[(at("00:00:30"), AlarmState::Alarm)]);
    check_stopped(&world.run(&app(), how()).await, "00:00:30");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_from_before_the_run_is_named_and_does_not_count() {
    let before = at("00:00:00").checked_sub(jiff::SignedDuration::from_hours(1)).unwrap();
    let world = world(&[(before, AlarmState::Alarm)]);
    let ran = world.run(&app(), how()).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(
        ran.warnings(),
        ["in ALARM since before the run, so that it counts only if it goes off again: prod-5xx"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_alarm_from_before_the_run_counts_when_it_goes_off_again() {
    let before = at("00:00:00").checked_sub(jiff::SignedDuration::from_hours(1)).unwrap();
    let again = [
        (before, AlarmState::Alarm),
        (at("00:04:00"), AlarmState::Ok),
        // It returns and goes off between two looks.
        (at("00:04:01"), AlarmState::Alarm),
    ];
    check_stopped(&world(&again).run(&app(), how()).await, "00:04:01");
}

#[tokio::test(start_paused = true)]
async fn missing_data_is_no_alarm() {
    let world = world(&[(at("00:05:00"), AlarmState::InsufficientData)]);
    world.run(&app(), how()).await.check_all(Outcome::Deployed);
}

#[tokio::test(start_paused = true)]
async fn composite_alarms_and_alarms_on_later_pages_are_watched() {
    let world = World::slow();
    for number in 0..250 {
        world.sim.set_alarm(SimAlarm::named(&format!("prod-{number:03}")));
    }
    let composite = SimAlarm { composite: true, ..SimAlarm::named("prod-5xx") };
    world.sim.set_alarm(composite.at(at("00:06:00"), AlarmState::Alarm));
    check_stopped(&world.run(&app(), how()).await, "00:06:00");
}

#[tokio::test(start_paused = true)]
async fn alarms_of_other_regions_and_names_do_not_count() {
    let world = world(&[]);
    let elsewhere = SimAlarm { region: Some(OTHER_REGION.to_owned()), ..SimAlarm::named("prod-eu") };
    world.sim.set_alarm(elsewhere.at(at("00:05:00"), AlarmState::Alarm));
    world.sim.set_alarm(SimAlarm::named("test-5xx").at(at("00:05:00"), AlarmState::Alarm));
    world.run(&app(), how()).await.check_all(Outcome::Deployed);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_means_no_alarm_is_refused_before_anything_is_touched() {
    let world = World::slow();
    let refused = world.refused_with(&app(), CONFIG).await;
    assert_eq!(refused.exit_code(), ExitCode::Refused);
    let problems = refused.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].message,
        "no alarm in us-east-1 is called `prod-*`, so that nothing would be watched"
    );
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn alarms_that_may_not_be_read_are_said_before_anything_is_touched() {
    let world = world(&[]);
    world.proxy.on(Calls::of("DescribeAlarms"), Mishap::denied());
    let problems = world.refused_with(&app(), CONFIG).await.problems();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].hint.as_ref().unwrap().contains("allow cloudwatch:DescribeAlarms"), "{problems:?}");
}

/// A template that takes a minute and has an alarm.
fn with_alarm(properties: &Value) -> Value {
    let mut template = slow("us");
    template["Resources"]["Alarm"] = json!({"Type": "AWS::CloudWatch::Alarm", "Properties": properties});
    template
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_the_first_region_creates_is_watched() {
    let world = World::slow();
    let alarm = SimAlarm { of_stack: true, ..SimAlarm::named("prod-5xx") };
    world.sim.set_alarm(alarm.at(at("00:05:00"), AlarmState::Alarm));
    let app = App::new().stack("Us", &with_alarm(&json!({"AlarmName": "prod-5xx"})), &[]).stack_with(
        "Eu",
        &slow("eu"),
        &elsewhere(),
    );
    check_stopped(&world.run(&app, how()).await, "00:05:00");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_no_stack_has_created_after_all_fails_the_bake() {
    let world = World::slow();
    let app =
        App::new().stack("Us", &with_alarm(&json!({})), &[]).stack_with("Eu", &slow("eu"), &elsewhere());
    let ran = world.run(&app, how()).await;
    ran.check(&[("Us", Outcome::Deployed), ("Eu", Outcome::Skipped)]);
    let bake = ran.finished(BAKE);
    let cause = bake.cause.as_ref().unwrap();
    assert_eq!(cause.message, "no alarm in us-east-1 is called `prod-*`, so that nothing would be watched");
    assert_eq!(cause.alarm(&bake.step), None);
}

#[tokio::test(start_paused = true)]
async fn looks_that_fail_decide_nothing() {
    let world = world(&[]);
    let outage = Calls::of("DescribeAlarms").from(3).lasting(Duration::from_mins(4));
    world.proxy.on(outage, Mishap::reset().request_lost());
    let ran = world.run(&app(), how()).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.warnings().len(), 1);
    assert!(ran.warnings()[0].starts_with("the alarms cannot be read, and are asked for again: "));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_went_off_while_nobody_could_look_counts() {
    let world = world(&[(at("00:05:00"), AlarmState::Alarm)]);
    let outage = Calls::of("DescribeAlarms").from(3).lasting(Duration::from_mins(6));
    world.proxy.on(outage, Mishap::reset().request_lost());
    check_stopped(&world.run(&app(), how()).await, "00:05:00");
}

#[tokio::test(start_paused = true)]
async fn the_bake_does_not_end_before_a_look_that_succeeds() {
    let world = world(&[(at("00:11:00"), AlarmState::Alarm)]);
    let outage = Calls::of("DescribeAlarms").from(30).lasting(Duration::from_mins(5));
    world.proxy.on(outage, Mishap::reset().request_lost());
    check_stopped(&world.run(&app(), how()).await, "00:11:00");
}

#[tokio::test(start_paused = true)]
async fn alarms_that_nobody_can_read_interrupt_the_run() {
    let world = world(&[]);
    let outage = Calls::of("DescribeAlarms").from(3).lasting(Duration::from_hours(2));
    world.proxy.on(outage, Mishap::reset().request_lost());
    let ran = world.run(&app(), how()).await;
    ran.check(&[("Us", Outcome::Deployed), ("Eu", Outcome::Interrupted)]);
    assert_eq!(ran.exit_code(), ExitCode::Interrupted);
    assert!(!began_elsewhere(&world));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_the_past_hides_no_alarm() {
    let world = world(&[(at("00:05:00"), AlarmState::Alarm)]);
    world.proxy.on(Calls::of("DescribeAlarms").from(3), Mishap::from_the_past(Duration::from_secs(40)));
    check_stopped(&world.run(&app(), how()).await, "00:05:00");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_in_the_bake_bakes_again_for_the_whole_time() {
    let (world, app) = (world(&[]), app());
    let killed = world.kill_after(&app, how(), Duration::from_mins(9)).await;
    let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..how() }).await;
    ran.check_all(Outcome::Deployed);
    assert!(ran.stack("Us").resumed);
    let waited = between(&ran, "Us", "Eu");
    assert!((Duration::from_mins(10)..Duration::from_mins(11)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_went_off_between_the_parts_of_a_run_counts() {
    let (world, app) = (world(&[(at("00:05:00"), AlarmState::Alarm)]), app());
    let killed = world.kill_after(&app, how(), Duration::from_secs(4 * 60 + 50)).await;
    world.pass(Duration::from_mins(1)).await;
    check_stopped(&world.run(&app, How { earlier: Some(killed.earlier()), ..how() }).await, "00:05:00");
}

#[tokio::test(start_paused = true)]
async fn a_bake_that_ended_well_is_not_repeated() {
    let (world, app) = (world(&[]), app());
    let killed = world.kill_after(&app, how(), Duration::from_mins(12)).await;
    assert_eq!(killed.finished(BAKE).outcome, Outcome::Deployed);
    let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..how() }).await;
    ran.check_all(Outcome::Deployed);
    assert!(ran.finished(BAKE).resumed);
    assert!(between(&ran, "Us", "Eu") < Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_app_does_not_bake_again() {
    let (world, app) = (world(&[]), app());
    world.run(&app, how()).await.check_all(Outcome::Deployed);
    let ran = world.run(&app, how()).await;
    ran.check_all(Outcome::Unchanged);
    assert!(between(&ran, "Us", "Eu") < Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn the_run_after_one_that_an_alarm_has_stopped_is_stopped_again() {
    let (world, app) = (world(&[(at("00:05:00"), AlarmState::Alarm)]), app());
    check_stopped(&world.run(&app, how()).await, "00:05:00");
    let ran = world.run(&app, how()).await;
    ran.check(&[("Us", Outcome::Unchanged), ("Eu", Outcome::Skipped)]);
    assert_eq!(ran.finished(BAKE).outcome, Outcome::Failed);
    assert_eq!(ran.exit_code(), ExitCode::Failed);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_first_region_is_watched_for_the_rest_of_the_time_since_its_last_change() {
    let changes = [(at("00:05:00"), AlarmState::Alarm), (at("00:05:10"), AlarmState::Ok)];
    let (world, app) = (world(&changes), app());
    // Nobody looks while the alarm is in ALARM, so that it cannot count.
    let killed = world.kill_after(&app, how(), Duration::from_mins(4)).await;
    assert_eq!(killed.stack("Us").outcome, Outcome::Deployed);
    world.pass(Duration::from_mins(2)).await;
    // The journal is lost, so this is another run.
    let ran = world.run(&app, how()).await;
    ran.check(&[("Us", Outcome::Unchanged), ("Eu", Outcome::Deployed)]);
    let waited = between(&ran, "Us", "Eu");
    assert!((Duration::from_mins(4)..Duration::from_mins(8)).contains(&waited), "{waited:?}");
    let detail =
        "1 alarm watched, none went off; the time since the last change of us-east-1 counts as bake time";
    assert_eq!(ran.finished(BAKE).detail.as_deref(), Some(detail));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_shortens_no_bake() {
    for hours in [-2, 2] {
        let (world, app) = (world(&[]), app());
        world.kill_after(&app, how(), Duration::from_mins(4)).await;
        world.pass(Duration::from_mins(2)).await;
        let ran = world.run(&app, How { clock_ahead: SignedDuration::from_hours(hours), ..how() }).await;
        ran.check(&[("Us", Outcome::Unchanged), ("Eu", Outcome::Deployed)]);
        let waited = between(&ran, "Us", "Eu");
        assert!((Duration::from_mins(4)..Duration::from_mins(8)).contains(&waited), "{hours} h: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alarm_between_the_parts_of_a_run_counts_by_a_wrong_clock_too() {
    for (first, then) in [(2, 2), (0, -2), (0, 2)] {
        let (world, app) = (world(&[(at("00:05:00"), AlarmState::Alarm)]), app());
        let wrong = |hours| How { clock_ahead: SignedDuration::from_hours(hours), ..how() };
        let killed = world.kill_after(&app, wrong(first), Duration::from_secs(4 * 60 + 50)).await;
        world.pass(Duration::from_mins(1)).await;
        let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..wrong(then) }).await;
        check_stopped(&ran, "00:05:00");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_region_that_fails_is_no_alarm() {
    let failure = Failure {
        stack: "Us".to_owned(),
        logical_id: "Slow".to_owned(),
        operation: None,
        reason: "no".to_owned(),
        times: 1,
    };
    let world = World::with_faults(Faults { failures: vec![failure], ..Faults::default() });
    world.sim.set_alarm(SimAlarm::named("prod-5xx"));
    let app = app();
    let ran = world.run(&app, how()).await;
    assert!(!ran.stack("Us").outcome.is_success());
    ran.check(&[("Eu", Outcome::Skipped)]);
    assert_eq!(ran.finished(BAKE).outcome, Outcome::Skipped);
}

/// The credentials of the calls that read alarms: the account, and whether they are those of a role.
fn readers(world: &World) -> Vec<(String, bool)> {
    let calls = world.sim.calls().into_iter().filter(|call| call.operation == "DescribeAlarms");
    let mut readers: Vec<(String, bool)> = calls.map(|call| (call.account, call.as_role)).collect();
    readers.dedup();
    readers
}

#[tokio::test(start_paused = true)]
async fn alarms_are_read_with_the_lookup_role_or_with_the_credentials_of_the_run() {
    let world = world(&[]);
    world.run(&app(), how()).await.check_all(Outcome::Deployed);
    assert_eq!(readers(&world), [(ACCOUNT.to_owned(), false)]);
    let world = self::world(&[]);
    let lookup = format!("arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-lookup-role-{ACCOUNT}-{REGION}");
    let with_role = json!({"properties": {"lookupRole": {"arn": lookup}}});
    let app =
        App::new().stack_with("Us", &slow("us"), &with_role).stack_with("Eu", &slow("eu"), &elsewhere());
    world.run(&app, how()).await.check_all(Outcome::Deployed);
    assert_eq!(readers(&world), [(ACCOUNT.to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn alarms_of_another_account_are_read_with_its_deploy_role() {
    const OTHER: &str = "222222222222";
    let world = World::slow();
    let alarm = SimAlarm { account: Some(OTHER.to_owned()), ..SimAlarm::named("prod-5xx") };
    world.sim.set_alarm(alarm.at(at("00:05:00"), AlarmState::Alarm));
    let role = |role: &str| format!("arn:aws:iam::{OTHER}:role/cdk-hnb659fds-{role}-role-{OTHER}-{REGION}");
    let there = json!({
        "environment": format!("aws://{OTHER}/{REGION}"),
        "properties": {"assumeRoleArn": role("deploy"), "cloudFormationExecutionRoleArn": role("cfn-exec")},
    });
    let app = App::new().stack_with("Us", &slow("us"), &there).stack_with("Eu", &slow("eu"), &elsewhere());
    let ran = world.run(&app, how()).await;
    ran.check(&[("Us", Outcome::Deployed), ("Eu", Outcome::Skipped)]);
    let message = &ran.finished(BAKE).cause.as_ref().unwrap().message;
    assert!(message.contains(&format!("in {OTHER}/{REGION}")), "{message}");
    assert_eq!(readers(&world), [(OTHER.to_owned(), true)]);
}

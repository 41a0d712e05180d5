//! A stack operation that exceeds its time limit is ended, as far as CloudFormation allows.

use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::Outcome;
use paceline_sim::{Durations, Faults, Operation, SimOptions};
use serde_json::json;

use crate::app::{App, slow};
use crate::world::{How, Ran, World};

const LIMIT: Duration = Duration::from_mins(90);
const HOUR: Duration = Duration::from_hours(1);
const TOO_LONG: Duration = Duration::from_hours(2);

/// A world in which creating and updating `Custom::Slow` take these times.
fn world(create: Duration, update: Duration) -> World {
    let durations = Durations::typical().with("Custom::Slow", Operation::Create, create);
    let durations = durations.with("Custom::Slow", Operation::Update, update);
    World::new(SimOptions { durations, ..SimOptions::default() })
}

fn limited() -> How {
    How { limit: Some(LIMIT), ..How::default() }
}

fn by_change_set() -> How {
    How { method: Method::ChangeSet, ..limited() }
}

fn app(label: &str) -> App {
    App::of("S", &slow(label))
}

#[track_caller]
fn check_update_was_taken_back(world: &World, ran: &Ran) {
    ran.check(&[("S", Outcome::RolledBack)]);
    let cause = ran.cause("S");
    assert_eq!(cause.at.as_deref(), Some("S"));
    assert_eq!(
        cause.message,
        "its update was cancelled: it took longer than the 90m of codebuild.timeouts.stack"
    );
    assert_eq!(
        cause.hint.as_deref(),
        Some("find out what takes so long in it, or raise codebuild.timeouts.stack")
    );
    assert_eq!(world.count("CancelUpdateStack"), 1);
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
}

/// The warnings, without those about the resource that takes so long.
fn told(ran: &Ran) -> Vec<&str> {
    ran.warnings().into_iter().filter(|warning| !warning.contains(", and usually takes ")).collect()
}

#[tokio::test(start_paused = true)]
async fn cloudformation_itself_ends_a_creation_that_takes_too_long() {
    let world = world(TOO_LONG, HOUR);
    let ran = world.run(&app("a"), limited()).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.cause("S").message, "its creation took longer than the 90m of codebuild.timeouts.stack");
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
    assert_eq!(world.mutations(), ["CreateStack S", "RollbackStack S"]);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_takes_too_long_is_cancelled_and_rolled_back() {
    let world = world(HOUR, TOO_LONG);
    world.run(&app("a"), limited()).await.check(&[("S", Outcome::Deployed)]);
    let ran = world.run(&app("b"), limited()).await;
    check_update_was_taken_back(&world, &ran);
    assert_eq!(told(&ran), ["it takes longer than 90m (codebuild.timeouts.stack): cancelling the update"]);
    let operations: Vec<&str> = ran.submitted().iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations, ["update", "cancel-update"]);
}

#[tokio::test(start_paused = true)]
async fn an_update_by_change_set_is_cancelled_too() {
    let world = world(HOUR, TOO_LONG);
    world.deploy(&app("a")).await;
    let ran = world.run(&app("b"), by_change_set()).await;
    check_update_was_taken_back(&world, &ran);
}

#[tokio::test(start_paused = true)]
async fn a_long_creation_by_change_set_is_only_reported_once() {
    let world = world(TOO_LONG, HOUR);
    let ran = world.run(&app("a"), by_change_set()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(
        told(&ran),
        ["it takes longer than 90m (codebuild.timeouts.stack): a creation by change set cannot be limited: \
             waiting on"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_a_limit_or_within_it_is_not_ended() {
    let world = world(TOO_LONG, HOUR);
    world.deploy(&app("a")).await.check(&[("S", Outcome::Deployed)]);
    let ran = world.run(&app("b"), limited()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!((told(&ran).len(), world.count("CancelUpdateStack")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_keeps_the_limit_of_its_operation() {
    let world = world(HOUR, TOO_LONG);
    world.deploy(&app("a")).await;
    let ran = world.kill_after(&app("b"), limited(), Duration::from_mins(80)).await;
    // If the time were counted from the resumption, the update would end before the limit.
    let ran = world.run(&app("b"), How { earlier: Some(ran.earlier()), ..limited() }).await;
    check_update_was_taken_back(&world, &ran);
    assert_eq!(world.count("UpdateStack"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_resumed_after_the_cancellation_knows_its_reason() {
    let world = world(HOUR, TOO_LONG);
    world.deploy(&app("a")).await;
    let ran = world.kill_after(&app("b"), limited(), Duration::from_mins(100)).await;
    assert_eq!(world.count("CancelUpdateStack"), 1);
    let ran = world.run(&app("b"), How { earlier: Some(ran.earlier()), ..limited() }).await;
    check_update_was_taken_back(&world, &ran);
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_is_not_cancelled() {
    let world = world(HOUR, TOO_LONG);
    world.deploy(&app("a")).await;
    let theirs = slow("theirs");
    world.update("S", &theirs).await;
    let mut ours = theirs;
    ours["Resources"]["Topic"] = json!({"Type": "AWS::SNS::Topic"});
    let ran = world.run(&App::of("S", &ours), limited()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.count("CancelUpdateStack"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_may_not_be_cancelled_is_waited_for() {
    let world = world(HOUR, TOO_LONG);
    world.deploy(&app("a")).await;
    let denied = vec![("cloudformation".to_owned(), "CancelUpdateStack".to_owned())];
    let faults = Some(Faults { denied, ..Faults::default() });
    let ran = world.run(&app("b"), How { faults, ..limited() }).await;
    ran.check(&[("S", Outcome::Deployed)]);
    let [_, warning] = told(&ran).try_into().unwrap();
    assert!(warning.starts_with("the update could not be cancelled, waiting on: AccessDenied"), "{warning}");
    assert!(warning.ends_with("; give the deploy role cloudformation:CancelUpdateStack"), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn an_update_without_rollback_is_not_cancelled() {
    let world = world(HOUR, TOO_LONG);
    world.deploy(&app("a")).await;
    let ran = world.run(&app("b"), How { config: "on-failure: { rollback: none }", ..limited() }).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!((told(&ran).len(), world.count("CancelUpdateStack")), (1, 0));
}

//! Somebody else changes the same stack during a run. The reports of the run must stay true.

use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::Outcome;
use paceline_sim::{Failure, Faults, Operation, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, slow, topic};
use crate::world::{How, World, slow_durations};

const METHODS: [Method; 2] = [Method::Direct, Method::ChangeSet];

fn by(method: Method) -> How {
    How { method, ..How::default() }
}

/// A template with a slow resource, and with another one after it that a test can make fail.
fn two(label: &str) -> Value {
    let mut template = slow(label);
    template["Resources"]["Topic"] = topic(label)["Resources"]["Topic"].clone();
    template["Resources"]["Topic"]["DependsOn"] = json!("Slow");
    template
}

/// A world in which everything except `Custom::Slow` takes only a moment.
fn brisk() -> World {
    let blink = Duration::from_millis(20);
    let durations = slow_durations().with("AWS::SNS::Topic", Operation::Update, blink);
    World::new(SimOptions { durations, stack_overhead: blink, ..SimOptions::default() })
}

fn fails(operation: Operation, reason: &str) -> Faults {
    let (stack, logical_id, reason) = ("S".to_owned(), "Topic".to_owned(), reason.to_owned());
    let operation = Some(operation);
    Faults { failures: vec![Failure { stack, logical_id, operation, reason, times: 1 }], ..Faults::default() }
}

/// Waits until the newest stack has this status, and returns soon after.
async fn until(world: &World, status: &str) {
    world.until("S", status, Duration::from_millis(20)).await;
}

async fn delete(world: &World, token: Option<&str>) {
    let call = world.client().await.delete_stack().stack_name("S");
    call.set_client_request_token(token.map(str::to_owned)).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_of_somebody_else_right_after_ours_is_not_ours() {
    for method in METHODS {
        let (world, app) = (brisk(), App::of("S", &two("ours")));
        world.create("S", &two("first")).await;
        let (ran, ()) = tokio::join!(world.run(&app, by(method)), async {
            until(&world, "UPDATE_IN_PROGRESS").await;
            until(&world, "UPDATE_COMPLETE").await;
            world.sim.set_faults(fails(Operation::Update, "their mistake"));
            world.update("S", &two("theirs")).await;
        });
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(ran.stack("S").cause, None);
        assert_eq!(ran.stack("S").outputs["Label"], "ours");
        assert_eq!(ran.warnings(), ["somebody has begun another operation on it since: UPDATE_IN_PROGRESS"]);
        world.rest().await;
        assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_operation_of_somebody_else_is_not_ours() {
    // Their update has ended before the run reads the stack again.
    let (world, app) = (brisk(), App::of("S", &two("ours")));
    world.create("S", &two("first")).await;
    let mut theirs = two("ours");
    theirs["Resources"]["Topic"]["Properties"]["DisplayName"] = json!("theirs");
    let (ran, ()) = tokio::join!(world.deploy(&app), async {
        until(&world, "UPDATE_IN_PROGRESS").await;
        until(&world, "UPDATE_COMPLETE").await;
        world.sim.set_faults(fails(Operation::Update, "their mistake"));
        world.update("S", &theirs).await;
        until(&world, "UPDATE_ROLLBACK_COMPLETE").await;
    });
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.stack("S").outputs["Label"], "ours");
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn our_failure_stays_a_failure_when_somebody_repairs_the_stack() {
    let (world, app) = (World::slow(), App::of("S", &two("ours")));
    world.create("S", &two("first")).await;
    world.sim.set_faults(fails(Operation::Update, "our mistake"));
    let (ran, ()) = tokio::join!(world.deploy(&app), async {
        until(&world, "UPDATE_ROLLBACK_COMPLETE").await;
        world.update("S", &two("theirs")).await;
    });
    ran.check(&[("S", Outcome::RolledBack)]);
    assert_eq!(ran.cause("S").message, "our mistake");
    world.rest().await;
    assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"]);
    assert_eq!(world.count("UpdateStack"), 2, "ours was not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_deletes_during_its_creation_is_not_created_again() {
    for (token, who) in
        [(None, "somebody"), (Some("Console-DeleteStack-0000-1111"), "somebody, in the console,")]
    {
        for method in METHODS {
            let (world, app) = (World::slow(), App::of("S", &slow("s")));
            let (ran, ()) = tokio::join!(world.run(&app, by(method)), async {
                until(&world, "CREATE_IN_PROGRESS").await;
                tokio::time::sleep(Duration::from_secs(20)).await;
                delete(&world, token).await;
            });
            ran.check(&[("S", Outcome::Failed)]);
            let cause = ran.cause("S");
            assert_eq!(cause.message, format!("{who} deleted it while it was being created"));
            assert!(cause.hint.as_deref().unwrap().contains("DeleteStack in CloudTrail"), "{cause:?}");
            assert_eq!(ran.retries(), [""; 0]);
            world.rest().await;
            assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_deletes_right_after_its_deployment_is_not_reported_as_deployed() {
    let (world, app) = (World::slow(), App::of("S", &slow("s")));
    let (ran, ()) = tokio::join!(world.deploy(&app), async {
        until(&world, "CREATE_COMPLETE").await;
        delete(&world, None).await;
    });
    ran.check(&[("S", Outcome::Failed)]);
    assert_eq!(ran.cause("S").message, "it was deployed, and somebody deleted it right after that");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_somebody_cancels_is_reported_as_cancelled() {
    for token in [None, Some("Console-CancelUpdateStack-0000-1111")] {
        for method in METHODS {
            let (world, app) = (World::slow(), App::of("S", &slow("two")));
            world.create("S", &slow("one")).await;
            let (ran, ()) = tokio::join!(world.run(&app, by(method)), async {
                until(&world, "UPDATE_IN_PROGRESS").await;
                tokio::time::sleep(Duration::from_secs(20)).await;
                let call = world.client().await.cancel_update_stack().stack_name("S");
                call.set_client_request_token(token.map(str::to_owned)).send().await.unwrap();
            });
            ran.check(&[("S", Outcome::RolledBack)]);
            let message = &ran.cause("S").message;
            assert!(
                message.starts_with("somebody") && message.ends_with("cancelled its update"),
                "{message}"
            );
            assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_creates_again_is_not_deleted() {
    let (world, app) = (World::slow(), App::of("S", &slow("s")));
    world.deploy(&app).await;
    world.update("S", &slow("theirs")).await;
    // The run waits for their update. Then they delete the stack and create another one.
    let (ran, ()) = tokio::join!(world.destroy(&app), async {
        until(&world, "UPDATE_COMPLETE").await;
        delete(&world, None).await;
        until(&world, "DELETE_COMPLETE").await;
        let call = world.client().await.create_stack().stack_name("S");
        call.template_body(slow("theirs").to_string()).send().await.unwrap();
    });
    ran.check(&[("S", Outcome::Failed)]);
    let message = &ran.cause("S").message;
    assert!(message.contains("somebody has made another stack of its name"), "{message}");
    world.rest().await;
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
    world.destroy(&app).await.check(&[("S", Outcome::Deleted)]);
}

//! Termination protection. It must not prevent the deletion of an empty stack.

use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::Outcome;
use paceline_sim::{Failure, Faults};
use serde_json::{Value, json};

use crate::app::{App, function, slow, topic};
use crate::world::{How, World};

const NOT_YET: &str = "The role defined for the function cannot be assumed by Lambda. (Service: Lambda)";
const METHODS: [Method; 2] = [Method::Direct, Method::ChangeSet];

fn protected(template: &Value) -> App {
    with_protection(template, &json!(true))
}

fn with_protection(template: &Value, on: &Value) -> App {
    App::new().stack_with("S", template, &json!({"properties": {"terminationProtection": on}}))
}

fn failing(logical_id: &str, reason: &str, times: u32) -> World {
    let (stack, logical_id, reason) = ("S".to_owned(), logical_id.to_owned(), reason.to_owned());
    let failures = vec![Failure { stack, logical_id, operation: None, reason, times }];
    World::with_faults(Faults { failures, ..Faults::default() })
}

async fn is_on(world: &World) -> bool {
    let answer = world.client().await.describe_stacks().stack_name("S").send().await.unwrap();
    answer.stacks()[0].enable_termination_protection().unwrap()
}

async fn turn(world: &World, on: bool) {
    let call = world.client().await.update_termination_protection().stack_name("S");
    call.enable_termination_protection(on).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_stack_is_protected_once_it_is_complete() {
    for method in METHODS {
        let world = failing("Topic", "no", 1);
        let how = || How { method, ..How::default() };
        let app = protected(&topic("t"));
        let ran = world.run(&app, how()).await;
        ran.check(&[("S", Outcome::RolledBack)]);
        assert_eq!(ran.cause("S").message, "no");
        // The rollback of a first creation leaves nothing, and no protection prevented it.
        assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
        world.run(&app, how()).await.check(&[("S", Outcome::Deployed)]);
        assert!(is_on(&world).await);
    }
}

#[tokio::test(start_paused = true)]
async fn protection_does_not_prevent_another_try_of_a_creation() {
    for method in METHODS {
        let world = failing("Function", NOT_YET, 2);
        let ran = world.run(&protected(&function()), How { method, ..How::default() }).await;
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(ran.retries().len(), 2);
        assert!(is_on(&world).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_that_the_app_protects_is_replaced() {
    let world = failing("Topic", "no", 1);
    world.create("S", &topic("t")).await;
    turn(&world, true).await;
    let ran = world.deploy(&protected(&topic("t"))).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
    assert!(is_on(&world).await);
    assert!(ran.warnings()[0].ends_with("turning termination protection off"), "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_that_somebody_protects_stays_and_its_cause_is_reported() {
    for on in [Value::Null, json!(false)] {
        let world = failing("Topic", "the topic broke", 1);
        world.create("S", &topic("t")).await;
        turn(&world, true).await;
        let ran = world.deploy(&with_protection(&topic("t"), &on)).await;
        ran.check(&[("S", Outcome::Failed)]);
        let cause = ran.cause("S");
        assert_eq!(
            cause.message,
            "the stack is in ROLLBACK_COMPLETE: App/Stack/Topic/Resource (AWS::SNS::Topic): the topic broke"
        );
        assert!(cause.hint.as_deref().unwrap().contains("termination protection is on"), "{cause:?}");
        assert_eq!(world.statuses("S"), ["ROLLBACK_COMPLETE"]);
        assert!(is_on(&world).await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_cause_stays_the_cause_if_another_try_is_impossible() {
    // Somebody protects the failed stack while the run waits before another try.
    let (world, app) = (failing("Function", NOT_YET, 1), App::of("S", &function()));
    let config = "on-failure: { policy: fail-fast }";
    let (ran, ()) = tokio::join!(world.run(&app, How { config, ..How::default() }), async {
        world.until("S", "ROLLBACK_COMPLETE", Duration::from_secs(1)).await;
        turn(&world, true).await;
    });
    ran.check(&[("S", Outcome::Failed)]);
    let cause = ran.cause("S");
    assert_eq!(cause.at.as_deref(), Some("App/Stack/Function/Resource (AWS::Lambda::Function)"));
    assert_eq!(cause.message, NOT_YET);
    let hint = cause.hint.as_deref().unwrap();
    assert!(hint.starts_with("it could not be tried again: the stack is in ROLLBACK_COMPLETE"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn the_next_run_protects_a_stack_that_a_killed_run_did_not_protect() {
    let app = protected(&slow("s"));
    let world = World::slow();
    let started = tokio::time::Instant::now();
    world.deploy(&app).await;
    let took = started.elapsed();
    let mut unprotected = 0;
    for back in (20..1000).step_by(20) {
        let world = World::slow();
        let killed =
            world.kill_after(&app, How::default(), took.saturating_sub(Duration::from_millis(back))).await;
        let is_late = world.statuses("S") == ["CREATE_COMPLETE"] && !is_on(&world).await;
        unprotected += u32::from(is_late);
        for earlier in [None, Some(killed.earlier())] {
            let ran = world.run(&app, How { earlier, ..How::default() }).await;
            assert!(ran.stack("S").outcome.is_success(), "{:?}", ran.stack("S"));
            assert!(is_on(&world).await, "killed {back} ms before its end");
        }
    }
    assert!(unprotected > 0, "no run was killed where it matters");
}

#[tokio::test(start_paused = true)]
async fn protection_that_somebody_turns_on_during_an_update_is_left_alone() {
    let world = World::slow();
    let app = |label| with_protection(&slow(label), &json!(false));
    world.deploy(&app("one")).await;
    let two = app("two");
    let (ran, ()) = tokio::join!(world.deploy(&two), async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        turn(&world, true).await;
    });
    ran.check(&[("S", Outcome::Deployed)]);
    assert!(is_on(&world).await);
    world.rest().await;
    // From then on the app decides, as with the CDK CLI.
    let ran = world.deploy(&two).await;
    ran.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(ran.stack("S").detail.as_deref(), Some("termination protection turned off"));
    assert!(!is_on(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_to_protect_a_stack_is_reported_after_its_deployment() {
    let denied = vec![("cloudformation".to_owned(), "UpdateTerminationProtection".to_owned())];
    let world = World::slow();
    let faults = Some(Faults { denied, ..Faults::default() });
    let ran = world.run(&protected(&topic("t")), How { faults, ..How::default() }).await;
    ran.check(&[("S", Outcome::Failed)]);
    let message = &ran.cause("S").message;
    assert!(
        message.starts_with("the stack is deployed, but its termination protection could not"),
        "{message}"
    );
    world.sim.set_faults(Faults::default());
    world.deploy(&protected(&topic("t"))).await.check(&[("S", Outcome::Unchanged)]);
    assert!(is_on(&world).await);
}

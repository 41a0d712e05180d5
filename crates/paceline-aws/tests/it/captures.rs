//! What a run keeps of a stack before it changes the stack.

use std::time::Duration;

use paceline_engine::Outcome;
use paceline_plan::{Loss, RollbackOptions};
use paceline_sim::{Calls, Failure, Faults, Mishap};
use serde_json::{Value, json};

use crate::app::{App, topic};
use crate::rollbacks::{Rolling, Runs, shown};
use crate::world::{How, RUN, Ran, World};

/// The warning about a stack that cannot be rolled back. The reason follows.
const UNREADABLE: &str = "its present template cannot be read, so it cannot be rolled back: ";

fn options() -> RollbackOptions {
    RollbackOptions::new(RUN)
}

fn deleting() -> RollbackOptions {
    RollbackOptions { delete_created: true, ..options() }
}

/// Checks that the run has deployed A without a capture, and has said why.
#[track_caller]
fn check_uncaptured(runs: &Runs, ran: &Ran, why: &str) {
    ran.check(&[("A", Outcome::Deployed)]);
    let warnings = ran.warnings();
    assert!(
        matches!(&warnings[..], [told] if told.starts_with(UNREADABLE) && told.contains(why)),
        "{warnings:?}"
    );
    let rollback = runs.rollback(&ran.events, &options()).rollback;
    assert!(rollback.plan.steps.is_empty());
    assert_eq!(rollback.losses, [Loss::NotCaptured { stack: "A".to_owned() }]);
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_read_templates_a_stack_is_deployed_uncaptured() {
    let (world, runs) = (World::slow(), Runs::new());
    // The tags differ, so nothing but the capture reads the template.
    let app = |version: &str| {
        App::new().stack_with("A", &topic(version), &json!({"properties": {"tags": {"version": version}}}))
    };
    world.deploy(&app("one")).await;
    world.proxy.on(Calls::of("GetTemplate"), Mishap::denied());
    let ran = world.run(&app("two"), runs.how()).await;
    check_uncaptured(&runs, &ran, "AccessDenied");
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_template_is_not_readable_is_deployed_uncaptured() {
    let (world, runs) = (World::slow(), Runs::new());
    // CloudFormation returns `?` for a character that is not ASCII, so that it returns the same key twice.
    let template = "Mappings: {M: {Maß: {k: v}, Maé: {k: v}}}\nResources: {T: {Type: AWS::SNS::Topic}}\n";
    world.client().await.create_stack().stack_name("A").template_body(template).send().await.unwrap();
    world.rest().await;
    let ran = world.run(&App::of("A", &topic("two")), runs.how()).await;
    check_uncaptured(&runs, &ran, "not valid YAML");
}

/// Lets somebody else create or update A right before the run sends its first operation of this kind.
async fn act_before(world: &World, operation: &'static str, template: Value) {
    let (client, body) = (world.client().await, template.to_string());
    world.proxy.before(Calls::of(operation).nth(1), move |_| {
        let (client, body) = (client.clone(), body.clone());
        async move {
            if operation == "CreateStack" {
                client.create_stack().stack_name("A").template_body(body).send().await.unwrap();
            } else {
                client.update_stack().stack_name("A").template_body(body).send().await.unwrap();
            }
        }
    });
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_changes_right_before_the_update_is_captured() {
    let (world, runs) = (World::slow(), Runs::new());
    world.deploy(&App::of("A", &topic("one"))).await;
    act_before(&world, "UpdateStack", topic("theirs")).await;
    let ran = world.run(&App::of("A", &topic("two")), runs.how()).await;
    ran.check(&[("A", Outcome::Deployed)]);
    runs.rollback(&ran.events, &options()).run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, topic("theirs"));
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_else_creates_right_before_the_creation_is_not_deleted() {
    let (world, runs) = (World::slow(), Runs::new());
    act_before(&world, "CreateStack", topic("theirs")).await;
    let ran = world.run(&App::of("A", &topic("two")), runs.how()).await;
    ran.check(&[("A", Outcome::Deployed)]);
    runs.rollback(&ran.events, &deleting()).run(&world).await.unwrap().check_all(Outcome::Deployed);
    assert_eq!(shown(&world, "A").await.unwrap().template, topic("theirs"));
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_try_of_the_run_leaves_is_not_captured() {
    let (world, runs) = (World::slow(), Runs::new());
    let failure = Failure {
        stack: "A".to_owned(),
        logical_id: "Topic".to_owned(),
        operation: None,
        reason: "The role defined for the function cannot be assumed by Lambda.".to_owned(),
        times: 1,
    };
    world.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    // Without a rollback, the second try updates the stack that the first one has created.
    let how = How { config: "on-failure: { rollback: none }", ..runs.how() };
    let ran = world.run(&App::of("A", &topic("ours")), how).await;
    ran.check(&[("A", Outcome::Deployed)]);
    assert_eq!((world.count("CreateStack"), world.count("UpdateStack")), (1, 1));
    runs.rollback(&ran.events, &deleting()).run(&world).await.unwrap();
    assert_eq!(world.statuses("A"), ["DELETE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_not_deleted_if_aws_may_never_have_accepted_its_creation_by_the_run() {
    let (world, runs) = (World::slow(), Runs::new());
    world.proxy.on(Calls::of("CreateStack"), Mishap::never_answered().request_lost());
    let ran = world.kill_after(&App::of("A", &topic("ours")), runs.how(), Duration::from_secs(9)).await;
    assert_eq!(ran.submitted().len(), 1);
    world.create("A", &topic("theirs")).await;
    for force in [false, true] {
        let rolling = Rolling { force, ..runs.rollback(&ran.events, &deleting()) };
        let refused = rolling.run(&world).await.unwrap_err();
        let told: Vec<String> = refused.0.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["A: it is not known whether the run created it, or somebody else"], "{force}");
    }
    assert_eq!(world.statuses("A"), ["CREATE_COMPLETE"]);
}

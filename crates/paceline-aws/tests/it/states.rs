//! Stacks in unusual states.

use std::time::Duration;

use aws_sdk_cloudformation::types::{ChangeSetType, ResourceToImport};
use paceline_aws::Method;
use paceline_engine::Outcome;
use paceline_sim::{Calls, Failure, Faults, Mishap, Operation};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, App, REGION, slow, topic};
use crate::world::{How, World};

fn fails(logical_id: &str, operation: Option<Operation>, times: u32) -> Failure {
    let reason = "it broke".to_owned();
    Failure { stack: "S".to_owned(), logical_id: logical_id.to_owned(), operation, reason, times }
}

fn two(label: &str) -> Value {
    let mut template = slow(label);
    template["Resources"]["Topic"] = topic(label)["Resources"]["Topic"].clone();
    template["Resources"]["Topic"]["DependsOn"] = json!("Slow");
    template
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_failed_creation_is_deleted_first() {
    for method in [Method::Direct, Method::ChangeSet] {
        let world =
            World::with_faults(Faults { failures: vec![fails("Topic", None, 1)], ..Faults::default() });
        world.create("S", &topic("t")).await;
        assert_eq!(world.statuses("S"), ["ROLLBACK_COMPLETE"]);
        let ran = world.run(&App::of("S", &topic("t")), How { method, ..How::default() }).await;
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
        assert!(ran.warnings()[0].contains("ROLLBACK_COMPLETE"), "{:?}", ran.warnings());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_rollback_is_continued_before_the_update() {
    let faults = Faults {
        failures: vec![fails("Topic", Some(Operation::Update), 1), fails("Slow", Some(Operation::Update), 1)],
        ..Faults::default()
    };
    let world = World::slow();
    world.create("S", &two("one")).await;
    // The update of the topic fails, and so does the rollback of the resource before it.
    let mut failing = faults;
    failing.failures[1].times = 0;
    world.sim.set_faults(failing.clone());
    world.update("S", &two("two")).await;
    // The time of CloudFormation itself, of the update of Slow, and of the failure of the topic.
    world.pass(Duration::from_millis(66_500)).await;
    failing.failures[1].times = 1;
    world.sim.set_faults(failing);
    world.rest().await;
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_FAILED"]);

    let ran = world.deploy(&App::of("S", &two("three"))).await;
    ran.check(&[("S", Outcome::Deployed)]);
    world.rest().await;
    assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"]);
    assert_eq!(ran.stack("S").outputs["Label"], "three");
    let operations: Vec<&str> = ran.submitted().iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations, ["continue-rollback", "update"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_gets_stuck_again_needs_a_person() {
    let world = World::slow();
    world.create("S", &two("one")).await;
    let faults = |slow| Faults {
        failures: vec![fails("Topic", Some(Operation::Update), 1), slow],
        ..Faults::default()
    };
    world.sim.set_faults(faults(fails("Slow", Some(Operation::Update), 0)));
    world.update("S", &two("two")).await;
    world.pass(Duration::from_secs(62)).await;
    world.sim.set_faults(faults(fails("Slow", Some(Operation::Update), 9)));
    world.rest().await;
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_FAILED"]);
    let ran = world.deploy(&App::of("S", &two("three"))).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").hint.as_deref().unwrap().contains("rollback"), "{:?}", ran.cause("S"));
    assert_eq!(world.count("ContinueUpdateRollback"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_could_not_be_deleted_is_refused_with_a_hint() {
    let failures = vec![fails("Topic", Some(Operation::Delete), 1)];
    let world = World::with_faults(Faults { failures, ..Faults::default() });
    world.create("S", &topic("t")).await;
    world.client().await.delete_stack().stack_name("S").send().await.unwrap();
    world.rest().await;
    assert_eq!(world.statuses("S"), ["DELETE_FAILED"]);
    let before = world.mutations().len();
    let ran = world.deploy(&App::of("S", &topic("t"))).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains("DELETE_FAILED"));
    assert!(ran.cause("S").hint.as_deref().unwrap().contains("delete the stack"));
    assert_eq!(world.mutations().len(), before);
}

/// The topic that somebody imports into a stack, beside what it has.
fn importing(into: &Value) -> Value {
    let mut template = into.clone();
    template["Resources"]["Imported"] = json!({
        "Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain", "Properties": {"TopicName": "theirs"},
    });
    template
}

/// Imports a topic into a stack as somebody else, and waits until the stack is at rest.
async fn import(world: &World, stack: &str, template: &Value) {
    let client = world.client().await;
    let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:theirs");
    let topic = ResourceToImport::builder()
        .resource_type("AWS::SNS::Topic")
        .logical_resource_id("Imported")
        .resource_identifier("TopicArn", arn)
        .build();
    client
        .create_change_set()
        .stack_name(stack)
        .change_set_name("import")
        .change_set_type(ChangeSetType::Import)
        .template_body(template.to_string())
        .resources_to_import(topic)
        .send()
        .await
        .unwrap();
    world.rest().await;
    client.execute_change_set().stack_name(stack).change_set_name("import").send().await.unwrap();
    world.rest().await;
}

/// A world with a stack whose import failed, because its output has a name that another stack exports.
async fn failed_import() -> World {
    let mut exporting = topic("one");
    exporting["Outputs"]["Name"]["Export"] = json!({"Name": "name"});
    let world = World::slow();
    world.create("Other", &exporting).await;
    world.create("S", &topic("one")).await;
    import(&world, "S", &importing(&exporting)).await;
    assert_eq!(world.statuses("S"), ["IMPORT_ROLLBACK_COMPLETE"]);
    world
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_import_was_rolled_back_is_updated() {
    for method in [Method::Direct, Method::ChangeSet] {
        let world = failed_import().await;
        let how = How { method, ..How::default() };
        world.run(&App::of("S", &topic("one")), how.clone()).await.check(&[("S", Outcome::Unchanged)]);
        let ran = world.run(&App::of("S", &topic("two")), how).await;
        ran.check(&[("S", Outcome::Deployed)]);
        world.rest().await;
        assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"]);
        assert_eq!(ran.stack("S").outputs["Name"], "two");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_import_could_not_be_rolled_back_needs_a_person() {
    let world = failed_import().await;
    let stuck = |body: &[u8]| {
        let text = String::from_utf8_lossy(body);
        text.replace("IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED").into_bytes()
    };
    world.proxy.on(Calls::of("DescribeStacks"), Mishap::changed(stuck));
    world.proxy.on(Calls::of("DescribeStackEvents"), Mishap::changed(stuck));
    let before = world.mutations().len();
    let ran = world.deploy(&App::of("S", &topic("two"))).await;
    ran.check(&[("S", Outcome::Failed)]);
    let cause = ran.cause("S");
    assert!(cause.message.contains("IMPORT_ROLLBACK_FAILED"), "{cause:?}");
    assert!(cause.hint.as_deref().unwrap().contains("an import into it failed"), "{cause:?}");
    assert_eq!(world.mutations().len(), before, "nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_is_waited_for_before_ours() {
    let world = World::slow();
    world.create("S", &slow("one")).await;
    world.update("S", &slow("theirs")).await;
    let ran = world.deploy(&App::of("S", &slow("ours"))).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.stack("S").outputs["Label"], "ours");
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
    assert_eq!(world.began("S", "UPDATE_IN_PROGRESS").await, 2);
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_may_end_in_any_way() {
    // Their operations are a creation that fails, a deletion, and an update that is in its cleanup.
    let world = World::with_faults(Faults { failures: vec![fails("Slow", None, 1)], ..Faults::default() });
    let client = world.client().await;
    client.create_stack().stack_name("S").template_body(slow("theirs").to_string()).send().await.unwrap();
    let app = App::of("S", &slow("ours"));
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);

    client.delete_stack().stack_name("S").send().await.unwrap();
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.statuses("S").last().unwrap(), "CREATE_COMPLETE");

    world.update("S", &topic("instead")).await;
    world.until("S", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Duration::from_secs(1)).await;
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.warnings().len(), 1, "{:?}", ran.warnings());
    assert_eq!(ran.stack("S").outputs["Label"], "ours");
}

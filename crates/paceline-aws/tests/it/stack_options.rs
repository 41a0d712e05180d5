//! Options of a deployment that decide what every stack is given: they reach CloudFormation with both methods, and a stack
//! that has something else is not unchanged.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{DeploymentMode, Stack};
use paceline_assembly::{Overrides, RollbackTriggers};
use paceline_aws::Method;
use paceline_engine::Outcome;
use paceline_plan::{DeployOptions, RollbackOptions};
use serde_json::{Value, json};

use crate::app::{App, BUCKET, topic};
use crate::rollbacks::Runs;
use crate::world::{How, World};

const ALARM: &str = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:errors";
const ROLE: &str = "arn:aws:iam::111111111111:role/mine";
const TOPIC: &str = "arn:aws:sns:us-east-1:111111111111:deployments";

fn asked() -> Overrides {
    Overrides {
        tags: Some(BTreeMap::from([("team".to_owned(), "shop".to_owned())])),
        notification_arns: vec![TOPIC.to_owned()],
        execution_role_arn: Some(ROLE.to_owned()),
        rollback_triggers: Some(triggers(&[ALARM], 5)),
    }
}

fn triggers(alarms: &[&str], minutes: u32) -> RollbackTriggers {
    let alarms = alarms.iter().map(|&arn| arn.to_owned()).collect();
    RollbackTriggers { alarms: Some(alarms), minutes: Some(minutes) }
}

fn with(overrides: Overrides) -> How {
    How { overrides, ..How::default() }
}

fn asking(deploys: DeployOptions) -> How {
    How { deploys, ..How::default() }
}

async fn stack(world: &World) -> Stack {
    let answer = world.client().await.describe_stacks().stack_name("S").send().await.unwrap();
    answer.stacks()[0].clone()
}

/// The number of updates that were sent, accepted or not.
fn sent(world: &World) -> usize {
    world.sim.calls().iter().filter(|call| call.operation == "UpdateStack").count()
}

fn app() -> App {
    let tags = json!({"properties": {"tags": {"of": "assembly"}}});
    App::new().stack_with("S", &topic("a"), &tags)
}

/// What the stack has of what was asked for.
fn had(stack: &Stack) -> Overrides {
    let configuration = stack.rollback_configuration().unwrap();
    let alarms: Vec<&str> =
        configuration.rollback_triggers().iter().map(|trigger| trigger.arn().unwrap()).collect();
    let minutes = configuration.monitoring_time_in_minutes().unwrap_or_default();
    let tags =
        stack.tags().iter().map(|tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned()));
    Overrides {
        tags: Some(tags.collect()),
        notification_arns: stack.notification_arns().to_vec(),
        execution_role_arn: stack.role_arn().map(str::to_owned),
        rollback_triggers: Some(triggers(&alarms, u32::try_from(minutes).unwrap())),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_reaches_new_and_existing_stacks_with_both_methods() {
    for method in [Method::Direct, Method::ChangeSet] {
        let (world, mut app) = (World::slow(), app());
        world.run(&app, How { method, ..with(asked()) }).await.check(&[("S", Outcome::Deployed)]);
        assert_eq!(had(&stack(&world).await), asked(), "{method:?}");
        world.run(&app, How { method, ..with(asked()) }).await.check(&[("S", Outcome::Unchanged)]);

        let none = Overrides { rollback_triggers: Some(triggers(&[], 0)), ..asked() };
        app.change("S", &topic("b"));
        world.run(&app, How { method, ..with(none.clone()) }).await.check(&[("S", Outcome::Deployed)]);
        assert_eq!(had(&stack(&world).await), none, "{method:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_has_something_else_is_not_skipped() {
    let (world, app) = (World::slow(), app());
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    let Overrides { tags, notification_arns, execution_role_arn, rollback_triggers } = asked();
    let tags = Overrides { tags, ..Overrides::default() };
    world.run(&app, with(tags.clone())).await.check(&[("S", Outcome::Deployed)]);
    let topics = Overrides { notification_arns, ..tags.clone() };
    world.run(&app, with(topics.clone())).await.check(&[("S", Outcome::Deployed)]);
    // The simulator sees no change in these alone.
    for (kept, overrides) in [
        ("keeps its role", Overrides { execution_role_arn, ..topics.clone() }),
        ("keeps its rollback triggers", Overrides { rollback_triggers, ..topics }),
    ] {
        let before = sent(&world);
        let ran = world.run(&app, with(overrides)).await;
        ran.check(&[("S", Outcome::Unchanged)]);
        assert_eq!(sent(&world), before + 1);
        assert!(ran.warnings().iter().any(|warning| warning.contains(kept)), "{:?}", ran.warnings());
    }
}

#[tokio::test(start_paused = true)]
async fn a_forced_run_deploys_what_is_unchanged() {
    let (world, app) = (World::slow(), app());
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    let before = sent(&world);
    let forces = DeployOptions { forces: true, ..DeployOptions::default() };
    world.run(&app, asking(forces)).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(sent(&world), before + 1, "only CloudFormation decides that there is nothing to do");
}

fn sized() -> Value {
    let mut template = topic("a");
    template["Parameters"] = json!({"Size": {"Type": "String", "Default": "small"}});
    template["Outputs"]["Size"] = json!({"Value": {"Ref": "Size"}});
    template
}

#[tokio::test(start_paused = true)]
async fn a_parameter_keeps_its_value_unless_previous_values_are_forgotten() {
    let (world, app) = (World::slow(), App::of("S", &sized()));
    let parameters = BTreeMap::from([("Size".to_owned(), "large".to_owned())]);
    world.run(&app, How { parameters, ..How::default() }).await.check(&[("S", Outcome::Deployed)]);
    world.deploy(&app).await.check(&[("S", Outcome::Unchanged)]);
    let forgets = DeployOptions { forgets_parameters: true, ..DeployOptions::default() };
    let ran = world.run(&app, asking(forgets)).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.stack("S").outputs["Size"], "small");
    world.run(&app, asking(forgets)).await.check(&[("S", Outcome::Unchanged)]);
}

#[tokio::test(start_paused = true)]
async fn options_of_change_sets_make_change_sets() {
    let (world, mut app) = (World::slow(), app());
    let imports = DeployOptions { imports_existing: true, ..DeployOptions::default() };
    world.run(&app, asking(imports)).await.check(&[("S", Outcome::Deployed)]);
    app.change("S", &topic("b"));
    let reverts = DeployOptions { reverts_drift: true, ..DeployOptions::default() };
    world.run(&app, asking(reverts)).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!((world.count("CreateStack"), sent(&world)), (0, 0));
    let client = world.client().await;
    let sets = client.list_change_sets().stack_name("S").send().await.unwrap();
    let id = sets.summaries()[0].change_set_id().unwrap();
    let set = client.describe_change_set().change_set_name(id).send().await.unwrap();
    assert_eq!(set.deployment_mode(), Some(&DeploymentMode::RevertDrift));
    assert_eq!(set.include_nested_stacks(), Some(false), "the two exclude each other");
    // Only a change set can tell whether a stack has drifted.
    world.rest().await;
    let before = world.count("CreateChangeSet");
    world.run(&app, asking(reverts)).await.check(&[("S", Outcome::Unchanged)]);
    assert!(world.count("CreateChangeSet") > before);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_gives_back_the_alarms_that_the_run_replaced() {
    let (world, mut app, runs) = (World::slow(), app(), Runs::new());
    world.run(&app, with(asked())).await.check(&[("S", Outcome::Deployed)]);
    app.change("S", &topic("b"));
    let others = Overrides { rollback_triggers: Some(triggers(&[], 60)), ..asked() };
    let ran = world.run(&app, How { overrides: others.clone(), ..runs.how() }).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(had(&stack(&world).await), others);
    let rolling = runs.rollback(&ran.events, &RollbackOptions::new("test"));
    rolling.run(&world).await.unwrap().check(&[("S", Outcome::Deployed)]);
    assert_eq!(had(&stack(&world).await), asked());
}

#[tokio::test(start_paused = true)]
async fn a_long_template_goes_to_the_bucket_of_the_named_bootstrap_stack() {
    let (world, mut long) = (World::slow(), topic("a"));
    let mut toolkit = topic("toolkit");
    toolkit["Outputs"] = json!({"BucketName": {"Value": BUCKET}});
    world.create("MyToolkit", &toolkit).await;
    long["Metadata"] = json!({"Long": "x".repeat(60_000)});
    let app = App::of("S", &long);
    let named = |name: &str| How { toolkit: Some(name.to_owned()), ..How::default() };
    let ran = world.run(&app, named("Nobody")).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains("of the stack Nobody"), "{:?}", ran.cause("S"));
    world.run(&app, named("MyToolkit")).await.check(&[("S", Outcome::Deployed)]);
}

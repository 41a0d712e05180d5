//! Deployments without errors.

use std::collections::BTreeSet;

use paceline_aws::Method;
use paceline_config::Config;
use paceline_engine::{ExitCode, Fact, Outcome};
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::SimOptions;
use serde_json::json;

use crate::app::{App, slow, topic};
use crate::world::{How, World};

fn by_change_set() -> How {
    How { method: Method::ChangeSet, ..How::default() }
}

fn diamond() -> App {
    App::new()
        .stack("Base", &topic("base"), &[])
        .stack("Left", &slow("left"), &["Base"])
        .stack("Right", &topic("right"), &["Base"])
        .stack("Top", &topic("top"), &["Left", "Right"])
        .stack("Alone", &slow("alone"), &[])
}

#[tokio::test(start_paused = true)]
async fn stacks_start_when_their_needs_are_complete() {
    let (world, app) = (World::slow(), diamond());
    let ran = world.deploy(&app).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.exit_code(), ExitCode::Done);
    let plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    let started = |id: &str| ran.position(id, |fact| matches!(fact, Fact::StepStarted(_)));
    let finished = |id: &str| ran.position(id, |fact| matches!(fact, Fact::StepFinished(_)));
    let edges = plan.stacks.iter().flat_map(|stack| stack.depends_on.iter());
    assert_eq!(edges.clone().count(), 4);
    for edge in edges {
        assert!(finished(&edge.to) < started(&edge.from), "{} before {}", edge.to, edge.from);
    }
    assert!(started("Alone") < finished("Base"), "nothing else makes a stack wait");
}

#[tokio::test(start_paused = true)]
async fn deployed_stacks_are_not_changed_again() {
    let (world, mut app) = (World::slow(), diamond());
    world.deploy(&app).await.check_all(Outcome::Deployed);
    let before = world.mutations().len();
    let again = world.deploy(&app).await;
    again.check_all(Outcome::Unchanged);
    assert_eq!(world.mutations()[before..], [] as [String; 0]);
    assert_eq!(again.stack("Right").outputs["Name"], "right", "outputs of unchanged stacks are told too");

    app.change("Right", &topic("other"));
    let changed = world.deploy(&app).await;
    changed.check(&[("Right", Outcome::Deployed), ("Base", Outcome::Unchanged), ("Top", Outcome::Unchanged)]);
    assert_eq!(world.mutations()[before..], ["UpdateStack Right"]);
    assert_eq!(changed.stack("Right").outputs["Name"], "other");
}

#[tokio::test(start_paused = true)]
async fn settings_that_a_template_does_not_show_are_compared_too() {
    let world = World::slow();
    let with = |properties| App::new().stack_with("S", &topic("t"), &json!({"properties": properties}));
    world.deploy(&with(json!({"tags": {"a": "1"}}))).await.check(&[("S", Outcome::Deployed)]);
    world.deploy(&with(json!({"tags": {"a": "1"}}))).await.check(&[("S", Outcome::Unchanged)]);
    world.deploy(&with(json!({"tags": {"a": "2"}}))).await.check(&[("S", Outcome::Deployed)]);
    let before = world.mutations().len();
    let protected = with(json!({"tags": {"a": "2"}, "terminationProtection": true}));
    world.deploy(&protected).await;
    assert_eq!(world.mutations()[before..], ["UpdateTerminationProtection S", "UpdateStack S"]);
    world.deploy(&protected).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(world.mutations().len(), before + 2);
}

#[tokio::test(start_paused = true)]
async fn change_sets_create_and_update_and_leave_nothing_behind_when_they_are_empty() {
    let (world, mut app) = (World::slow(), App::of("S", &topic("one")));
    world.run(&app, by_change_set()).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.mutations(), ["CreateChangeSet S", "ExecuteChangeSet S"]);
    app.change("S", &topic("two"));
    let ran = world.run(&app, by_change_set()).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert_eq!(ran.stack("S").outputs["Name"], "two");
    world.run(&app, by_change_set()).await.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(world.mutations().len(), 4, "that nothing changes was seen without a change set");

    // Only a change set shows whether a parameter from elsewhere has changed.
    world.sim.put_parameter("111111111111", "us-east-1", "/size", "1");
    let mut template = topic("two");
    template["Parameters"] =
        json!({"Size": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/size"}});
    template["Resources"]["Topic"]["Properties"]["DisplayName"] = json!({"Ref": "Size"});
    app.change("S", &template);
    world.run(&app, by_change_set()).await.check(&[("S", Outcome::Deployed)]);
    for _ in 0..2 {
        world.rest().await;
        world.run(&app, by_change_set()).await.check(&[("S", Outcome::Unchanged)]);
        let left = world.client().await.list_change_sets().stack_name("S").send().await.unwrap();
        let left = left.summaries().iter().filter(|set| set.status().unwrap().as_str() == "FAILED");
        assert_eq!(left.count(), 0);
    }
    world.sim.put_parameter("111111111111", "us-east-1", "/size", "2");
    world.run(&app, by_change_set()).await.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn a_change_set_protects_the_stack_it_creates() {
    let protect = json!({"properties": {"terminationProtection": true}});
    let (world, app) = (World::slow(), App::new().stack_with("S", &topic("one"), &protect));
    world.run(&app, by_change_set()).await.check(&[("S", Outcome::Deployed)]);
    let answer = world.client().await.describe_stacks().stack_name("S").send().await.unwrap();
    assert_eq!(answer.stacks()[0].enable_termination_protection(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_failed_once_is_created_again() {
    let importer = json!({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {
        "DisplayName": {"Fn::ImportValue": "there"}}}}});
    let (world, app) = (World::slow(), App::of("S", &importer));
    let ran = world.run(&app, by_change_set()).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains("No export named there found"), "{:?}", ran.cause("S"));
    let exporter = json!({"Resources": {"T": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"O": {"Value": "x", "Export": {"Name": "there"}}}});
    world.create("Exporter", &exporter).await;
    world.run(&app, by_change_set()).await.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_is_read_from_elsewhere_is_looked_up_by_an_update() {
    let world = World::slow();
    world.sim.put_parameter("111111111111", "us-east-1", "/size", "1");
    let mut template = topic("t");
    template["Parameters"] =
        json!({"Size": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/size"}});
    let app = App::of("S", &template);
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    let ran = world.deploy(&app).await;
    ran.check(&[("S", Outcome::Unchanged)]);
    assert_eq!(ran.stack("S").outputs["Name"], "t");
    assert_eq!(world.mutations(), ["CreateStack S", "UpdateStack S"]);
    world.sim.put_parameter("111111111111", "us-east-1", "/size", "2");
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn the_same_request_has_the_same_token_and_another_template_another() {
    let tokens = async |template| {
        let ran = World::slow().deploy(&App::of("S", &template)).await;
        ran.submitted().iter().map(|submitted| submitted.token.clone()).collect::<Vec<_>>()
    };
    let (one, again, other) = (tokens(topic("a")).await, tokens(topic("a")).await, tokens(topic("b")).await);
    assert_eq!(one, again);
    let digest = |tokens: &[String]| tokens[0].split('-').nth(1).unwrap().to_owned();
    assert_ne!(digest(&one), digest(&other));
}

#[tokio::test(start_paused = true)]
async fn a_second_deployment_of_a_template_has_other_tokens() {
    let (world, mut app) = (World::slow(), App::of("S", &topic("a")));
    let mut tokens = BTreeSet::new();
    for name in ["a", "b", "a", "b"] {
        app.change("S", &topic(name));
        let ran = world.deploy(&app).await;
        ran.check(&[("S", Outcome::Deployed)]);
        tokens.extend(ran.submitted().iter().map(|submitted| submitted.token.clone()));
    }
    assert_eq!(tokens.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn stacks_of_one_name_update_each_other_in_their_order() {
    let name = |more| json!({"properties": {"stackName": "Same"}, "dependencies": more});
    let app = App::new().stack_with("First", &topic("one"), &name(json!([]))).stack_with(
        "Second",
        &topic("two"),
        &name(json!(["First"])),
    );
    let world = World::slow();
    world.deploy(&app).await.check_all(Outcome::Deployed);
    world.rest().await;
    assert_eq!(world.statuses("Same"), ["UPDATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_stacks_stay_far_below_the_limits_of_the_api() {
    let app = (0..100).fold(App::new(), |app, n| app.stack(&format!("S{n:03}"), &topic("t"), &[]));
    let world = World::new(SimOptions { page_size: 40, ..SimOptions::default() });
    let how = How { config: "concurrency: { stacks: 50 }", ..How::default() };
    let ran = world.run(&app, how).await;
    ran.check_all(Outcome::Deployed);
    let throttled =
        world.sim.calls().iter().filter(|call| call.error.as_deref() == Some("Throttling")).count();
    assert!(throttled <= 2, "{throttled} calls were throttled");
    assert_eq!(world.count("CreateStack"), 100);
}

#[tokio::test(start_paused = true)]
async fn polling_ends_with_the_run() {
    let world = World::slow();
    world.deploy(&diamond()).await;
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    let alive = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(alive, 0);
}

//! Reading what is deployed.

use paceline_assembly::Stack;
use paceline_aws::{DeployedStacks, PreflightError, deployed};
use paceline_engine::Outcome;
use paceline_sim::{Calls, Failure, Faults, Mishap};
use serde_json::{Value, json};

use crate::app::{App, topic};
use crate::world::World;

async fn read(world: &World, app: &App) -> Result<DeployedStacks, PreflightError> {
    let assembly = app.read();
    let stacks: Vec<&Stack> = assembly.stacks.iter().collect();
    Box::pin(deployed(&world.wire, &stacks)).await
}

fn nesting(child: &Value) -> App {
    App::nesting(&json!({}), child)
}

#[tokio::test(start_paused = true)]
async fn stacks_have_their_deployed_templates_and_settings() {
    let world = World::slow();
    let mut app = App::of("S", &topic("Größe"));
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    app.change("S", &topic("new"));
    let app = app.stack("NotThere", &topic("x"), &[]);
    let found = read(&world, &app).await.unwrap();
    let ids: Vec<&str> = found.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(ids, ["S"]);
    let template = found.stacks[0].template.value();
    // CloudFormation stores no character outside of ASCII.
    assert_eq!(template["Resources"]["Topic"]["Properties"]["DisplayName"], "Gr??e");
    assert_eq!(found.stacks[0].termination_protection, Some(false));
    assert_eq!(found.warnings, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nested_stacks_are_read_too() {
    let world = World::slow();
    world.deploy(&nesting(&topic("old"))).await.check(&[("S", Outcome::Deployed)]);
    let found = read(&world, &nesting(&topic("new"))).await.unwrap();
    let nested = &found.stacks[0].nested[0];
    assert_eq!((nested.logical_id.as_str(), nested.parents.len()), ("Child", 0));
    assert_eq!(nested.template.value()["Resources"]["Topic"]["Properties"]["DisplayName"], "old");
}

#[tokio::test(start_paused = true)]
async fn a_nested_stack_that_cannot_be_read_counts_as_unchanged_with_a_warning() {
    let world = World::slow();
    world.deploy(&nesting(&topic("old"))).await.check(&[("S", Outcome::Deployed)]);
    world.proxy.on(Calls::of("ListStackResources"), Mishap::denied());
    let found = read(&world, &nesting(&topic("new"))).await.unwrap();
    assert_eq!(found.stacks[0].nested[0].template.value(), &topic("new"));
    let [warning] = found.warnings.as_slice() else { panic!("{:?}", found.warnings) };
    assert!(
        warning.starts_with("S: the nested stack Child cannot be read, and counts as unchanged: "),
        "{warning}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_creation_failed_is_not_there() {
    let failure = Failure {
        stack: "S".to_owned(),
        logical_id: "Topic".to_owned(),
        operation: None,
        reason: "no".to_owned(),
        times: 1,
    };
    let world = World::with_faults(Faults { failures: vec![failure], ..Faults::default() });
    let app = App::of("S", &topic("t"));
    world.deploy(&app).await.check(&[("S", Outcome::RolledBack)]);
    assert!(read(&world, &app).await.unwrap().stacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_cannot_be_read_is_an_error_and_not_a_new_stack() {
    let world = World::slow();
    let app = App::of("S", &topic("t"));
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    world.proxy.on(Calls::of("GetTemplate"), Mishap::denied());
    assert_eq!(read(&world, &app).await.unwrap_err().0.len(), 1);
}

//! Resources that take much longer than usual.

use std::time::Duration;

use paceline_engine::{ExitCode, Outcome};
use paceline_sim::{Faults, Operation, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, topic};
use crate::world::{How, World};

const CANCEL: &str = "on-failure: { stuck: cancel }";

/// A world in which ECS services take forty minutes.
fn world(faults: Faults) -> World {
    let long = Duration::from_mins(40);
    let durations = SimOptions::default().durations;
    let durations = durations.with("AWS::ECS::Service", Operation::Create, long).with(
        "AWS::ECS::Service",
        Operation::Update,
        long,
    );
    World::new(SimOptions { faults, durations, ..SimOptions::default() })
}

fn service(count: u32) -> Value {
    let mut template = topic("t");
    template["Resources"]["Service"] = json!({
        "Type": "AWS::ECS::Service",
        "Metadata": {"aws:cdk:path": "App/Stack/Service/Resource"},
        "Properties": {"DesiredCount": count},
    });
    template
}

fn cancelling() -> How {
    How { config: CANCEL, ..How::default() }
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_hangs_is_named_once_while_it_hangs() {
    let world = world(Faults::default());
    let ran = world.deploy(&App::of("S", &service(1))).await;
    ran.check(&[("S", Outcome::Deployed)]);
    let warnings = ran.warnings();
    let [warning] = warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.starts_with("App/Stack/Service/Resource (AWS::ECS::Service), arn:aws:ecs:"), "{warning}");
    let said = "has been in CREATE_IN_PROGRESS for 5 min 58 s";
    assert!(
        warning.contains(said) && warning.contains(", and usually takes 1 min 59 s (typical of its type): "),
        "{warning}"
    );
    assert!(warning.contains("Amazon ECS says: 1 of 1 task run"), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_hangs_is_cancelled_if_the_team_wants_that() {
    let world = world(Faults::default());
    world.deploy(&App::of("S", &service(1))).await;
    let ran = world.run(&App::of("S", &service(2)), cancelling()).await;
    ran.check(&[("S", Outcome::RolledBack)]);
    let cause = ran.cause("S");
    assert!(cause.at.as_deref().unwrap().starts_with("App/Stack/Service/Resource"), "{cause:?}");
    assert!(
        cause.message.starts_with("its update was cancelled (on-failure.stuck): it has been in "),
        "{cause:?}"
    );
    assert_eq!((ran.exit_code(), world.count("CancelUpdateStack")), (ExitCode::Failed, 1));
    assert_eq!(world.statuses("S"), ["UPDATE_ROLLBACK_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_hangs_is_left_alone_and_adopted_later() {
    let (world, app) = (world(Faults::default()), App::of("S", &service(1)));
    let ran = world.run(&app, cancelling()).await;
    ran.check(&[("S", Outcome::Interrupted)]);
    assert_eq!(ran.exit_code(), ExitCode::Interrupted);
    assert!(ran.cause("S").message.ends_with("so the stack is not waited for (on-failure.stuck)"));
    assert_eq!(world.statuses("S"), ["CREATE_IN_PROGRESS"]);
    assert_eq!(world.mutations(), ["CreateStack S"]);
    let how = How { earlier: Some(ran.earlier()), ..How::default() };
    world.run(&app, how).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.count("CreateStack"), 1);
}

//! Change sets of somebody else that are in review.

use std::time::Duration;

use aws_sdk_cloudformation::types::ChangeSetType;
use paceline_aws::Method;
use paceline_engine::{ExitCode, Outcome};
use paceline_sim::Faults;
use serde_json::Value;

use crate::app::{App, slow, topic};
use crate::world::{How, World};

const METHODS: [Method; 2] = [Method::Direct, Method::ChangeSet];
/// The name of change sets of the CDK CLI.
const THEIRS: &str = "cdk-deploy-change-set";

fn by(method: Method) -> How {
    How { method, ..How::default() }
}

fn deleting() -> How {
    How { deletes: true, ..How::default() }
}

/// Creates a change set as somebody else.
async fn propose(world: &World, kind: ChangeSetType, template: &Value) {
    let call = world.client().await.create_change_set().stack_name("S").change_set_name(THEIRS);
    call.change_set_type(kind).template_body(template.to_string()).send().await.unwrap();
    world.rest().await;
}

async fn execute(world: &World) {
    let call = world.client().await.execute_change_set().stack_name("S").change_set_name(THEIRS);
    call.send().await.unwrap();
}

async fn discard(world: &World) {
    let call = world.client().await.delete_change_set().stack_name("S").change_set_name(THEIRS);
    call.send().await.unwrap();
}

/// The names of the stack's change sets.
async fn proposed(world: &World) -> Vec<String> {
    let answer = world.client().await.list_change_sets().stack_name("S").send().await.unwrap();
    answer.summaries().iter().map(|set| set.change_set_name().unwrap().to_owned()).collect()
}

/// A world in which somebody's change set in review would create the stack.
async fn in_review() -> World {
    let world = World::slow();
    propose(&world, ChangeSetType::Create, &topic("theirs")).await;
    assert_eq!(world.statuses("S"), ["REVIEW_IN_PROGRESS"]);
    world
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_stays_in_review_is_never_deleted() {
    for method in METHODS {
        let world = in_review().await;
        let started = tokio::time::Instant::now();
        let ran = world.run(&App::of("S", &topic("t")), by(method)).await;
        ran.check(&[("S", Outcome::Failed)]);
        assert_eq!(ran.exit_code(), ExitCode::Failed);
        let waited = started.elapsed();
        assert!((Duration::from_mins(10)..Duration::from_mins(12)).contains(&waited), "{waited:?}");
        let cause = ran.cause("S");
        assert_eq!(
            cause.message,
            "the change set `cdk-deploy-change-set`, which somebody made at 2026-01-01 00:00:00 UTC, is in review"
        );
        assert_eq!(
            cause.hint.as_deref(),
            Some(
                "execute or delete the change set `cdk-deploy-change-set` of S in the console, then run it again"
            )
        );
        let [warning] = ran.warnings().try_into().unwrap();
        assert!(warning.contains(THEIRS), "{warning}");
        assert!(warning.ends_with("waiting up to 10 minutes for it to be executed or deleted"), "{warning}");

        assert_eq!((world.count("DeleteStack"), world.count("ExecuteChangeSet")), (0, 0));
        assert_eq!(proposed(&world).await, [THEIRS]);
        execute(&world).await;
        world.rest().await;
        assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_updated_after_its_change_set_was_executed() {
    for method in METHODS {
        let (world, app) = (in_review().await, App::of("S", &slow("ours")));
        let (ran, ()) = tokio::join!(world.run(&app, by(method)), async {
            tokio::time::sleep(Duration::from_secs(40)).await;
            execute(&world).await;
        });
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(ran.stack("S").outputs["Label"], "ours");
        world.rest().await;
        assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"], "it is the stack that they made");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_stack_is_used_after_its_change_set_was_deleted() {
    for method in METHODS {
        let (world, app) = (in_review().await, App::of("S", &topic("ours")));
        let (ran, ()) = tokio::join!(world.run(&app, by(method)), async {
            tokio::time::sleep(Duration::from_secs(40)).await;
            discard(&world).await;
        });
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(ran.stack("S").outputs["Name"], "ours");
        assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"], "nothing had to be deleted");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_cannot_be_executed_delays_nobody() {
    let mut broken = topic("theirs");
    broken["Resources"]["Topic"]["Properties"]["DisplayName"] =
        serde_json::json!({"Fn::ImportValue": "nowhere"});
    for method in METHODS {
        let world = World::slow();
        propose(&world, ChangeSetType::Create, &broken).await;
        let ran = world.run(&App::of("S", &topic("ours")), by(method)).await;
        ran.check(&[("S", Outcome::Deployed)]);
        assert_eq!(ran.warnings(), [""; 0]);
        assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_set_of_a_deployment_that_was_interrupted_is_used() {
    // The run is killed between the creation and the execution of its change set.
    let app = App::of("S", &topic("t"));
    let world = World::slow();
    let ran = world.kill_after(&app, by(Method::ChangeSet), Duration::from_millis(900)).await;
    assert_eq!((world.count("CreateChangeSet"), world.count("ExecuteChangeSet")), (1, 0));
    for method in METHODS {
        let how = How { earlier: Some(ran.earlier()), ..by(method) };
        let ran = world.run(&app, how).await;
        assert!(ran.stack("S").outcome.is_success(), "{:?}", ran.stack("S"));
        assert_eq!(ran.warnings(), [""; 0]);
        assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_change_set_of_an_interrupted_run_delays_others_only_for_a_while() {
    let world = World::slow();
    let before = App::of("S", &topic("before"));
    world.kill_after(&before, by(Method::ChangeSet), Duration::from_millis(900)).await;
    assert_eq!(world.statuses("S"), ["REVIEW_IN_PROGRESS"]);
    let started = tokio::time::Instant::now();
    world.deploy(&App::of("S", &topic("now"))).await.check(&[("S", Outcome::Deployed)]);
    assert!(started.elapsed() < Duration::from_mins(12), "{:?}", started.elapsed());
    assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn executing_our_change_set_deletes_no_change_set_in_review() {
    let world = World::slow();
    world.create("S", &topic("first")).await;
    propose(&world, ChangeSetType::Update, &topic("theirs")).await;
    let app = App::of("S", &topic("ours"));
    let ran = world.run(&app, by(Method::ChangeSet)).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains(THEIRS), "{:?}", ran.cause("S"));
    assert_eq!(proposed(&world).await, [THEIRS], "ours is gone");

    // An update keeps the change set. It was made for the previous state of the stack, so it can no longer be
    // executed.
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(proposed(&world).await, [THEIRS]);
    let call = world.client().await.execute_change_set().stack_name("S").change_set_name(THEIRS);
    assert!(call.send().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn unlisted_change_sets_count_as_those_of_somebody_else() {
    let denied = vec![("cloudformation".to_owned(), "ListChangeSets".to_owned())];
    let faults = Faults { denied, ..Faults::default() };
    for (name, message) in [
        (THEIRS, "the change set `cdk-deploy-change-set`"),
        ("of-the-console", "a change set of somebody's may be in review: the deploy role may not list them"),
    ] {
        let world = World::slow();
        let call = world.client().await.create_change_set().stack_name("S").change_set_name(name);
        let call = call.change_set_type(ChangeSetType::Create).template_body(topic("theirs").to_string());
        call.send().await.unwrap();
        let how = || How { faults: Some(faults.clone()), ..How::default() };
        for how in [how(), How { deletes: true, ..how() }] {
            let ran = world.run(&App::of("S", &topic("t")), how).await;
            ran.check(&[("S", Outcome::Failed)]);
            assert!(ran.cause("S").message.starts_with(message), "{:?}", ran.cause("S"));
        }
        world.sim.set_faults(Faults::default());
        assert_eq!(world.statuses("S"), ["REVIEW_IN_PROGRESS"]);
        assert_eq!(proposed(&world).await, [name]);
    }
    // Paceline finds its own change sets by their names.
    for method in METHODS {
        let (world, app) = (World::slow(), App::of("S", &topic("t")));
        world
            .run(&app, How { faults: Some(faults.clone()), ..by(method) })
            .await
            .check_all(Outcome::Deployed);
        let app = App::of("S", &topic("u"));
        world
            .run(&app, How { faults: Some(faults.clone()), ..by(method) })
            .await
            .check_all(Outcome::Deployed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_not_deleted_while_a_change_set_for_it_is_in_review() {
    let world = in_review().await;
    let app = App::of("S", &topic("t"));
    let ran = world.run(&app, deleting()).await;
    ran.check(&[("S", Outcome::Failed)]);
    assert!(ran.cause("S").message.contains(THEIRS), "{:?}", ran.cause("S"));
    assert_eq!(world.count("DeleteStack"), 0);
    discard(&world).await;
    world.run(&app, deleting()).await.check(&[("S", Outcome::Deleted)]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
}

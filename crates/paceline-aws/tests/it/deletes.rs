//! Deleting stacks: the order, obstacles, and interruptions.

use std::time::Duration;

use paceline_engine::event::Cause;
use paceline_engine::{Earlier, ExitCode, Outcome};
use paceline_sim::{Failure, Faults, Operation, SimOptions};
use serde_json::{Value, json};

use crate::app::{App, slow, topic};
use crate::faults::hostile;
use crate::world::{How, World, slow_durations};

/// A stack that exports its name, and imports the name of another stack.
pub(crate) fn linked(exports: &str, imports: Option<&str>) -> Value {
    let mut template = slow(exports);
    template["Outputs"]["Label"]["Export"] = json!({"Name": exports});
    if let Some(name) = imports {
        template["Resources"]["Slow"]["Properties"]["Label"] = json!({"Fn::ImportValue": name});
    }
    template
}

/// `C` needs `B`, and `B` needs `A`. The manifest does not mention it.
fn chain() -> App {
    App::new().stack("A", &linked("a", None), &[]).stack("B", &linked("b", Some("a")), &[]).stack(
        "C",
        &linked("c", Some("b")),
        &[],
    )
}

fn deleting() -> How {
    How { deletes: true, ..How::default() }
}

fn fails(reason: &str, times: u32) -> Faults {
    let (stack, logical_id) = ("B".to_owned(), "Slow".to_owned());
    let operation = Some(Operation::Delete);
    Faults {
        failures: vec![Failure { stack, logical_id, operation, reason: reason.to_owned(), times }],
        ..Faults::default()
    }
}

/// A world in which the chain is deployed and the deletion of `B` fails.
async fn failing(reason: &str, times: u32) -> World {
    let world = World::slow();
    world.deploy(&chain()).await.check_all(Outcome::Deployed);
    world.sim.set_faults(fails(reason, times));
    world
}

/// The number of accepted deletions.
fn sent(world: &World) -> usize {
    world.count("DeleteStack")
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_deleted_after_its_importers() {
    let world = World::slow();
    world.deploy(&chain()).await.check_all(Outcome::Deployed);
    let ran = world.destroy(&chain()).await;
    ran.check_all(Outcome::Deleted);
    assert_eq!(ran.exit_code(), ExitCode::Done);
    let stacks = world.sim.stacks();
    assert!(stacks.iter().all(|stack| stack.status == "DELETE_COMPLETE"), "{stacks:?}");
    assert_eq!(sent(&world), 3, "none was refused and asked for again");
}

#[tokio::test(start_paused = true)]
async fn a_missing_stack_is_no_failure_and_no_deletion_is_sent() {
    let world = World::slow();
    world.destroy(&chain()).await.check_all(Outcome::Unchanged);
    assert_eq!(sent(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn independent_stacks_are_deleted_at_the_same_time() {
    let app = (0..8).fold(App::new(), |app, n| app.stack(&format!("S{n}"), &slow("s"), &[]));
    let world = World::slow();
    world.deploy(&app).await;
    let started = tokio::time::Instant::now();
    world.destroy(&app).await.check_all(Outcome::Deleted);
    assert!(started.elapsed() < Duration::from_mins(2), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn kept_resources_are_named() {
    let mut template = topic("t");
    template["Resources"]["Topic"]["DeletionPolicy"] = json!("Retain");
    let (world, app) = (World::slow(), App::of("S", &template));
    world.deploy(&app).await;
    let ran = world.destroy(&app).await;
    ran.check(&[("S", Outcome::Deleted)]);
    let detail = ran.stack("S").detail.clone().unwrap();
    assert!(detail.starts_with("kept: Topic (AWS::SNS::Topic arn:aws:sns:"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_shows_its_cause_the_remaining_resources_and_advice_and_others_continue() {
    let reason = "The bucket you tried to delete is not empty (Service: S3, Status Code: 409)";
    let world = failing(reason, 1).await;
    let app = chain().stack("D", &slow("d"), &[]);
    world.deploy(&App::of("D", &slow("d"))).await;
    let ran = world.destroy(&app).await;
    ran.check(&[
        ("C", Outcome::Deleted),
        ("B", Outcome::Failed),
        ("A", Outcome::Skipped),
        ("D", Outcome::Deleted),
    ]);
    assert_eq!(ran.exit_code(), ExitCode::Failed);
    let Cause { at, message, hint, .. } = ran.cause("B");
    assert_eq!(at.as_deref(), Some("Slow (Custom::Slow)"));
    assert!(
        message.starts_with(reason) && message.contains("; still in the stack: Slow (Custom::Slow"),
        "{message}"
    );
    assert!(hint.as_deref().unwrap().contains("empty the bucket"), "{hint:?}");
    assert_eq!(ran.retries(), [""; 0], "nothing that a person has to do is tried again");

    let again = world.destroy(&app).await;
    again.check(&[("C", Outcome::Unchanged), ("B", Outcome::Deleted), ("A", Outcome::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_disappears_by_itself_is_tried_once_more() {
    let reason = "resource sg-1 has a dependent object (Service: Ec2, Status Code: 400)";
    let world = failing(reason, 1).await;
    let ran = world.destroy(&chain()).await;
    ran.check_all(Outcome::Deleted);
    assert_eq!(ran.retries().len(), 1, "{:?}", ran.retries());

    let world = failing(reason, 2).await;
    let ran = world.destroy(&chain()).await;
    ran.check(&[("B", Outcome::Failed), ("A", Outcome::Skipped)]);
    assert_eq!(ran.retries().len(), 1);
    assert!(ran.cause("B").hint.as_deref().unwrap().contains("attached"), "{:?}", ran.cause("B"));
}

#[tokio::test(start_paused = true)]
async fn failed_resources_are_named_without_the_permission_to_list_resources() {
    let world = failing("it broke", 1).await;
    let denied = vec![("cloudformation".to_owned(), "ListStackResources".to_owned())];
    world.sim.set_faults(Faults { denied, ..fails("it broke", 1) });
    let ran = world.destroy(&chain()).await;
    let message = &ran.cause("B").message;
    assert!(message.starts_with("it broke; still in the stack: Slow (Custom::Slow"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_importer_outside_of_the_app_is_named_and_the_deletion_can_be_repeated() {
    let world = World::slow();
    let app = App::of("A", &linked("a", None));
    world.deploy(&app).await;
    world.create("Theirs", &linked("t", Some("a"))).await;
    for _ in 0..2 {
        let ran = world.destroy(&app).await;
        ran.check(&[("A", Outcome::Failed)]);
        let Cause { message, hint, .. } = ran.cause("A");
        assert_eq!(message, "Export a cannot be deleted as it is in use by Theirs");
        assert!(hint.as_deref().unwrap().contains("delete the stacks that import it first"), "{hint:?}");
    }
    world.client().await.delete_stack().stack_name("Theirs").send().await.unwrap();
    world.rest().await;
    world.destroy(&app).await.check(&[("A", Outcome::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_was_protected_in_the_meantime_is_left_alone() {
    let world = World::slow();
    world.deploy(&chain()).await;
    let call = world.client().await.update_termination_protection().stack_name("B");
    call.enable_termination_protection(true).send().await.unwrap();
    let ran = world.destroy(&chain()).await;
    ran.check(&[("C", Outcome::Deleted), ("B", Outcome::Failed), ("A", Outcome::Skipped)]);
    assert_eq!(ran.cause("B").message, "termination protection is on");
    assert_eq!(sent(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn an_operation_in_progress_is_waited_for() {
    let (world, app) = (World::slow(), App::of("S", &slow("s")));
    world.create("S", &slow("s")).await;
    world.update("S", &slow("theirs")).await;
    let ran = world.destroy(&app).await;
    ran.check(&[("S", Outcome::Deleted)]);
    assert_eq!(ran.warnings(), ["it is in UPDATE_IN_PROGRESS: waiting for that to end"]);

    world.create("S", &slow("s")).await;
    world.client().await.delete_stack().stack_name("S").send().await.unwrap();
    let before = sent(&world);
    world.destroy(&app).await.check(&[("S", Outcome::Deleted)]);
    assert_eq!(sent(&world), before, "someone else's deletion is enough");
}

#[tokio::test(start_paused = true)]
async fn stacks_in_every_failed_state_can_be_deleted() {
    let failure = |operation| Failure {
        stack: "S".to_owned(),
        logical_id: "Topic".to_owned(),
        operation,
        reason: "it broke".to_owned(),
        times: 1,
    };
    let app = App::of("S", &topic("t"));
    for (operation, state) in [(None, "ROLLBACK_COMPLETE"), (Some(Operation::Delete), "DELETE_FAILED")] {
        let world = World::with_faults(Faults { failures: vec![failure(operation)], ..Faults::default() });
        world.create("S", &topic("t")).await;
        if operation.is_some() {
            world.client().await.delete_stack().stack_name("S").send().await.unwrap();
            world.rest().await;
        }
        assert_eq!(world.statuses("S"), [state]);
        world.destroy(&app).await.check(&[("S", Outcome::Deleted)]);
        assert_eq!(world.statuses("S"), ["DELETE_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_continues_where_it_was() {
    for with_journal in [true, false] {
        for seconds in [0, 1, 3, 20, 60, 66, 70, 130] {
            let world = World::slow();
            world.deploy(&chain()).await;
            let time = Duration::from_millis(seconds * 1000 + 250);
            let killed = world.kill_after(&chain(), deleting(), time).await;
            let earlier = with_journal.then(|| killed.earlier());
            let ran = world.run(&chain(), How { earlier, ..deleting() }).await;
            for id in ["A", "B", "C"] {
                let outcome = ran.stack(id).outcome;
                assert!(outcome.is_success(), "{id} after {seconds} s: {:?}", ran.stack(id));
                if with_journal {
                    assert_eq!(outcome, Outcome::Deleted, "{id} after {seconds} s");
                }
                assert_eq!(world.statuses(id), ["DELETE_COMPLETE"]);
            }
            assert_eq!(sent(&world), 3, "after {seconds} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_stacks_are_deleted_in_a_hostile_aws() {
    for seed in 0..6 {
        let world = World::new(SimOptions { seed, durations: slow_durations(), ..SimOptions::default() });
        world.deploy(&chain()).await.check_all(Outcome::Deployed);
        let mut earlier = None::<Earlier>;
        for n in 1..4 {
            world.sim.set_faults(Faults::default());
            let how = How { faults: Some(hostile()), earlier: earlier.clone(), ..deleting() };
            let time = Duration::from_millis(700 + (seed * 7919 + n * 4057) % 21_000);
            let mut done = world.kill_after(&chain(), how, time).await.earlier();
            done.done.extend(earlier.into_iter().flat_map(|earlier| earlier.done));
            earlier = Some(done);
        }
        world.sim.set_faults(Faults::default());
        let how = How { faults: Some(hostile()), earlier, ..deleting() };
        world.run(&chain(), how).await.check_all(Outcome::Deleted);
        world.sim.set_faults(Faults::default());
        for id in ["A", "B", "C"] {
            assert_eq!(world.statuses(id), ["DELETE_COMPLETE"], "seed {seed}");
        }
    }
}

//! Answers from before the operation, for as long as AWS gives them.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::{ExitCode, Fact, Outcome};
use paceline_sim::{Calls, Failure, Faults, Mishap};
use serde_json::Value;

use crate::app::{App, slow, topic};
use crate::world::{How, Ran, World};

/// The start of the runs in these tests, half an hour after the earlier operations.
const HALF_PAST: &str = "2026-01-01T00:30:00Z";

fn half_past() -> Timestamp {
    HALF_PAST.parse().unwrap()
}

/// The time this many minutes after the start of the run.
fn at(minutes: i64) -> Timestamp {
    half_past() + jiff::SignedDuration::from_mins(minutes)
}

/// Calls of an operation from two seconds until this many minutes after the start of the run.
fn calls(operation: &str, minutes: i64) -> Calls {
    let (from, to) = (half_past() + jiff::SignedDuration::from_secs(2), at(minutes));
    Calls::of(operation).when(move |call| call.at >= from && call.at < to)
}

fn long_ago() -> Mishap {
    Mishap::from_the_past(Duration::from_mins(25))
}

/// A world in which a stack was created half an hour ago. From now on, AWS answers these calls with the state
/// of that time.
async fn world(before: Option<&Value>, past: &[Calls]) -> World {
    let world = World::slow();
    for calls in past {
        world.proxy.on(calls.clone(), long_ago());
    }
    if let Some(template) = before {
        world.create("S", template).await;
    }
    let left = half_past().duration_since(world.now());
    world.pass(Duration::try_from(left).unwrap()).await;
    world
}

/// S takes a minute, and Next waits for it.
fn app(label: &str) -> App {
    App::of("S", &slow(label)).stack("Next", &topic("n"), &["S"])
}

/// The end of a step, in seconds after the start of the run.
fn ended(ran: &Ran, id: &str) -> i64 {
    let event = &ran.events[ran.position(id, |fact| matches!(fact, Fact::StepFinished(_)))];
    event.at.duration_since(half_past()).as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_poll_from_before_the_operation_never_decides() {
    for before in [Some(slow("one")), None] {
        let world = world(before.as_ref(), &[calls("DescribeStacks", 10)]).await;
        let ran = world.deploy(&app("two")).await;
        ran.check_all(Outcome::Deployed);
        assert!(ended(&ran, "S") >= 600, "{}", ended(&ran, "S"));
        assert_eq!(ran.stack("S").outputs["Label"], "two");
        let said = match before {
            Some(_) => "AWS still shows the stack as it was before (CREATE_COMPLETE), though its events say",
            None => "AWS does not show the stack, though its events say",
        };
        assert!(ran.warnings()[0].starts_with(said), "{:?}", ran.warnings());
        // The warnings become rarer.
        assert!(ran.warnings().len() <= 5, "{:?}", ran.warnings());
    }
}

#[tokio::test(start_paused = true)]
async fn polls_and_events_from_before_the_operation_decide_nothing_together() {
    let past = [calls("DescribeStacks", 10), calls("DescribeStackEvents", 10)];
    let world = world(Some(&slow("one")), &past).await;
    let ran = world.deploy(&app("two")).await;
    ran.check_all(Outcome::Deployed);
    assert!(ended(&ran, "S") >= 600, "{}", ended(&ran, "S"));
    let said = "AWS still shows the stack as it was before (CREATE_COMPLETE), and no event of this operation";
    assert!(ran.warnings()[0].starts_with(said), "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_sees_only_the_past_can_be_resumed() {
    for past in
        [vec!["DescribeStacks", "DescribeStackEvents"], vec!["DescribeStacks"], vec!["DescribeStackEvents"]]
    {
        let past: Vec<Calls> = past.into_iter().map(|operation| calls(operation, 100_000)).collect();
        let world = world(Some(&slow("one")), &past).await;
        let ran = world.deploy(&app("two")).await;
        ran.check(&[("S", Outcome::Interrupted), ("Next", Outcome::Interrupted)]);
        assert_eq!(ran.exit_code(), ExitCode::Interrupted);
        assert!((900..1200).contains(&ended(&ran, "S")), "{}", ended(&ran, "S"));
        assert!(ran.cause("S").message.contains("and nothing else for 15 min"), "{:?}", ran.cause("S"));
        world.proxy.clear();
        let again = How { earlier: Some(ran.earlier()), ..How::default() };
        world.run(&app("two"), again).await.check_all(Outcome::Deployed);
        assert_eq!(world.count("UpdateStack"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_lag_behind_are_waited_for() {
    let world = world(Some(&slow("one")), &[calls("DescribeStackEvents", 5)]).await;
    let ran = world.deploy(&app("two")).await;
    ran.check_all(Outcome::Deployed);
    assert!((300..420).contains(&ended(&ran, "S")), "{}", ended(&ran, "S"));
    let said = "AWS shows the stack in UPDATE_COMPLETE, and no event of this operation";
    assert!(ran.warnings()[0].starts_with(said), "{:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_hidden_by_a_poll_from_before_it() {
    let world = world(Some(&slow("one")), &[calls("DescribeStacks", 5)]).await;
    let (stack, logical_id) = ("S".to_owned(), "Slow".to_owned());
    let failure = Failure { stack, logical_id, operation: None, reason: "it broke".to_owned(), times: 1 };
    world.sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
    let ran = world.deploy(&app("two")).await;
    ran.check(&[("S", Outcome::RolledBack), ("Next", Outcome::Skipped)]);
    let message = &ran.cause("S").message;
    assert!(message.starts_with("it broke; AWS Lambda says: "), "{message}");
}

#[tokio::test(start_paused = true)]
async fn the_events_show_a_deletion_while_polls_are_late() {
    let world = world(Some(&slow("one")), &[calls("DescribeStacks", 10)]).await;
    let ran = world.destroy(&App::of("S", &slow("one"))).await;
    ran.check(&[("S", Outcome::Deleted)]);
    assert!((60.0..120.0).contains(&ran.stack("S").duration_s), "{}", ran.stack("S").duration_s);
}

/// A colleague updates the stack after our update has ended and before the stack is read again.
#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_right_after_ours_is_not_ours() {
    for theirs_fails in [false, true] {
        let world = world(Some(&slow("one")), &[]).await;
        let client = world.client().await;
        let sim = world.sim.clone();
        let ours_ended = move || {
            let complete =
                |stack: &paceline_sim::StackSummary| stack.name == "S" && stack.status == "UPDATE_COMPLETE";
            sim.stacks().iter().any(complete)
        };
        let colleague = world.sim.clone();
        let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        world.proxy.before("DescribeStacks", move |_| {
            let act = ours_ended() && !done.swap(true, std::sync::atomic::Ordering::Relaxed);
            let (client, sim) = (client.clone(), colleague.clone());
            async move {
                if act {
                    if theirs_fails {
                        let (stack, logical_id) = ("S".to_owned(), "Slow".to_owned());
                        let reason = "theirs".to_owned();
                        let failure = Failure { stack, logical_id, operation: None, reason, times: 1 };
                        sim.set_faults(Faults { failures: vec![failure], ..Faults::default() });
                    }
                    let update = client.update_stack().stack_name("S").client_request_token("theirs");
                    update.template_body(slow("theirs").to_string()).send().await.unwrap();
                }
            }
        });
        let ran = world.deploy(&app("two")).await;
        ran.check_all(Outcome::Deployed);
        assert!(ran.stack("S").duration_s < 120.0, "theirs is not waited for");
    }
}

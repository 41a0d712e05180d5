//! A run that is stopped at any moment soon ends as interrupted, and can be resumed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::{ExitCode, Outcome, Stop};
use paceline_sim::Calls;
use tokio::time::Instant;

use crate::app::{App, slow, topic};
use crate::world::{How, Ran, World};

/// The time limit for the end, in virtual time. The run waits for no call and no pause.
const SOON: Duration = Duration::from_secs(5);
const STACKS: [&str; 3] = ["S0", "S1", "S2"];

fn app() -> App {
    App::new().stack("S0", &slow("one"), &[]).stack("S1", &topic("one"), &["S0"]).stack(
        "S2",
        &topic("one"),
        &[],
    )
}

/// Checks that the run ended as interrupted, or was done. Then the same command continues it and starts
/// nothing twice.
async fn check(world: &World, how: How, ran: &Ran, moment: &str) {
    let outcomes: Vec<Outcome> = STACKS.iter().map(|stack| ran.stack(stack).outcome).collect();
    let is_done = outcomes.iter().all(|outcome| *outcome == Outcome::Deployed);
    let expected = if is_done { ExitCode::Done } else { ExitCode::Interrupted };
    assert_eq!(ran.exit_code(), expected, "{moment}: {outcomes:?}");
    let is_right = |outcome: &Outcome| matches!(outcome, Outcome::Deployed | Outcome::Interrupted);
    assert!(outcomes.iter().all(is_right), "{moment}: {outcomes:?}");

    world.proxy.clear();
    let how = How { earlier: Some(ran.earlier()), stop: Stop::default(), ..how };
    let again = world.run(&app(), how).await;
    assert_eq!(again.exit_code(), ExitCode::Done, "{moment}");
    for stack in STACKS {
        assert_eq!(world.statuses(stack), ["CREATE_COMPLETE"], "{moment}: {stack}");
        assert_eq!(world.began(stack, "CREATE_IN_PROGRESS").await, 1, "{moment}: {stack}");
    }
}

/// Stops a run directly before or after its `k`th call.
async fn stopped_at(k: u32, after: bool, method: Method) {
    let world = World::slow();
    let stop = Stop::default();
    let asked = Arc::new(Mutex::new(None));
    let act = {
        let (stop, asked) = (stop.clone(), Arc::clone(&asked));
        move |_| {
            stop.request("SIGTERM");
            asked.lock().unwrap().get_or_insert(Instant::now());
            async {}
        }
    };
    if after {
        world.proxy.after(Calls::all().nth(k), act);
    } else {
        world.proxy.before(Calls::all().nth(k), act);
    }
    let how = How { method, stop, ..How::default() };
    let ran = world.run(&app(), how.clone()).await;
    let moment = format!("{} call {k}", if after { "after" } else { "before" });
    let asked = asked.lock().unwrap().expect("there is such a call");
    assert!(asked.elapsed() < SOON, "{moment}: {:?}", asked.elapsed());
    check(&world, how, &ran, &moment).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_any_call_ends_the_run_soon_and_the_run_can_be_resumed() {
    for method in [Method::Direct, Method::ChangeSet] {
        let world = World::slow();
        world.run(&app(), How { method, ..How::default() }).await.check_all(Outcome::Deployed);
        let calls = u32::try_from(world.proxy.passed().len()).unwrap();
        assert!(calls > 20, "{calls} calls");
        for k in 1..=calls {
            stopped_at(k, k % 2 == 0, method).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_any_length_ends_the_run_at_that_time() {
    for seconds in (0..=90).step_by(5) {
        let deadline = Duration::from_secs(seconds);
        let world = World::slow();
        let how = How { deadline: Some(deadline), ..How::default() };
        let began = Instant::now();
        let ran = world.run(&app(), how.clone()).await;
        let moment = format!("after {seconds} s");
        assert!(began.elapsed() < deadline + SOON, "{moment}: {:?}", began.elapsed());
        check(&world, How { deadline: None, ..how }, &ran, &moment).await;
    }
}

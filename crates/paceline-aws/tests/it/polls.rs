//! Polling an environment: all stacks at once if they may be listed, otherwise each stack by its name.

use std::time::Duration;

use paceline_engine::{ExitCode, Outcome};
use paceline_sim::{Bootstrap, Calls, Faults, Mishap, Passed, SimOptions};

use crate::app::{App, slow, topic};
use crate::world::{World, slow_durations};

const STACKS: usize = 12;

/// Independent stacks that take a minute each.
fn app() -> App {
    (0..STACKS).fold(App::new(), |app, n| app.stack(&format!("S{n:02}"), &slow("s"), &[]))
}

fn old_bootstrap() -> World {
    let bootstrap = Bootstrap::Version(27);
    World::new(SimOptions { bootstrap, durations: slow_durations(), ..SimOptions::default() })
}

/// A world in which stacks may not be listed. A run finds that out only when it tries.
fn unlisted() -> World {
    let denied = vec![("cloudformation".to_owned(), "ListStacks".to_owned())];
    World::with_faults(Faults { denied, ..Faults::default() })
}

fn polls(world: &World) -> Vec<Passed> {
    let polls = world.proxy.passed().into_iter().filter(|passed| passed.call.operation == "DescribeStacks");
    polls.collect()
}

#[tokio::test(start_paused = true)]
async fn the_deploy_role_of_an_old_bootstrap_never_lists_stacks() {
    for deletes in [false, true] {
        let world = old_bootstrap();
        let denied = vec![("cloudformation".to_owned(), "ListStacks".to_owned())];
        world.sim.set_faults(Faults { denied, ..Faults::default() });
        world.deploy(&app()).await.check_all(Outcome::Deployed);
        if deletes {
            world.destroy(&app()).await.check_all(Outcome::Deleted);
        }
        let refused = world.sim.calls().into_iter().filter(|call| call.status == 403).count();
        assert_eq!(refused, 0);
        assert!(polls(&world).iter().all(|passed| passed.call.stack.is_some()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_bootstrap_lets_the_poll_list_all_stacks() {
    let bootstrap = Bootstrap::Version(28);
    let world = World::new(SimOptions { bootstrap, durations: slow_durations(), ..SimOptions::default() });
    world.deploy(&app()).await.check_all(Outcome::Deployed);
    let by_name = polls(&world).iter().filter(|passed| passed.call.stack.is_some()).count();
    assert!(by_name <= STACKS, "{by_name}");
}

#[tokio::test(start_paused = true)]
async fn stacks_are_read_in_parallel_and_within_the_rate() {
    let world = old_bootstrap();
    let ran = world.deploy(&app()).await;
    ran.check_all(Outcome::Deployed);
    // CloudFormation takes about ten seconds more than the resource.
    for n in 0..STACKS {
        let took = ran.stack(&format!("S{n:02}")).duration_s;
        assert!(took < 100.0, "S{n:02} took {took} s");
    }
    let times: Vec<_> = polls(&world).iter().map(|passed| passed.call.at).collect();
    for window in times.windows(11) {
        let took = window[10].duration_since(window[0]);
        assert!(took >= jiff::SignedDuration::from_millis(250), "11 calls in {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_may_not_be_described_fails_alone() {
    for world in [old_bootstrap(), unlisted()] {
        world.proxy.on(Calls::of("DescribeStacks").stack("S03"), Mishap::denied());
        let ran = world.deploy(&app()).await;
        for n in 0..STACKS {
            let expected = if n == 3 { Outcome::Failed } else { Outcome::Deployed };
            ran.check(&[(&format!("S{n:02}"), expected)]);
        }
        assert!(ran.cause("S03").message.contains("not authorized"), "{:?}", ran.cause("S03"));
        assert_ne!(ran.exit_code(), ExitCode::Done);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_may_no_longer_be_described_is_left_alone() {
    let world = old_bootstrap();
    // The read before the creation is answered.
    world.proxy.on(Calls::of("DescribeStacks").stack("S03").from(3), Mishap::denied());
    let ran = world.deploy(&app()).await;
    ran.check(&[("S03", Outcome::Interrupted), ("S02", Outcome::Deployed), ("S04", Outcome::Deployed)]);
    assert_eq!(ran.exit_code(), ExitCode::Interrupted);
    world.rest().await;
    assert_eq!(world.statuses("S03"), ["CREATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_without_answers_delays_no_other() {
    for mishap in [Mishap::never_answered(), Mishap::reset(), Mishap::bad_gateway()] {
        let world = old_bootstrap();
        let silence = Calls::of("DescribeStacks").stack("S03").from(2).lasting(Duration::from_mins(5));
        world.proxy.on(silence, mishap);
        let ran = world.deploy(&app()).await;
        ran.check_all(Outcome::Deployed);
        for n in (0..STACKS).filter(|n| *n != 3) {
            let took = ran.stack(&format!("S{n:02}")).duration_s;
            assert!(took < 120.0, "S{n:02} took {took} s");
        }
        assert!(ran.stack("S03").duration_s >= 290.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_without_answers_for_long_is_left_alone() {
    let world = old_bootstrap();
    world.proxy.on(Calls::of("DescribeStacks").stack("S03").from(2), Mishap::never_answered());
    let ran = world.deploy(&app()).await;
    ran.check(&[("S03", Outcome::Interrupted), ("S04", Outcome::Deployed)]);
    assert_eq!(ran.exit_code(), ExitCode::Interrupted);
    assert!((900.0..1200.0).contains(&ran.stack("S03").duration_s), "{}", ran.stack("S03").duration_s);
}

#[tokio::test(start_paused = true)]
async fn stacks_are_read_by_name_while_listing_fails() {
    let world = World::slow();
    let lists = Calls::of("DescribeStacks").when(|call| call.stack.is_none()).from(3);
    world.proxy.on(lists, Mishap::bad_gateway());
    let ran = world.deploy(&App::of("S", &topic("t"))).await;
    ran.check(&[("S", Outcome::Deployed)]);
    assert!(ran.stack("S").duration_s < 120.0, "{}", ran.stack("S").duration_s);
}

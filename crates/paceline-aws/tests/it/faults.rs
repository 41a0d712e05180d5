//! An AWS that throttles, loses answers, fails, and gives old answers.

use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::Outcome;
use paceline_sim::{Calls, Faults, Mishap, SimOptions, StaleReads};

use crate::app::{App, slow, topic};
use crate::world::{How, World, slow_durations};

pub(crate) fn hostile() -> Faults {
    Faults {
        throttle: 0.2,
        lost_replies: 0.1,
        server_errors: 0.1,
        stale_reads: Some(StaleReads { probability: 0.3, up_to: Duration::from_secs(20) }),
        iam_flaps: 0.2,
        ..Faults::default()
    }
}

fn stale(probability: f64, seconds: u64) -> Faults {
    let up_to = Duration::from_secs(seconds);
    Faults { stale_reads: Some(StaleReads { probability, up_to }), ..Faults::default() }
}

fn world(seed: u64, faults: Faults) -> World {
    World::new(SimOptions { seed, faults, durations: slow_durations(), ..SimOptions::default() })
}

fn app(label: &str) -> App {
    let chain = App::new().stack("S00", &slow(label), &[]).stack("S01", &topic(label), &["S00"]);
    (2..12).fold(chain, |app, n| app.stack(&format!("S{n:02}"), &topic(label), &[]))
}

#[tokio::test(start_paused = true)]
async fn a_run_in_a_hostile_aws_succeeds_and_does_nothing_twice() {
    for (seed, method) in
        (0..6).map(|seed| (seed, if seed % 2 == 0 { Method::Direct } else { Method::ChangeSet }))
    {
        let world = world(seed, Faults::default());
        let how = How { method, faults: Some(hostile()), ..How::default() };
        world.run(&app("one"), how.clone()).await.check_all(Outcome::Deployed);
        world.sim.set_faults(Faults::default());
        let ran = world.run(&app("two"), how).await;
        ran.check_all(Outcome::Deployed);
        world.sim.set_faults(Faults::default());
        world.rest().await;
        for stack in world.sim.stacks() {
            assert_eq!(stack.status, "UPDATE_COMPLETE", "seed {seed}: {}", stack.name);
            assert_eq!(world.statuses(&stack.name).len(), 1, "seed {seed}: {}", stack.name);
            assert_eq!(
                world.began(&stack.name, "UPDATE_IN_PROGRESS").await,
                1,
                "seed {seed}: {}",
                stack.name
            );
        }
        assert_eq!(ran.stack("S05").outputs["Name"], "two", "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_poll_decides_nothing() {
    for seed in 0..8 {
        let world = world(seed, stale(0.6, 15));
        let created = world.deploy(&App::of("S", &slow("one"))).await;
        created.check(&[("S", Outcome::Deployed)]);
        assert_eq!(created.stack("S").outputs["Label"], "one", "seed {seed}");
        let updated = world.deploy(&App::of("S", &slow("two"))).await;
        updated.check(&[("S", Outcome::Deployed)]);
        assert_eq!(updated.stack("S").outputs["Label"], "two", "seed {seed}");
        assert!(updated.stack("S").duration_s > 60.0, "seed {seed}: the update takes a minute");
        world.rest().await;
        assert_eq!(world.statuses("S"), ["UPDATE_COMPLETE"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_stack_is_continued_and_rolled_back_despite_stale_reads() {
    for seed in 0..8 {
        for (reason, outcome, status) in [
            ("The role cannot be assumed by Lambda.", Outcome::Deployed, "UPDATE_COMPLETE"),
            ("The name is too long.", Outcome::RolledBack, "DELETE_COMPLETE"),
        ] {
            let failure = paceline_sim::Failure {
                stack: "S".to_owned(),
                logical_id: "Topic".to_owned(),
                operation: None,
                reason: reason.to_owned(),
                times: 1,
            };
            let world = world(seed, Faults { failures: vec![failure], ..stale(0.5, 10) });
            world.deploy(&App::of("S", &topic("t"))).await.check(&[("S", outcome)]);
            world.rest().await;
            assert_eq!(world.statuses("S"), [status], "seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stacks_that_may_not_be_listed_are_read_one_by_one() {
    let denied = vec![("cloudformation".to_owned(), "ListStacks".to_owned())];
    let world = World::with_faults(Faults { denied, ..Faults::default() });
    world.deploy(&app("one")).await.check_all(Outcome::Deployed);
    let before = world.mutations().len();
    world.deploy(&app("one")).await.check_all(Outcome::Unchanged);
    assert_eq!(world.mutations().len(), before);
    let refused = world.sim.calls().iter().filter(|call| call.status == 403).count();
    assert_eq!(refused, 2, "each run asks once whether it may");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_credentials_expire_can_be_resumed() {
    let (world, app) = (World::slow(), App::of("S", &slow("one")));
    let later = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        world.sim.set_faults(Faults { expired_tokens: true, ..Faults::default() });
    };
    let (ran, ()) = tokio::join!(world.deploy(&app), later);
    ran.check(&[("S", Outcome::Interrupted)]);
    assert!(ran.cause("S").message.contains("does not accept the credentials"), "{:?}", ran.cause("S"));
    world.sim.set_faults(Faults::default());
    let how = How { earlier: Some(ran.earlier()), ..How::default() };
    world.run(&app, how).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.count("CreateStack"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_some_minutes_ends_nothing() {
    let (world, app) = (World::slow(), App::of("S", &slow("one")));
    let outage = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        world.sim.set_faults(Faults { server_errors: 1.0, ..Faults::default() });
        tokio::time::sleep(Duration::from_mins(10)).await;
        world.sim.set_faults(Faults::default());
    };
    let (ran, ()) = tokio::join!(world.deploy(&app), outage);
    ran.check(&[("S", Outcome::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_assume_role_for_some_minutes_ends_nothing() {
    let hours = Duration::from_hours(2);
    let durations = slow_durations().with("Custom::Slow", paceline_sim::Operation::Create, hours);
    let world = World::new(SimOptions { durations, ..SimOptions::default() });
    let app = App::of("S", &slow("one"));
    // A session lasts an hour.
    let outage = async {
        tokio::time::sleep(Duration::from_mins(58)).await;
        world.sim.set_faults(Faults { server_errors: 1.0, ..Faults::default() });
        tokio::time::sleep(Duration::from_mins(6)).await;
        world.sim.set_faults(Faults::default());
    };
    let (ran, ()) = tokio::join!(world.deploy(&app), outage);
    ran.check(&[("S", Outcome::Deployed)]);
    assert!(world.count("AssumeRole") >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_is_lost_is_sent_again_and_done_once() {
    let (world, app) = (World::slow(), App::of("S", &slow("one")));
    world.proxy.on(Calls::of("CreateStack").nth(1), Mishap::reset());
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.proxy.struck().len(), 1);
    assert_eq!(world.statuses("S"), ["CREATE_COMPLETE"]);
}

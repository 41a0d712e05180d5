//! Runs that are stopped or killed, and the runs that follow.

use std::time::Duration;

use paceline_aws::Method;
use paceline_engine::{Earlier, ExitCode, Fact, Outcome, Stop};
use paceline_sim::{Bootstrap, Calls, Failure, Faults, Mishap, SimOptions};

use crate::app::{App, slow, topic};
use crate::faults::hostile;
use crate::world::{How, World, slow_durations};

fn app(label: &str) -> App {
    App::new().stack("A", &slow(label), &[]).stack("B", &slow(label), &[]).stack("C", &slow(label), &["A"])
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_continues_where_it_was() {
    for (method, with_journal) in [
        (Method::Direct, true),
        (Method::Direct, false),
        (Method::ChangeSet, true),
        (Method::ChangeSet, false),
    ] {
        for seconds in [0, 1, 3, 5, 20, 60, 66, 70, 90] {
            let (world, app) = (World::slow(), app("one"));
            let how = How { method, ..How::default() };
            let killed =
                world.kill_after(&app, how.clone(), Duration::from_millis(seconds * 1000 + 250)).await;
            let earlier = with_journal.then(|| killed.earlier());
            let ran = world.run(&app, How { earlier, ..how }).await;
            for id in ["A", "B", "C"] {
                let outcome = ran.stack(id).outcome;
                assert!(outcome.is_success(), "{id} after {seconds} s: {:?}", ran.stack(id));
                if with_journal {
                    assert_eq!(outcome, Outcome::Deployed, "{id} after {seconds} s");
                }
                assert_eq!(world.statuses(id), ["CREATE_COMPLETE"]);
                assert_eq!(world.began(id, "CREATE_IN_PROGRESS").await, 1);
            }
            let sent = if method == Method::Direct { "CreateStack" } else { "ExecuteChangeSet" };
            assert_eq!(world.count(sent), 3, "after {seconds} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_in_progress_is_adopted() {
    for seconds in [1, 10, 40, 62, 64] {
        let world = World::slow();
        world.deploy(&app("one")).await;
        let app = app("two");
        let killed = world.kill_after(&app, How::default(), Duration::from_secs(seconds)).await;
        let ran = world.run(&app, How { earlier: Some(killed.earlier()), ..How::default() }).await;
        ran.check_all(Outcome::Deployed);
        assert_eq!(ran.stack("C").outputs["Label"], "two");
        assert_eq!(world.count("UpdateStack"), 3, "after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_in_progress_is_adopted_only_by_the_same_request() {
    let world = World::slow();
    world.kill_after(&app("one"), How::default(), Duration::from_secs(20)).await;
    let ran = world.deploy(&app("two")).await;
    ran.check_all(Outcome::Deployed);
    assert_eq!(ran.stack("A").outputs["Label"], "two");
    assert_eq!(world.statuses("A"), ["UPDATE_COMPLETE"]);
    assert_eq!(ran.warnings().len(), 2, "A and B were in progress: {:?}", ran.warnings());
}

#[tokio::test(start_paused = true)]
async fn our_own_deletion_does_not_count_as_the_deployment() {
    let failure = |times| Failure {
        stack: "S".to_owned(),
        logical_id: "Slow".to_owned(),
        operation: None,
        reason: "it broke".to_owned(),
        times,
    };
    // CloudFormation itself rolls back, and leaves an empty stack.
    let world = World::new(SimOptions {
        bootstrap: Bootstrap::Version(22),
        faults: Faults { failures: vec![failure(1)], ..Faults::default() },
        durations: slow_durations(),
        ..SimOptions::default()
    });
    let app = App::of("S", &slow("one"));
    world.deploy(&app).await.check(&[("S", Outcome::RolledBack)]);
    // A deletion takes time, and the run is killed during it.
    let killed = world.kill_after(&app, How::default(), Duration::from_secs(1)).await;
    let operations: Vec<&str> = killed.submitted().iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations, ["delete"]);
    world.deploy(&app).await.check(&[("S", Outcome::Deployed)]);
    assert_eq!(world.statuses("S"), ["DELETE_COMPLETE", "CREATE_COMPLETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_ends_at_once_and_operations_in_aws_continue() {
    let (world, app, stop) = (World::slow(), app("one"), Stop::default());
    let started = tokio::time::Instant::now();
    let soon = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        stop.request("a test");
        tokio::time::Instant::now()
    };
    let how = How { stop: stop.clone(), ..How::default() };
    let (ran, asked) = tokio::join!(world.run(&app, how), soon);
    assert_eq!(started.elapsed(), asked - started, "virtual time has not moved since");
    ran.check_all(Outcome::Interrupted);
    assert_eq!(ran.exit_code(), ExitCode::Interrupted);
    let ready = ran.events.iter().filter(|event| matches!(event.fact, Fact::StepStarted(_))).count();
    assert_eq!(ready, 2, "C has not started");

    world.rest().await;
    assert_eq!(world.statuses("A"), ["CREATE_COMPLETE"]);
    let again = world.run(&app, How { earlier: Some(ran.earlier()), ..How::default() }).await;
    again.check_all(Outcome::Deployed);
    assert!(again.stack("A").resumed);
    assert_eq!(world.count("CreateStack"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stack_with_one_topic_is_deployed_in_seconds() {
    let (world, app) = (World::slow(), App::of("S", &topic("t")));
    let ran = world.deploy(&app).await;
    assert!(ran.stack("S").duration_s < 40.0, "{}", ran.stack("S").duration_s);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_repeatedly_in_a_hostile_aws_succeeds_and_does_nothing_twice() {
    for seed in 0..4 {
        let world = World::new(SimOptions { seed, durations: slow_durations(), ..SimOptions::default() });
        let how = How { faults: Some(hostile()), ..How::default() };
        for (round, label) in ["one", "two"].into_iter().enumerate() {
            let (app, mut earlier) = (app(label), None::<Earlier>);
            for n in 1..6 {
                world.sim.set_faults(Faults::default());
                let how = How { earlier: earlier.clone(), ..how.clone() };
                // The times are irregular, so that the seeds interrupt every part of a deployment.
                let time = Duration::from_millis(700 + (seed * 7919 + n * 4057) % 21_000);
                let mut done = world.kill_after(&app, how, time).await.earlier();
                done.done.extend(earlier.into_iter().flat_map(|earlier| earlier.done));
                earlier = Some(done);
            }
            world.sim.set_faults(Faults::default());
            world.run(&app, How { earlier, ..how.clone() }).await.check_all(Outcome::Deployed);
            world.sim.set_faults(Faults::default());
            world.rest().await;
            for id in ["A", "B", "C"] {
                assert_eq!(world.statuses(id).len(), 1, "seed {seed}: {id}");
                assert_eq!(world.began(id, "CREATE_IN_PROGRESS").await, 1, "seed {seed}: {id}");
                assert_eq!(world.began(id, "UPDATE_IN_PROGRESS").await, round, "seed {seed}: {id}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_interrupts_the_run_and_fails_no_stack() {
    for operation in ["CreateStack", "DescribeStacks", "DescribeStackEvents"] {
        let (world, app) = (World::slow(), app("one"));
        world.proxy.on(Calls::of(operation).from(3), Mishap::expired_token());
        let ran = world.deploy(&app).await;
        assert_eq!(ran.exit_code(), ExitCode::Interrupted, "{operation}: {:#?}", ran.events);
        let outcomes = ["A", "B", "C"].map(|id| ran.stack(id).outcome);
        assert!(outcomes.contains(&Outcome::Interrupted), "{operation}: {outcomes:?}");
        assert!(!outcomes.contains(&Outcome::Failed), "{operation}: {outcomes:?}");

        world.proxy.clear();
        let again = world.run(&app, How { earlier: Some(ran.earlier()), ..How::default() }).await;
        assert_eq!(again.exit_code(), ExitCode::Done);
        assert_eq!(world.count("CreateStack"), 3, "{operation}");
    }
}

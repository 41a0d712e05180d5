//! Two runs never change the same stack at the same time, and a killed run blocks nobody for long.

use std::time::Duration;

use paceline_assembly::Assembly;
use paceline_aws::{Applicant, Aws, AwsError, AwsOptions, Leases, LockMode};
use paceline_config::Config;
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::{Calls, Faults, Mishap};

use crate::app::{ACCOUNT, App, REGION, slow, topic};
use crate::records::with_assets;
use crate::world::World;

/// A process that runs an app.
struct Process {
    aws: Box<Aws>,
    plan: Plan,
    run: &'static str,
}

impl Process {
    async fn of(world: &World, app: &App, run: &'static str) -> Self {
        let assembly = app.read();
        let plan = Plan::make(&assembly, &Config::default(), &PlanOptions::default()).unwrap();
        let options = AwsOptions { wire: world.wire.clone(), ..AwsOptions::default() };
        let connecting = Box::pin(Aws::connect(std::sync::Arc::<Assembly>::clone(&assembly), &plan, options));
        let aws = Box::pin(async move { Box::new(connecting.await.unwrap()) }).await;
        Self { aws, plan, run }
    }

    async fn lock(&self, world: &World, mode: LockMode) -> Result<(Leases, Vec<String>), AwsError> {
        let (run, holder) = (self.run.to_owned(), format!("{} on a machine", self.run));
        let applicant = Applicant { id: run.clone(), run, holder, now: world.now() };
        let mut told = Vec::new();
        let leases = Box::pin(self.aws.lock(&self.plan, &applicant, mode, |sentence| told.push(sentence)));
        let leases = leases.await?;
        Ok((leases, told))
    }
}

fn app(stack: &str) -> App {
    with_assets(App::new().stack(stack, &slow("a"), &[]), stack, REGION)
}

#[tokio::test(start_paused = true)]
async fn a_second_run_on_the_same_stack_is_refused_and_told_who_has_it() {
    let (world, app) = (World::slow(), app("S"));
    let (first, second) =
        (Process::of(&world, &app, "first").await, Process::of(&world, &app, "second").await);
    let (leases, _) = first.lock(&world, LockMode::Refuse).await.unwrap();
    let refused = second.lock(&world, LockMode::Refuse).await.err().unwrap().to_string();
    assert!(refused.starts_with("the run first of first on a machine is changing S, since "), "{refused}");
    leases.release().await;
    second.lock(&world, LockMode::Refuse).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn runs_on_different_stacks_do_not_wait_for_each_other() {
    let world = World::slow();
    let (first, second) =
        (Process::of(&world, &app("A"), "a").await, Process::of(&world, &app("B"), "b").await);
    let _leases = first.lock(&world, LockMode::Refuse).await.unwrap();
    second.lock(&world, LockMode::Refuse).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_about_the_leases_gives_nobody_the_stacks_of_another_run() {
    let (world, app) = (World::slow(), app("S"));
    let (first, second) =
        (Process::of(&world, &app, "first").await, Process::of(&world, &app, "second").await);
    let _leases = first.lock(&world, LockMode::Refuse).await.unwrap();
    for mishap in [Mishap::truncated(), Mishap::html(), Mishap::empty()] {
        world.proxy.on(Calls::of("GetObject").times(3), mishap);
        let refused = second.lock(&world, LockMode::Refuse).await.err().unwrap().to_string();
        assert!(
            refused.starts_with("the run first of first on a machine is changing S, since "),
            "{refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_until_the_other_has_ended_and_says_so_once() {
    let (world, app) = (World::slow(), app("S"));
    let (first, second) =
        (Process::of(&world, &app, "first").await, Process::of(&world, &app, "second").await);
    let (leases, _) = first.lock(&world, LockMode::Wait).await.unwrap();
    let began = tokio::time::Instant::now();
    let (taken, ()) = tokio::join!(second.lock(&world, LockMode::Wait), async {
        tokio::time::sleep(Duration::from_mins(20)).await;
        leases.release().await;
    });
    let (leases, said) = taken.unwrap();
    assert_eq!(said.len(), 1);
    let waited = began.elapsed();
    assert_eq!(leases.waited(), waited);
    assert!(waited >= Duration::from_mins(20) && waited < Duration::from_mins(21), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_killed_run_ends_by_itself() {
    let (world, app) = (World::slow(), app("S"));
    let (first, second) =
        (Process::of(&world, &app, "first").await, Process::of(&world, &app, "second").await);
    let (leases, _) = first.lock(&world, LockMode::Wait).await.unwrap();
    drop(leases);
    let began = tokio::time::Instant::now();
    second.lock(&world, LockMode::Wait).await.unwrap();
    assert!(began.elapsed() < Duration::from_mins(4), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_process_that_continues_a_run_does_not_wait_and_the_one_before_stops() {
    let (world, app) = (World::slow(), app("S"));
    let (before, after) = (Process::of(&world, &app, "run").await, Process::of(&world, &app, "run").await);
    let (old, _) = before.lock(&world, LockMode::Refuse).await.unwrap();
    let (new, _) = after.lock(&world, LockMode::Refuse).await.unwrap();
    let reason = tokio::time::timeout(Duration::from_mins(2), old.lost()).await.unwrap();
    assert_eq!(reason, "another process has taken over its stacks");
    assert!(tokio::time::timeout(Duration::from_mins(30), new.lost()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn of_many_runs_that_start_at_once_one_has_the_stack_at_a_time() {
    let (world, app) = (World::slow(), app("S"));
    let names = ["a", "b", "c", "d", "e"];
    let processes = futures_util::future::join_all(names.map(|name| Process::of(&world, &app, name))).await;
    let holding = std::sync::atomic::AtomicUsize::new(0);
    let work = processes.iter().map(async |process| {
        let (leases, _) = process.lock(&world, LockMode::Wait).await.unwrap();
        assert_eq!(holding.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
        tokio::time::sleep(Duration::from_mins(10)).await;
        holding.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        leases.release().await;
    });
    futures_util::future::join_all(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_cannot_be_used_is_told_and_stops_nobody() {
    let (world, app) = (World::slow(), app("S"));
    let process = Process::of(&world, &app, "run").await;
    let denied = vec![("s3".to_owned(), "GetObject".to_owned())];
    world.sim.set_faults(Faults { denied, ..Faults::default() });
    let (_, told) = process.lock(&world, LockMode::Wait).await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("no lease is kept in s3://"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_is_lost_before_another_run_can_take_it() {
    let (world, app) = (World::slow(), app("S"));
    let (first, second) =
        (Process::of(&world, &app, "first").await, Process::of(&world, &app, "second").await);
    let (leases, _) = first.lock(&world, LockMode::Wait).await.unwrap();
    // The calls of the first run wait for an answer for many minutes.
    world.proxy.on(Calls::of("GetObject").lasting(Duration::from_mins(30)), Mishap::never_answered());
    let began = tokio::time::Instant::now();
    let reason = tokio::time::timeout(Duration::from_mins(20), leases.lost()).await.unwrap();
    assert!(reason.starts_with("its lease could not be renewed in time"), "{reason}");
    world.proxy.clear();
    let lost_after = began.elapsed();
    second.lock(&world, LockMode::Wait).await.unwrap();
    assert!(lost_after < began.elapsed(), "{lost_after:?}");
    assert!(lost_after <= Duration::from_mins(3), "{lost_after:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_runs_that_start_at_once_in_two_regions_one_is_refused_and_the_other_is_not() {
    for delayed in 1..5 {
        let world = World::slow();
        let elsewhere = serde_json::json!({"environment": format!("aws://{ACCOUNT}/eu-west-1")});
        let app = app("A").stack_with("B", &topic("b"), &elsewhere);
        let app = with_assets(app, "B", "eu-west-1");
        let (first, second) =
            (Process::of(&world, &app, "first").await, Process::of(&world, &app, "second").await);
        world
            .proxy
            .before(Calls::of("PutObject").nth(delayed), |_| tokio::time::sleep(Duration::from_secs(5)));
        let (one, other) =
            tokio::join!(first.lock(&world, LockMode::Refuse), second.lock(&world, LockMode::Refuse));
        assert!(one.is_ok() != other.is_ok(), "{delayed}: {} {}", one.is_ok(), other.is_ok());
    }
}

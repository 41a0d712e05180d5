//! The copy of a run in the staging bucket: another machine finds everything there, and the run never waits for it.

use std::time::Duration;

use camino::Utf8Path;
use paceline_aws::{KeptRun, KeptRuns};
use paceline_config::Config;
use paceline_engine::{
    Event, Fact, FetchedRun, Journal, Outcome, import, journal_path, parse_events, read_events,
};
use paceline_plan::{Plan, PlanOptions};
use paceline_sim::Faults;

use crate::app::{App, REGION, slow, topic};
use crate::records::with_assets;
use crate::rollbacks::Runs;
use crate::world::{How, RUN, Ran, World};

fn copied() -> How {
    How { copies: Some(Vec::new()), ..How::default() }
}

/// Three stacks one after another, each of which takes a minute.
fn app() -> App {
    let app = App::new();
    let app = app.stack("A", &slow("a"), &[]).stack("B", &slow("b"), &["A"]).stack("C", &slow("c"), &["B"]);
    with_assets(app, "A", REGION)
}

async fn kept(world: &World, app: &App) -> (KeptRuns, Vec<KeptRun>) {
    let kept = Box::pin(KeptRuns::open(&world.wire, &app.read())).await.unwrap();
    let runs = kept.list(world.now()).await.unwrap();
    (kept, runs)
}

/// The only run of the bucket.
async fn fetched(world: &World, app: &App) -> (KeptRun, FetchedRun) {
    let (kept, mut runs) = kept(world, app).await;
    let run = runs.pop().unwrap();
    assert_eq!((runs.len(), run.run.as_str()), (0, RUN));
    let fetched = Box::pin(kept.fetch_all(std::slice::from_ref(&run))).await.unwrap().pop().unwrap();
    (run, fetched)
}

fn events(fetched: &FetchedRun) -> Vec<Event> {
    parse_events(Utf8Path::new(RUN), &fetched.journal).unwrap()
}

fn created(world: &World) -> Vec<String> {
    world.mutations().into_iter().filter(|call| call.starts_with("CreateStack")).collect()
}

/// What another machine with an empty folder knows of a killed run.
pub(crate) async fn continued(world: &World, app: &App, runs: &Runs) -> How {
    let (run, fetched) = fetched(world, app).await;
    assert!(!run.has_ended);
    import(runs.path(), &[fetched]).unwrap();
    let mut plan = Plan::make(&app.read(), &Config::default(), &PlanOptions::default()).unwrap();
    // A run of these tests has the digest of its plan, too.
    plan = plan.with_scripts(|_| None);
    let unfinished = Journal::find_unfinished(runs.path(), &plan).unwrap().expect("nothing to continue");
    assert_eq!(unfinished.run, RUN);
    let earlier = Some(unfinished.earlier.clone());
    let (_, events) = unfinished.into_parts();
    How { earlier, copies: Some(events), ..How::default() }
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_continued_by_another_machine_and_nothing_is_started_twice() {
    let (world, app, elsewhere) = (World::slow(), app(), Runs::new());
    let killed = world.kill_after(&app, copied(), Duration::from_secs(100)).await;
    assert_eq!(created(&world), ["CreateStack A", "CreateStack B"]);
    let how = continued(&world, &app, &elsewhere).await;
    let ran = world.run(&app, how).await;
    ran.check(&[("A", Outcome::Deployed), ("B", Outcome::Deployed), ("C", Outcome::Deployed)]);
    assert_eq!(created(&world), ["CreateStack A", "CreateStack B", "CreateStack C"]);

    // The copy has both parts as one run.
    let (run, fetched) = fetched(&world, &app).await;
    assert!(run.has_ended);
    let all = events(&fetched);
    assert!(all.iter().zip(1..).all(|(event, seq)| event.seq == seq), "the numbers have gaps");
    assert_eq!(all.last(), ran.events.last());
    let is_start = |event: &&Event| matches!(event.fact, Fact::RunStarted(_));
    let starts: Vec<u64> = all.iter().filter(is_start).map(|event| event.seq).collect();
    assert_eq!(starts, [killed.events[0].seq, ran.events[0].seq]);
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_process_knew_a_few_seconds_before_is_in_the_bucket() {
    let (world, app) = (World::slow(), app());
    let killed = world.kill_after(&app, copied(), Duration::from_secs(100)).await;
    let (_, fetched) = fetched(&world, &app).await;
    let before = |event: &&Event| event.at < world.now() - jiff::SignedDuration::from_secs(13);
    let expected: Vec<&Event> = killed.events.iter().filter(before).collect();
    let found = events(&fetched);
    assert!(expected.len() > 5 && found.len() >= expected.len(), "{} {}", expected.len(), found.len());
    assert_eq!(found.iter().take(expected.len()).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_long_run_writes_its_journal_every_ten_seconds_at_most() {
    let (world, app) = (World::slow(), app());
    let began = world.now();
    world.run(&app, copied()).await.check_all(Outcome::Deployed);
    let most = (world.now() - began).get_seconds() / 10 + 20;
    let written = i64::try_from(world.count("PutObject")).unwrap();
    assert!(written > 5 && written < most, "{written} of {most}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_refuses_the_copy_is_told_once_and_does_not_fail_the_run() {
    let (world, mut app) = (World::slow(), app());
    world.deploy(&app).await;
    for stack in ["A", "B", "C"] {
        app.change(stack, &slow("new"));
    }
    let runs = Runs::new();
    let denied = vec![("s3".to_owned(), "PutObject".to_owned())];
    let faults = Some(Faults { denied, ..Faults::default() });
    let ran = world.run(&app, How { faults, captures: Some(runs.path().to_owned()), ..copied() }).await;
    ran.check(&[("A", Outcome::Deployed), ("B", Outcome::Deployed), ("C", Outcome::Deployed)]);
    let said = world.said();
    let journal: Vec<_> = said.iter().filter(|line| line.starts_with("the journal of this run")).collect();
    let captures: Vec<_> =
        said.iter().filter(|line| line.starts_with("only this machine can roll")).collect();
    assert_eq!((journal.len(), captures.len()), (1, 1), "{said:?}");
    assert!(journal[0].contains("AccessDenied"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn another_machine_has_the_captures_of_a_run() {
    let (world, mut app, here, elsewhere) = (World::slow(), app(), Runs::new(), Runs::new());
    world.deploy(&app).await;
    app.change("B", &topic("new"));
    let ran: Ran = world.run(&app, How { captures: Some(here.path().to_owned()), ..copied() }).await;
    ran.check(&[("A", Outcome::Unchanged), ("B", Outcome::Deployed)]);
    let (_, fetched) = fetched(&world, &app).await;
    import(elsewhere.path(), &[fetched]).unwrap();
    let events = read_events(&journal_path(elsewhere.path(), RUN)).unwrap();
    assert_eq!(events.len(), ran.events.len());
    let (theirs, ours) = (here.undoing(&ran.events), elsewhere.undoing(&events));
    assert_eq!(ours.assembly.stacks.len(), 1);
    let templates = |undoing: &paceline_engine::rollback::Undoing| {
        undoing.assembly.stacks.iter().map(|stack| stack.template.digest()).collect::<Vec<_>>()
    };
    assert_eq!(templates(&ours), templates(&theirs));
}

#[tokio::test(start_paused = true)]
async fn two_processes_never_write_the_same_part() {
    let (world, app) = (World::slow(), app());
    world.run(&app, copied()).await;
    let (_, before) = fetched(&world, &app).await;
    // This process does not know that the run has a part already.
    world.run(&app, copied()).await.check_all(Outcome::Unchanged);
    let said = world.said();
    assert!(said.iter().any(|line| line.contains("another process has continued the run")), "{said:?}");
    assert_eq!(fetched(&world, &app).await.1.journal, before.journal);
}

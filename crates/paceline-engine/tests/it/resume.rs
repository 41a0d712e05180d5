//! Resuming a run that was interrupted.

use std::collections::BTreeSet;
use std::sync::Arc;

use paceline_engine::{
    Earlier, Ended, Event, ExitCode, Fact, Journal, Outcome, Perform, RunOptions, StepContext, run,
};
use paceline_plan::Plan;

use crate::draft::Draft;
use crate::journal::Runs;
use crate::script::{Act, Script, options, paused, ran_with};

fn plan() -> Plan {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    draft.stack("B", 60, &[a]);
    draft.stack("C", 60, &[]);
    draft.plan()
}

fn resumed(deployed: &[&str], script: Script) -> crate::script::Ran {
    let done = deployed.iter().map(|&step| (step.to_owned(), None)).collect();
    let earlier = Some(Earlier { seq: 41, done, touched: true, ..Earlier::default() });
    ran_with(plan(), script, RunOptions { earlier, ..options() })
}

#[test]
fn a_stack_that_an_earlier_part_deployed_counts_as_deployed() {
    let unchanged = |script: Script, step| script.with(step, Act::Ends(Outcome::Unchanged));
    let script = unchanged(unchanged(Script::default(), "deploy:A"), "deploy:C");
    let ran = resumed(&["deploy:A", "deploy:B"], script);
    assert_eq!(ran.events[0].seq, 42);
    let Fact::RunStarted(started) = &ran.events[0].fact else { panic!("not a start") };
    assert!(started.resumed);
    // The step is found done, and this run had done it.
    assert_eq!((ran.outcome("deploy:A"), ran.finished("deploy:A").resumed), (Outcome::Deployed, true));
    // The step had to be done again.
    assert_eq!((ran.outcome("deploy:B"), ran.finished("deploy:B").resumed), (Outcome::Deployed, false));
    // The step is found done, but this run had not done it.
    assert_eq!((ran.outcome("deploy:C"), ran.finished("deploy:C").resumed), (Outcome::Unchanged, false));
}

/// Submits, and then waits for the end or for the stop. In this AWS, a complete stack is unchanged.
struct Deploys {
    complete: BTreeSet<String>,
    operation: &'static str,
}

impl Perform for Deploys {
    async fn perform(&self, context: StepContext) -> Ended {
        let id = context.step().id.clone();
        if self.complete.contains(&id) {
            return Ended::new(Outcome::Unchanged);
        }
        context.submitting(self.operation, "token").await;
        tokio::select! {
            biased;
            () = context.stopped() => Ended::new(Outcome::Interrupted),
            () = tokio::time::sleep(context.step().expected) => Ended::new(Outcome::Deployed),
        }
    }
}

/// Runs until a deadline, and then resumes. The submitted stacks are complete by then, or none is.
fn interrupted_and_resumed(operation: &'static str, complete: &[&str]) -> Vec<Event> {
    let runs = Runs::new();
    let mut journal = Journal::create(&runs.path(), "test").unwrap();
    let deadline = Some(std::time::Duration::from_secs(30));
    let first = Deploys { complete: BTreeSet::new(), operation };
    let mut record = |event: &Event| journal.append(event);
    let run_until = RunOptions { deadline, ..options() };
    let end = paused(run(Arc::new(plan()), Arc::new(first), run_until, &mut record)).unwrap();
    assert_eq!(end.exit_code, ExitCode::Interrupted);
    drop(journal);

    let unfinished = Journal::find_unfinished(&runs.path(), &plan()).unwrap().unwrap();
    let earlier = Some(unfinished.earlier.clone());
    let (mut journal, before) = unfinished.into_parts();
    let complete = complete.iter().map(|&step| step.to_owned()).collect();
    let mut record = |event: &Event| journal.append(event);
    let options = RunOptions { earlier, ..options() };
    let second = Deploys { complete, operation };
    let end = paused(run(Arc::new(plan()), Arc::new(second), options, &mut record)).unwrap();
    assert_eq!(end.exit_code, ExitCode::Done);
    drop(journal);

    assert!(Journal::find_unfinished(&runs.path(), &plan()).unwrap().is_none());
    let events = paceline_engine::read_events(&runs.path().join("test/journal.jsonl")).unwrap();
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<u64>>());
    events[before.len()..].to_vec()
}

fn ends(events: &[Event]) -> Vec<(&str, Outcome, bool)> {
    let ends = events.iter().filter_map(|event| match &event.fact {
        Fact::StepFinished(f) => Some((f.step.step.as_str(), f.outcome, f.resumed)),
        _ => None,
    });
    ends.collect()
}

#[test]
fn a_submitted_stack_that_has_ended_since_is_deployed_by_the_run() {
    let events = interrupted_and_resumed("create", &["deploy:A"]);
    let expected = [
        ("deploy:A", Outcome::Deployed, true),
        ("deploy:B", Outcome::Deployed, false),
        ("deploy:C", Outcome::Deployed, false),
    ];
    let mut ends = ends(&events);
    ends.sort_unstable();
    assert_eq!(ends, expected);
}

#[test]
fn a_change_set_that_was_only_created_has_deployed_nothing() {
    let events = interrupted_and_resumed("create-change-set", &["deploy:A"]);
    assert!(ends(&events).contains(&("deploy:A", Outcome::Unchanged, false)));
}

#[test]
fn a_failed_step_that_is_found_done_is_not_the_runs_work() {
    let runs = Runs::new();
    let mut journal = Journal::create(&runs.path(), "test").unwrap();
    let mut events = Vec::new();
    let mut record = |event: &Event| {
        events.push(event.clone());
        Ok(())
    };
    let script = Arc::new(Fails);
    paused(run(Arc::new(plan()), script, options(), &mut record)).unwrap();
    // The process is killed right before its end.
    for event in &events[..events.len() - 1] {
        journal.append(event).unwrap();
    }
    drop(journal);
    let unfinished = Journal::find_unfinished(&runs.path(), &plan()).unwrap().unwrap();
    assert!(unfinished.earlier.done.is_empty());
    assert_eq!(unfinished.earlier.seq, events.len() as u64 - 1);
}

struct Fails;

impl Perform for Fails {
    async fn perform(&self, context: StepContext) -> Ended {
        context.submitting("update", "token").await;
        Ended::new(Outcome::RolledBack)
    }
}

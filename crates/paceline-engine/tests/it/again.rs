//! The steps that still count as done when a run is resumed. Steps that were edited or changed by others
//! since do not.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use paceline_engine::event::{Cause, StepRef};
use paceline_engine::{
    Ended, Event, Fact, Journal, Outcome, Perform, ResourceProgress, ResourceStatus, RunOptions, StepContext,
    run,
};
use paceline_plan::{Command, Plan, Work};

use crate::draft::Draft;
use crate::journal::Runs;
use crate::script::{options, paused};

/// A stack, a command that follows it, and two more stacks; each takes a minute.
fn plan(digest: &str) -> Plan {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    let seed = draft.command("seed", 60, &[a]);
    let b = draft.stack("B", 60, &[seed]);
    draft.stack("C", 60, &[b]);
    Plan { resume_key: digest.to_owned(), ..draft.plan() }
}

fn edited(mut plan: Plan, name: &str, edit: impl Fn(&mut Command)) -> Plan {
    for step in &mut plan.steps {
        if let Work::Command(command) = &mut step.work
            && command.name == name
        {
            edit(command);
        }
    }
    plan
}

/// An AWS in which a deployed stack is unchanged until somebody changes it.
struct Deploys {
    changed: &'static [&'static str],
}

impl Perform for Deploys {
    async fn perform(&self, context: StepContext) -> Ended {
        let step = context.step();
        let is_changed = self.changed.iter().any(|id| step.id.ends_with(id));
        if context.was_done_earlier() && !is_changed {
            return Ended::new(Outcome::Unchanged);
        }
        if matches!(step.work, Work::Deploy { .. }) {
            context.submitting("update", "token").await;
        }
        tokio::select! {
            biased;
            () = context.stopped() => Ended::new(Outcome::Interrupted),
            () = tokio::time::sleep(step.expected) => Ended::new(Outcome::Deployed),
        }
    }
}

/// A start of the plan. It is a new run with this name, or resumes the run that was interrupted.
struct Started {
    run: String,
    /// The commands that run again although they had run. The flag is true if the command was edited.
    again: Vec<(String, bool)>,
    events: Vec<Event>,
}

/// Starts a plan and stops it after this many seconds.
fn start(runs: &Utf8Path, name: &str, plan: &Plan, seconds: u64) -> Started {
    start_with(runs, name, plan, seconds, &[])
}

fn start_with(
    runs: &Utf8Path,
    name: &str,
    plan: &Plan,
    seconds: u64,
    changed: &'static [&'static str],
) -> Started {
    start_performed(runs, name, plan, seconds, Deploys { changed })
}

fn start_performed(
    runs: &Utf8Path,
    name: &str,
    plan: &Plan,
    seconds: u64,
    performer: impl Perform,
) -> Started {
    let unfinished = Journal::find_unfinished(runs, plan).unwrap();
    let (id, earlier, again, mut journal) = match unfinished {
        Some(unfinished) => {
            let again = unfinished.again.iter().map(|it| (it.command.clone(), it.edited)).collect();
            let (run, earlier) = (unfinished.run.clone(), unfinished.earlier.clone());
            (run, Some(earlier), again, unfinished.into_parts().0)
        }
        None => (name.to_owned(), None, Vec::new(), Journal::create(runs, name).unwrap()),
    };
    let (deadline, order) = (Some(Duration::from_secs(seconds)), Some(journal.order));
    let options = RunOptions { id: id.clone(), earlier, deadline, order, ..options() };
    let mut events = Vec::new();
    let mut record = |event: &Event| {
        events.push(event.clone());
        journal.append(event)
    };
    let plan = Arc::new(plan.clone());
    paused(run(plan, Arc::new(performer), options, &mut record)).unwrap();
    Started { run: id, again, events }
}

impl Started {
    /// The steps that this part of the run did itself and did not find done.
    fn did(&self) -> Vec<&str> {
        let did = self.events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished(it) if it.outcome == Outcome::Deployed && !it.resumed => Some(&it.step),
            _ => None,
        });
        did.map(|step: &StepRef| step.title.as_str()).collect()
    }
}

/// Stops the run after the command has run, while B is being deployed.
const AFTER_THE_COMMAND: u64 = 150;
const TO_THE_END: u64 = 10_000;

#[test]
fn a_command_that_had_run_does_not_run_again() {
    let runs = Runs::new();
    assert_eq!(start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND).did(), ["A", "seed"]);
    let again = start(&runs.path(), "r2", &plan("p"), TO_THE_END);
    assert_eq!((again.run.as_str(), again.did()), ("r1", vec!["C"]), "B was sent, and is found done");
    assert_eq!(again.again, []);
}

#[test]
fn an_edited_command_runs_again_and_is_reported() {
    for edit in [
        |it: &mut Command| it.run = "./other.sh".to_owned(),
        |it: &mut Command| it.shell = "bash".to_owned(),
        |it: &mut Command| it.dir = "elsewhere".into(),
        |it: &mut Command| drop(it.env.insert("A".to_owned(), "1".to_owned())),
        |it: &mut Command| it.timeout = Some(Duration::from_secs(5)),
        |it: &mut Command| it.retries = 3,
        |it: &mut Command| drop(it.scripts.insert("seed.sh".into(), "digest".to_owned())),
    ] {
        let runs = Runs::new();
        start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND);
        let edited = edited(plan("p"), "seed", edit);
        let again = start(&runs.path(), "r2", &edited, TO_THE_END);
        assert_eq!((again.run.as_str(), again.did()), ("r1", vec!["seed", "B", "C"]));
        assert_eq!(again.again, [("seed".to_owned(), true)]);
    }
}

#[test]
fn a_command_whose_edit_was_undone_runs_again() {
    let runs = Runs::new();
    let other = edited(plan("p"), "seed", |it| it.run = "./other.sh".to_owned());
    start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND);
    assert_eq!(start(&runs.path(), "r2", &other, 90).did(), ["seed"]);
    let back = start(&runs.path(), "r3", &plan("p"), TO_THE_END);
    assert_eq!((back.run.as_str(), back.did()[0]), ("r1", "seed"));
}

/// Two commands. The second one follows the first one.
fn chain(first: &str) -> Plan {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    let first_step = draft.command("first", 60, &[a]);
    let second = draft.command("second", 60, &[first_step]);
    draft.stack("B", 600, &[second]);
    let plan = Plan { resume_key: "p".to_owned(), ..draft.plan() };
    edited(plan, "first", |it| first.clone_into(&mut it.run))
}

#[test]
fn a_command_after_an_edited_one_runs_again_but_only_once() {
    let runs = Runs::new();
    assert_eq!(start(&runs.path(), "r1", &chain("one"), 200).did(), ["A", "first", "second"]);
    // The run is interrupted before the second command has run again.
    assert_eq!(start(&runs.path(), "r2", &chain("two"), 90).did(), ["first"]);
    assert_eq!(start(&runs.path(), "r3", &chain("two"), 90).did(), ["second"]);
    assert_eq!(start(&runs.path(), "r4", &chain("two"), 90).did(), [""; 0]);
}

#[test]
fn a_command_runs_again_after_somebody_changed_its_stack() {
    let runs = Runs::new();
    start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND);
    let again = start_with(&runs.path(), "r2", &plan("p"), TO_THE_END, &["deploy:A"]);
    assert_eq!((again.run.as_str(), again.did()), ("r1", vec!["A", "seed", "B", "C"]));
}

/// Another plan for the same stacks, as after an edit of a template.
fn another() -> Plan {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    draft.command("seed", 60, &[a]);
    Plan { resume_key: "another".to_owned(), ..draft.plan() }
}

#[test]
fn a_step_that_another_plan_changed_no_longer_counts_as_done() {
    // The other run ends, or is interrupted later, or deploys only the stack.
    for seconds in [TO_THE_END, 119, 30] {
        let runs = Runs::new();
        start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND);
        assert_eq!(start(&runs.path(), "r2", &another(), seconds).run, "r2");
        let back = start(&runs.path(), "r3", &plan("p"), TO_THE_END);
        assert_eq!((back.run.as_str(), back.did()), ("r1", vec!["A", "seed", "B", "C"]), "{seconds} s");
        assert_eq!(back.again, [("seed".to_owned(), false)]);
    }
}

#[test]
fn a_resumption_of_another_plan_counts_as_a_later_change() {
    let runs = Runs::new();
    start(&runs.path(), "r1", &another(), 30);
    start(&runs.path(), "r2", &plan("p"), AFTER_THE_COMMAND);
    // The older run is resumed after the newer one was interrupted, and runs its command.
    assert_eq!(start(&runs.path(), "r3", &another(), TO_THE_END).run, "r1");
    assert_eq!(start(&runs.path(), "r4", &plan("p"), TO_THE_END).did(), ["A", "seed", "B", "C"]);
}

#[test]
fn earlier_work_of_another_run_repeats_no_step() {
    let runs = Runs::new();
    start(&runs.path(), "r1", &another(), TO_THE_END);
    start(&runs.path(), "r2", &plan("p"), AFTER_THE_COMMAND);
    assert_eq!(start(&runs.path(), "r3", &plan("p"), TO_THE_END).did(), ["C"]);
}

#[test]
fn a_plan_of_other_stacks_does_not_affect_an_interrupted_run() {
    let runs = Runs::new();
    start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND);
    let mut draft = Draft::new();
    let other = draft.stack("Other", 60, &[]);
    draft.command("other", 60, &[other]);
    let other = Plan { resume_key: "other".to_owned(), ..draft.plan() };
    assert_eq!(start(&runs.path(), "r2", &other, TO_THE_END).did(), ["Other", "other"]);
    assert_eq!(start(&runs.path(), "r3", &plan("p"), TO_THE_END).did(), ["C"]);
}

/// Names of runs begin with the time of the machine's clock, which may be wrong.
#[test]
fn runs_are_ordered_by_their_starts_even_if_the_clock_was_wrong() {
    let runs = Runs::new();
    start(&runs.path(), "2099", &plan("p"), TO_THE_END);
    // The clock was corrected, and later it jumped back.
    for name in ["2026", "2001"] {
        let started = start(&runs.path(), name, &plan("p"), AFTER_THE_COMMAND);
        assert_eq!((started.run.as_str(), started.did()), (name, vec!["A", "seed"]));
        let again = start(&runs.path(), "unused", &plan("p"), TO_THE_END);
        assert_eq!((again.run.as_str(), again.did()), (name, vec!["C"]));
    }
}

#[test]
fn the_order_survives_the_loss_of_its_log() {
    let runs = Runs::new();
    start(&runs.path(), "2099", &plan("p"), TO_THE_END);
    start(&runs.path(), "2026", &plan("p"), AFTER_THE_COMMAND);
    fs_err::remove_file(runs.path().join("order.log")).unwrap();
    let again = start(&runs.path(), "unused", &plan("p"), TO_THE_END);
    assert_eq!((again.run.as_str(), again.did()), ("2026", vec!["C"]));
    let next = start(&runs.path(), "2027", &plan("p"), AFTER_THE_COMMAND);
    assert_eq!(next.run, "2027");
    assert_eq!(start(&runs.path(), "unused", &plan("p"), TO_THE_END).run, "2027");
}

#[test]
fn a_journal_without_order_and_identities_is_resumed() {
    let runs = Runs::new();
    start(&runs.path(), "r1", &plan("p"), AFTER_THE_COMMAND);
    let path = runs.path().join("r1/journal.jsonl");
    let old: String = fs_err::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| {
            let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().remove("order");
            for step in event["steps"].as_array_mut().into_iter().flatten() {
                step.as_object_mut().unwrap().remove("identity").unwrap();
            }
            event.to_string()
        })
        .collect::<Vec<_>>()
        .join("\n")
        + "\n";
    assert!(!old.contains("identity") && !old.contains("\"order\""));
    fs_err::write(&path, old).unwrap();
    fs_err::remove_file(runs.path().join("order.log")).unwrap();
    let again = start(&runs.path(), "r2", &plan("p"), TO_THE_END);
    assert_eq!((again.run.as_str(), again.did()), ("r1", vec!["C"]));
}

/// Reports the resource of X at once. The first part of the run sends X, and later parts only wait for it.
struct Adopts;

impl Perform for Adopts {
    async fn perform(&self, context: StepContext) -> Ended {
        let (step, was_sent) = (context.step(), context.was_done_earlier());
        if was_sent && step.id == "deploy:Y" {
            return Ended::new(Outcome::Unchanged);
        }
        if !was_sent {
            context.submitting("create", "token").await;
        }
        context.progress(ResourceProgress {
            logical_id: "Parameter".to_owned(),
            resource_type: String::new(),
            status: ResourceStatus::CreateComplete,
            reason: None,
            done: 1,
            total: 1,
            unconfirmed: false,
            happened_at: context.now(),
        });
        tokio::select! {
            biased;
            () = context.stopped() => Ended::new(Outcome::Interrupted),
            () = tokio::time::sleep(step.expected) => Ended::new(Outcome::Deployed),
        }
    }
}

#[test]
fn an_early_started_step_counts_as_done_while_its_producer_still_runs() {
    let mut draft = Draft::new();
    let x = draft.stack("X", 100, &[]);
    let y = draft.stack("Y", 10, &[x]);
    draft.until(y, x, &["Parameter"]);
    draft.stack("Z", 600, &[x]);
    let (plan, runs) = (draft.plan(), Runs::new());
    start_performed(&runs.path(), "r1", &plan, 50, Adopts);
    start_performed(&runs.path(), "r2", &plan, 200, Adopts);
    let unfinished = Journal::find_unfinished(&runs.path(), &plan).unwrap().unwrap();
    let done: Vec<&String> = unfinished.earlier.done.keys().collect();
    assert_eq!(done, ["deploy:X", "deploy:Y", "deploy:Z"]);
}

/// Sends an operation that AWS refuses, while another step still runs.
struct RefusesOne;

impl Perform for RefusesOne {
    async fn perform(&self, context: StepContext) -> Ended {
        if context.step().id != "deploy:Refused" {
            context.stopped().await;
            return Ended::new(Outcome::Interrupted);
        }
        context.submitting("create", "token").await;
        let (at, message) = (Some("CreateStack".to_owned()), "AccessDenied".to_owned());
        Ended::failed(Cause { at, message, hint: None, preflight: true, ..Cause::default() })
    }
}

#[test]
fn an_operation_that_aws_refused_before_the_kill_changed_nothing() {
    let mut draft = Draft::new();
    draft.stack("Refused", 10, &[]);
    draft.stack("Slow", 600, &[]);
    let (plan, runs) = (draft.plan(), Runs::new());
    start_performed(&runs.path(), "r1", &plan, 100, RefusesOne);
    // A killed process has not written the last event.
    let journal = paceline_engine::journal_path(&runs.path(), "r1");
    let text = fs_err::read_to_string(&journal).unwrap();
    let (before, _) = text.trim_end().rsplit_once('\n').unwrap();
    fs_err::write(&journal, format!("{before}\n")).unwrap();
    let unfinished = Journal::find_unfinished(&runs.path(), &plan).unwrap().unwrap();
    assert!(!unfinished.earlier.touched);
}

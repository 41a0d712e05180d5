//! The list of earlier runs, and the comparison of two.

use paceline_engine::event::{Event, Fact, Outcome};
use paceline_plan::StepOperation;
use paceline_plan::history::{Entry, History};
use paceline_report::{HistoryEntries, PastRun, RunComparison, Style, list_json, list_text};

use crate::journal::{Journal, failed};

/// A run in which each stack takes so many seconds, under a name of its own.
fn run(name: &str, day: i64, stacks: &[(&str, u64)]) -> Vec<Event> {
    let mut journal = Journal::default();
    for (stack, _) in stacks {
        journal.stack(stack, "us-east-1", &[], 0.0);
    }
    journal.run_started(0, false);
    let mut end = 0;
    for (stack, took) in stacks {
        let id = format!("deploy:{stack}");
        journal.begin(&id, 0, 0);
        journal.turned(&id, 0, "UPDATE_IN_PROGRESS");
        journal.turned(&id, *took, "UPDATE_COMPLETE");
        journal.end(&id, *took, *took, Outcome::Deployed);
        end = end.max(*took);
    }
    journal.run_finished(end, 0, 0);
    named(journal.events(), name, day)
}

fn named(mut events: Vec<Event>, name: &str, day: i64) -> Vec<Event> {
    for event in &mut events {
        name.clone_into(&mut event.run);
        event.at += jiff::SignedDuration::from_hours(24 * day);
    }
    events
}

fn history(runs: &[Vec<Event>]) -> History {
    let mut history = History::default();
    for events in runs {
        let mut entries = HistoryEntries::default();
        for event in events {
            entries.apply(event);
        }
        history.extend(entries.entries().to_vec());
    }
    history
}

/// Four runs alike, then one in which `Api` takes far longer, `Web` a little longer, and `New` is there.
fn five_runs() -> Vec<Vec<Event>> {
    let mut runs: Vec<_> = (0..4u32)
        .map(|n| {
            run(
                &format!("run-{n}"),
                i64::from(n),
                &[("Api", 60 + u64::from(n)), ("Web", 100 + 10 * u64::from(n)), ("Db", 300)],
            )
        })
        .collect();
    runs.push(run("run-4", 4, &[("Api", 120), ("Web", 125), ("Db", 302), ("New", 40)]));
    runs
}

fn compare(runs: &[Vec<Event>], first: usize, second: usize) -> RunComparison {
    let past = |n: usize| PastRun::of(&runs[n]).unwrap();
    RunComparison::of(&past(first), &past(second), &history(runs))
}

#[test]
fn a_step_is_slower_than_usual_only_outside_the_spread_of_earlier_runs() {
    insta::assert_snapshot!("runs_compared", compare(&five_runs(), 3, 4).text(Style::default()));
}

#[test]
fn without_enough_earlier_runs_no_difference_is_called_unusual() {
    let text = compare(&five_runs(), 0, 1).text(Style::default());
    assert!(!text.contains("than usual"), "{text}");
    assert!(text.contains("Different, with fewer than 3 earlier runs to compare with\n  Web"), "{text}");
}

#[test]
fn the_json_of_a_comparison_has_every_step() {
    let json: serde_json::Value = serde_json::from_str(&compare(&five_runs(), 3, 4).json()).unwrap();
    let steps = json["steps"].as_array().unwrap();
    let unusual: Vec<_> =
        steps.iter().filter(|step| step["unusual"] == true).filter_map(|it| it["step"].as_str()).collect();
    assert_eq!((steps.len(), unusual), (3, vec!["Api in us-east-1"]));
    assert_eq!(json["only_in_second"][0]["step"], "New in us-east-1");
    assert_eq!(json["seconds"], serde_json::json!([300.0, 302.0]));
}

#[test]
fn the_list_says_how_each_run_ended() {
    let mut journal = Journal::default();
    journal.stack("Api", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal.step("deploy:Api", 0, 0, 20, failed("Role", "no", "try"));
    journal.run_finished(20, 0, 1);
    let runs = [
        PastRun::of(&named(journal.events(), "run-b", 1)).unwrap(),
        PastRun::of(&run("run-a", 0, &[("Api", 60), ("Web", 100)])).unwrap(),
    ];
    insta::assert_snapshot!("runs_listed", list_text(&runs, Style::default()));
    let json: serde_json::Value = serde_json::from_str(&list_json(&runs)).unwrap();
    assert_eq!(json["runs"][0]["status"], "failed");
    assert_eq!(json["runs"][1]["stacks"], serde_json::json!({ "deployed": 2 }));
}

#[test]
fn a_cell_that_is_too_wide_goes_on_below_itself() {
    let runs = [PastRun::of(&run("run-a", 0, &[("Api", 60), ("Web", 100)])).unwrap()];
    let text = list_text(&runs, Style { color: false, width: Some(52) });
    let lines: Vec<&str> = text.lines().collect();
    let [head, unit, first, rest] = lines[..] else { panic!("not four lines: {text}") };
    let started = head.find("STARTED");
    assert_eq!([unit.find("(UTC)"), first.find("2025"), rest.find("08:30")], [started; 3], "{text}");
}

#[test]
fn a_run_without_a_journal_is_known_from_the_history() {
    let events = run("run-a", 0, &[("Api", 60), ("Web", 100)]);
    let shared = history(std::slice::from_ref(&events));
    let [known] = &PastRun::of_history(&shared)[..] else { panic!("not one run") };
    let journal = PastRun::of(&events).unwrap();
    assert_eq!((&known.run, known.status, known.took), (&journal.run, journal.status, journal.took));
    assert_eq!(known.stacks, journal.stacks);
}

#[test]
fn a_run_that_deployed_and_deleted_is_no_deletion() {
    let shared = history(&[run("run-a", 0, &[("Api", 60), ("Web", 100)])]);
    let entries: Vec<Entry> = shared.runs()["run-a"].iter().map(|&entry| entry.clone()).collect();
    let with_deleted = |names: &[&str]| {
        let mut entries = entries.clone();
        for entry in entries.iter_mut().filter(|entry| names.contains(&entry.name.as_str())) {
            entry.operation = StepOperation::Delete;
        }
        let mut history = History::default();
        history.extend(entries);
        PastRun::of_history(&history)[0].deletes
    };
    assert_eq!(
        [with_deleted(&[]), with_deleted(&["Api"]), with_deleted(&["Api", "Web"])],
        [false, false, true]
    );
}

#[test]
fn the_history_does_not_say_where_an_app_is_on_a_machine() {
    let mut events = run("run-a", 0, &[("Api", 60)]);
    for event in &mut events {
        if let Fact::RunStarted(started) = &mut event.fact {
            started.app = "/home/someone/shop/cdk.out".to_owned();
        }
    }
    let [known] = &PastRun::of_history(&history(&[events]))[..] else { panic!("not one run") };
    assert_eq!(known.app, "cdk.out");
}

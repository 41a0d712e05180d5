//! The journal on disk, and what a kill, another process or another version may leave behind in it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_engine::{Event, EventFile, Journal, JournalError, RunOptions, read_events, run, runs_in};
use paceline_plan::Plan;

use crate::draft::Draft;
use crate::script::{Script, options, paused};

const PLAN: &str = "0123456789abcdef";

fn plan() -> Plan {
    Plan { resume_key: PLAN.to_owned(), ..Draft::new().plan() }
}

pub(crate) struct Runs {
    folder: tempfile::TempDir,
}

impl Runs {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join("runs")).unwrap()
    }

    fn file(&self, run: &str) -> Utf8PathBuf {
        self.path().join(run).join("journal.jsonl")
    }

    /// Runs a plan of two stacks until its deadline, with its own journal.
    fn ran(&self, name: &str, digest: &str, seconds: u64) -> Vec<Event> {
        let mut draft = Draft::new();
        let a = draft.stack("A", 60, &[]);
        draft.stack("B", 60, &[a]);
        self.ran_plan(name, Plan { resume_key: digest.to_owned(), ..draft.plan() }, seconds)
    }

    fn ran_plan(&self, name: &str, plan: Plan, seconds: u64) -> Vec<Event> {
        let mut journal = Journal::create(&self.path(), name).unwrap();
        let deadline = Some(Duration::from_secs(seconds));
        let options = RunOptions { id: name.to_owned(), deadline, order: Some(journal.order), ..options() };
        let mut record = |event: &Event| journal.append(event);
        paused(run(Arc::new(plan), Arc::new(Script::default()), options, &mut record)).unwrap();
        read_events(&self.file(name)).unwrap()
    }

    fn append(&self, run: &str, text: &str) {
        OpenOptions::new().append(true).open(self.file(run)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn text(&self, run: &str) -> String {
        fs_err::read_to_string(self.file(run)).unwrap()
    }

    /// Cuts the last `lines` lines off a journal.
    fn cut(&self, run: &str, lines: usize) {
        let text = self.text(run);
        let kept: Vec<&str> = text.split_inclusive('\n').collect();
        fs_err::write(self.file(run), kept[..kept.len() - lines].concat()).unwrap();
    }

    fn found(&self) -> Option<String> {
        Journal::find_unfinished(&self.path(), &plan()).unwrap().map(|unfinished| unfinished.run)
    }
}

#[test]
fn appended_events_are_read_back() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 1000);
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=8).collect::<Vec<u64>>());
    assert_eq!(runs.text("r1").lines().count(), 8);
}

#[test]
fn an_interrupted_or_killed_run_is_found_and_an_ended_one_is_not() {
    let runs = Runs::new();
    assert_eq!(runs.found(), None);
    runs.ran("r1", PLAN, 70);
    assert_eq!(runs.found().as_deref(), Some("r1"));
    // The newest run counts.
    runs.ran("r2", PLAN, 1000);
    assert_eq!(runs.found(), None);
    runs.cut("r2", 1);
    assert_eq!(runs.found().as_deref(), Some("r2"));
}

#[test]
fn runs_of_other_plans_and_other_folders_are_ignored() {
    let runs = Runs::new();
    runs.ran("r1", PLAN, 70);
    runs.ran("r2", "another", 70);
    Journal::create(&runs.path(), "r3").unwrap();
    fs_err::create_dir_all(runs.path().join("r4")).unwrap();
    fs_err::write(runs.path().join("r5"), "not a folder").unwrap();
    fs_err::create_dir_all(runs.path().join("r6")).unwrap();
    fs_err::write(runs.file("r6"), "not a journal\n{").unwrap();
    assert_eq!(runs.found().as_deref(), Some("r1"));
}

/// The run of another app may be in progress. Its journal is not changed, not even to cut off an incomplete
/// line.
#[test]
fn the_journal_of_another_plan_is_left_alone() {
    let runs = Runs::new();
    runs.ran("r1", "another", 70);
    runs.append("r1", r#"{"schema":1,"ru"#);
    let before = runs.text("r1");
    assert_eq!(runs.found(), None);
    assert_eq!(runs.text("r1"), before);
}

#[test]
fn the_journal_of_a_run_in_progress_is_busy_and_left_alone() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 70);
    let unfinished = Journal::find_unfinished(&runs.path(), &plan()).unwrap().unwrap();
    runs.append("r1", r#"{"schema":1,"ru"#);
    let before = runs.text("r1");
    let error = Journal::find_unfinished(&runs.path(), &plan()).unwrap_err();
    assert!(matches!(error, JournalError::Busy { .. }), "{error}");
    assert_eq!(runs.text("r1"), before);
    // Reading is always allowed, because reports are made while the run is in progress.
    assert_eq!(read_events(&runs.file("r1")).unwrap(), events);
    drop(unfinished);
    assert_eq!(runs.found().as_deref(), Some("r1"));
}

#[test]
fn a_journal_that_grows_gives_each_event_once_and_whole() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 70);
    let text = runs.text("r1");
    let file = runs.path().join("growing.jsonl");
    let mut growing = EventFile::new(&file);
    assert!(matches!(growing.next_events(), Err(JournalError::Io { .. })));
    let mut read = Vec::new();
    for end in (0..text.len()).step_by(100).chain([text.len()]) {
        fs_err::write(&file, &text[..end]).unwrap();
        read.extend(growing.next_events().unwrap());
    }
    assert_eq!(read, events);
    assert_eq!(growing.next_events().unwrap(), []);
}

#[test]
fn a_new_run_is_busy_until_its_journal_is_dropped_and_its_name_is_taken() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 70);
    let mut journal = Journal::create(&runs.path(), "r2").unwrap();
    journal.append(&events[0]).unwrap();
    let error = Journal::find_unfinished(&runs.path(), &plan()).unwrap_err();
    assert!(matches!(error, JournalError::Busy { .. }), "{error}");
    let error = Journal::create(&runs.path(), "r2").unwrap_err();
    assert!(matches!(error, JournalError::Busy { .. }), "{error}");
    drop(journal);
    assert_eq!(runs.found().as_deref(), Some("r2"));
}

#[test]
fn an_incomplete_last_line_is_neither_read_nor_continued() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 70);
    let whole = runs.text("r1");
    runs.append("r1", r#"{"schema":1,"run":"r1","se"#);
    assert_eq!(read_events(&runs.file("r1")).unwrap(), events);
    let unfinished = Journal::find_unfinished(&runs.path(), &plan()).unwrap().unwrap();
    let (mut journal, found) = unfinished.into_parts();
    assert_eq!((found, runs.text("r1")), (events.clone(), whole.clone()));
    journal.append(&events[0]).unwrap();
    assert!(runs.text("r1").starts_with(&whole));
    assert_eq!(read_events(&runs.file("r1")).unwrap().len(), events.len() + 1);
}

/// A kill can happen at any byte. Until the first line is complete, the run has done nothing and is not
/// found.
#[test]
fn a_journal_can_be_cut_off_anywhere() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 1000);
    let whole = runs.text("r1");
    let is_worth_it = |&length: &usize| length % 29 == 0 || whole[..length].ends_with('\n');
    for length in (0..whole.len()).filter(is_worth_it) {
        fs_err::write(runs.file("r1"), &whole[..length]).unwrap();
        let lines = whole[..length].matches('\n').count();
        let found = Journal::find_unfinished(&runs.path(), &plan()).unwrap();
        assert_eq!(found.is_some(), lines > 0);
        let found = found.map(|unfinished| (unfinished.earlier.seq, unfinished.into_parts().1));
        let (seq, found) = found.unwrap_or_default();
        assert_eq!((seq, found.as_slice()), (lines as u64, &events[..lines]));
    }
}

#[test]
fn an_error_names_the_line_that_is_no_event() {
    let runs = Runs::new();
    let count = runs.ran("r1", PLAN, 70).len();
    runs.append("r1", "\nnot an event\n");
    for error in [
        read_events(&runs.file("r1")).unwrap_err(),
        Journal::find_unfinished(&runs.path(), &plan()).unwrap_err(),
    ] {
        // The empty line counts as a line.
        assert_eq!(error.to_string(), format!("{}:{}: not an event", runs.file("r1"), count + 2));
    }
}

#[test]
fn a_known_kind_with_the_wrong_fields_is_no_event() {
    let runs = Runs::new();
    let count = runs.ran("r1", PLAN, 70).len();
    runs.append(
        "r1",
        r#"{"schema":1,"run":"r1","seq":9,"at":"2026-01-01T00:00:00Z","event":"run.stopping"}"#,
    );
    runs.append("r1", "\n");
    let error = read_events(&runs.file("r1")).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt { line, .. } if line == count + 1), "{error}");
}

#[test]
fn events_of_newer_kinds_are_ignored_but_counted() {
    let runs = Runs::new();
    let events = runs.ran("r1", PLAN, 70);
    let seq = events.len() + 1;
    runs.append(
        "r1",
        &format!(r#"{{"schema":1,"run":"r1","seq":{seq},"at":0,"event":"run.paused","why":[]}}"#),
    );
    runs.append("r1", "\n");
    assert_eq!(read_events(&runs.file("r1")).unwrap(), events);
    let unfinished = Journal::find_unfinished(&runs.path(), &plan()).unwrap().unwrap();
    assert_eq!(unfinished.earlier.seq, seq as u64);
}

#[test]
fn a_newer_format_is_refused_with_an_explanation() {
    let runs = Runs::new();
    runs.ran("r1", PLAN, 70);
    for line in [
        r#"{"schema":2,"run":"r1","seq":9,"at":"2026-01-01T00:00:00Z","event":"run.stopping","reason":"r"}"#,
        r#"{"schema":2,"run":"r1","seq":9,"event":"run.paused"}"#,
    ] {
        let old = runs.text("r1");
        runs.append("r1", &format!("{line}\n"));
        let error = read_events(&runs.file("r1")).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "a newer version wrote it, with schema 2");
        fs_err::write(runs.file("r1"), old).unwrap();
    }
}

#[test]
fn a_journal_is_discarded_only_while_it_is_empty() {
    let runs = Runs::new();
    Journal::create(&runs.path(), "r1").unwrap().discard_if_empty();
    assert!(!runs.path().join("r1").exists());
    let events = runs.ran("r2", PLAN, 70);
    let unfinished = Journal::find_unfinished(&runs.path(), &plan()).unwrap().unwrap();
    unfinished.into_parts().0.discard_if_empty();
    assert_eq!(read_events(&runs.file("r2")).unwrap(), events);
}

#[test]
fn the_latest_run_is_first_and_is_the_one_that_was_started_last_and_has_a_journal() {
    let runs = Runs::new();
    assert_eq!(runs_in(&runs.path()).unwrap(), [""; 0]);
    for name in ["2099", "2026"] {
        runs.ran(name, PLAN, 200);
    }
    fs_err::create_dir(runs.path().join("3000")).unwrap();
    assert_eq!(runs_in(&runs.path()).unwrap(), ["2026", "2099"]);
}

#[test]
fn an_error_names_the_missing_file() {
    let error = read_events(Utf8Path::new("/nowhere/journal.jsonl")).unwrap_err();
    assert_eq!(error.to_string(), "cannot use the journal /nowhere/journal.jsonl");
}

/// A plan of two stacks with these digests of their templates. The second stack may wait for a synthesis.
fn late(synthesizes: bool, a: &str, b: &str) -> Plan {
    let mut draft = Draft::new();
    let mut before = draft.stack("A", 60, &[]);
    if synthesizes {
        before = draft.synthesis("app", 1, 30, &[before]);
    }
    draft.stack("B", 60, &[before]);
    let mut plan = Plan { resume_key: format!("{synthesizes}{a}{b}"), ..draft.plan() };
    for (stack, template) in plan.stacks.iter_mut().zip([a, b]) {
        template.clone_into(&mut stack.template);
    }
    plan
}

#[test]
fn a_run_is_resumed_after_the_synthesis_in_its_middle() {
    let runs = Runs::new();
    runs.ran_plan("r1", late(true, "a", "held back"), 100);
    let found = |plan: &Plan| {
        Journal::find_unfinished(&runs.path(), plan).unwrap().map(|unfinished| unfinished.earlier.done.len())
    };
    assert_eq!(found(&late(false, "a", "found")), Some(2), "A and the synthesis are done");
    assert_eq!(found(&late(false, "changed", "found")), None, "A is another");
    let mut other = Draft::new();
    other.stack("A", 60, &[]);
    let mut other = other.plan();
    (other.resume_key, other.stacks[0].template) = ("other".to_owned(), "a".to_owned());
    assert_eq!(found(&other), None, "B is gone");
}

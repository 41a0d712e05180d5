//! Runs of other machines in a folder of runs.

use camino::Utf8Path;
use paceline_engine::{FetchedRun, JournalError, import, join_parts, journal_path, runs_in};
use serde_json::{Value, json};

use crate::journal::Runs;

fn event(seq: u64, kind: &str, at: &str) -> String {
    let event =
        json!({ "schema": 1, "run": "r", "seq": seq, "at": at, "event": kind, "order": 1, "plan": "p" });
    format!("{event}\n")
}

fn start(seq: u64, at: &str) -> String {
    event(seq, "run.started", at)
}

/// An event whose text is different from that of another process.
fn other(seq: u64, by: &str) -> String {
    event(seq, "later.kind", "2026-01-01T00:00:00.000Z").replace("\"p\"", &format!("\"{by}\""))
}

fn joined(parts: &[&[String]]) -> String {
    let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.concat().into_bytes()).collect();
    String::from_utf8(join_parts(&parts)).unwrap()
}

const EARLY: &str = "2026-01-01T00:00:00.000Z";
const LATE: &str = "2026-01-01T01:00:00.000Z";

#[test]
fn a_part_follows_the_part_before() {
    let first = [start(1, EARLY), other(2, "a")];
    let second = [start(3, LATE), other(4, "b")];
    assert_eq!(joined(&[&first, &second]), [&first[..], &second[..]].concat().concat());
}

#[test]
fn a_part_may_begin_with_the_events_before_it() {
    let first = [start(1, EARLY), other(2, "a")];
    let whole = [start(1, EARLY), other(2, "a"), other(3, "a"), start(4, LATE)];
    assert_eq!(joined(&[&first, &whole]), whole.concat());
    // The process was killed before it had written the beginning again.
    let longer = [start(1, EARLY), other(2, "a"), other(3, "a")];
    assert_eq!(joined(&[&longer, &first]), longer.concat());
}

#[test]
fn what_a_process_wrote_after_another_had_continued_the_run_is_left_out() {
    let first = [start(1, EARLY), other(2, "a"), other(3, "a"), other(4, "a"), other(5, "a")];
    let second = [start(3, LATE), other(4, "b")];
    assert_eq!(joined(&[&first, &second]), [&first[..2], &second[..]].concat().concat());
}

#[test]
fn what_follows_a_gap_or_is_no_event_is_left_out() {
    let part =
        [start(1, EARLY), "garbage\n".to_owned(), other(2, "a"), other(4, "a"), "{\"seq\":3".to_owned()];
    assert_eq!(joined(&[&part]), [start(1, EARLY), other(2, "a")].concat());
}

fn run(name: &str, lines: &[String]) -> FetchedRun {
    FetchedRun {
        run: name.to_owned(),
        journal: lines.concat().into_bytes(),
        captures: Vec::new(),
        prepared: Vec::new(),
    }
}

fn orders(runs: &Utf8Path, run: &str) -> Vec<u64> {
    let text = fs_err::read_to_string(journal_path(runs, run)).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["event"] == "run.started")
        .map(|event| event["order"].as_u64().unwrap())
        .collect()
}

#[test]
fn starts_are_numbered_by_their_times_over_all_runs() {
    let folder = Runs::new();
    let runs = folder.path();
    let first = run("a", &[start(1, EARLY), start(2, "2026-01-01T03:00:00.000Z")]);
    import(&runs, &[first, run("b", &[start(1, LATE)])]).unwrap();
    assert_eq!((orders(&runs, "a"), orders(&runs, "b")), (vec![1, 3], vec![2]));
    assert_eq!(runs_in(&runs).unwrap(), ["a", "b"], "the run that was continued last comes first");
    // They count as later than all starts that the folder knows.
    import(&runs, &[run("c", &[start(1, EARLY)])]).unwrap();
    assert_eq!(orders(&runs, "c"), [4]);
}

#[test]
fn a_run_is_replaced_only_by_a_longer_one() {
    let folder = Runs::new();
    let runs = folder.path();
    let long = [start(1, EARLY), other(2, "a"), other(3, "a")];
    import(&runs, &[run("r", &long[..2])]).unwrap();
    import(&runs, &[run("r", &long)]).unwrap();
    let text = || fs_err::read_to_string(journal_path(&runs, "r")).unwrap();
    assert_eq!(text().lines().count(), 3);
    import(&runs, &[run("r", &long[..2])]).unwrap();
    assert_eq!(text().lines().count(), 3);
}

#[test]
fn a_run_that_a_process_works_on_is_not_replaced() {
    let folder = Runs::new();
    let journal = paceline_engine::Journal::create(&folder.path(), "r").unwrap();
    let busy = import(&folder.path(), &[run("r", &[start(1, EARLY)])]);
    assert!(matches!(busy, Err(JournalError::Busy { .. })), "{busy:?}");
    drop(journal);
}

#[test]
fn names_that_leave_the_folder_are_left_out() {
    let folder = Runs::new();
    let runs = folder.path();
    let captures = ["../../stolen", "/tmp/stolen", ".hidden", "S-1.json"];
    let captures = captures.map(|name| (name.to_owned(), b"{}".to_vec())).to_vec();
    let fetched = ["..", "../r", "a/b", "", "r"]
        .map(|name| FetchedRun { captures: captures.clone(), ..run(name, &[start(1, EARLY)]) });
    import(&runs, &fetched).unwrap();
    assert_eq!(runs_in(&runs).unwrap(), ["r"]);
    let found = runs.join("r/captures").read_dir_utf8().unwrap().map(|it| it.unwrap().file_name().to_owned());
    assert_eq!(found.collect::<Vec<_>>(), ["S-1.json"]);
}

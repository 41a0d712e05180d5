//! The lines of the history that a run's events come to, and the file they go to.

use jiff::Timestamp;
use paceline_engine::event::{AssetKind, Event, Fact, Limit, LimitWait, Outcome, RunStarted, StepKind};
use paceline_plan::StepOperation;
use paceline_plan::history::{ELSEWHERE, Entry, HistoryKind};
use paceline_report::{HistoryEntries, add_history, read_history};

use crate::journal::{Journal, failed, found};
use crate::runs;

fn entries(events: &[Event]) -> Vec<Entry> {
    let mut entries = HistoryEntries::default();
    for event in events {
        entries.apply(event);
    }
    entries.entries().to_vec()
}

/// `step: operation seconds`.
fn shown(events: &[Event]) -> Vec<String> {
    let shown = |entry: &Entry| format!("{}: {:?} {}", entry.step, entry.operation, entry.seconds);
    let of_steps = entries(events).into_iter().filter(|entry| entry.kind != HistoryKind::Run);
    of_steps.map(|entry| shown(&entry)).collect()
}

#[test]
fn what_was_done_is_in_the_history_and_what_went_wrong_is_not() {
    let mut journal = Journal::default();
    for id in ["New", "Same", "Broken", "After"] {
        journal.stack(id, "us-east-1", &[], 0.0);
    }
    journal.gate("New");
    journal.asset("site");
    journal.other("command", "tidy", &["deploy:New"]);
    journal.run_started(0, false);
    journal.step("publish:site", 0, 0, 3, Outcome::Unchanged);
    journal.step("deploy:New", 0, 0, 90, Outcome::Deployed);
    journal.step("gate:iam-roles:New", 90, 90, 102, found("2 roles usable"));
    journal.step("command:tidy", 90, 90, 95, Outcome::Deployed);
    journal.step("deploy:Same", 0, 0, 2, Outcome::Unchanged);
    journal.step("deploy:Broken", 0, 0, 40, failed("Bucket", "no", "try"));
    journal.never("deploy:After", 40, Outcome::Skipped, Some("deploy:Broken"));
    journal.run_finished(102, 0, 1);
    assert_eq!(
        shown(&journal.events()),
        [
            "deploy:Same: Unchanged 2",
            "publish:site: Unchanged 3",
            "deploy:New: Create 90",
            "command:tidy: Done 5",
            "gate:iam-roles:New: Done 12",
        ]
    );
}

#[test]
fn by_way_of_a_change_set_the_stack_itself_says_whether_it_is_new() {
    let mut journal = Journal::default();
    journal.stack("A", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal.begin("deploy:A", 0, 0);
    journal.progress("deploy:A", 1, ("Bucket", "AWS::S3::Bucket"), "CREATE_COMPLETE", 1);
    journal.progress("deploy:A", 2, ("A", "AWS::CloudFormation::Stack"), "UPDATE_IN_PROGRESS", 1);
    journal.end("deploy:A", 60, 60, Outcome::Deployed);
    journal.run_finished(60, 0, 0);
    assert_eq!(shown(&journal.events()), ["deploy:A: Update 60"]);
}

/// The stacks of a journal in which `A` is deployed.
fn journal() -> Journal {
    let mut journal = Journal::default();
    journal.stack("A", "us-east-1", &[], 0.0);
    journal.run_started(0, false);
    journal
}

/// The first part of a run, stopped while `A` is being created: sent at 10, begun at 12.
fn interrupted() -> Journal {
    let mut journal = journal();
    journal.begin("deploy:A", 10, 10);
    journal.stack_said("A", 15, "CREATE_IN_PROGRESS", 12);
    journal.end("deploy:A", 30, 20, Outcome::Interrupted);
    journal.run_finished(30, 0, 4);
    journal
}

fn found_done(journal: &mut Journal, at: u64) {
    journal.end("deploy:A", at, 2, Outcome::Deployed);
    let facts = journal.facts_mut();
    let Some((_, Fact::StepFinished(finished))) = facts.last_mut() else { panic!("it has not ended") };
    finished.resumed = true;
}

#[test]
fn a_stack_that_was_interrupted_in_between_took_as_long_as_it_says_itself() {
    let mut journal = interrupted();
    journal.run_started(1000, true);
    journal.started("deploy:A", 1000);
    // Its events are read again from the start of the operation.
    journal.stack_said("A", 1005, "CREATE_IN_PROGRESS", 12);
    journal.stack_said("A", 1500, "CREATE_COMPLETE", 1492);
    journal.end("deploy:A", 1501, 501, Outcome::Deployed);
    journal.run_finished(1501, 1000, 0);
    assert_eq!(shown(&journal.events()), ["deploy:A: Create 1480"]);
}

#[test]
fn a_stack_that_ended_while_nobody_watched_took_as_long_as_it_says_itself() {
    for parts in [1000, 2000] {
        let mut journal = interrupted();
        // A part that was interrupted at once, or none.
        if parts == 2000 {
            journal.run_started(1000, true);
            journal.started("deploy:A", 1000);
            journal.end("deploy:A", 1001, 1, Outcome::Interrupted);
            journal.run_finished(1001, 1000, 4);
        }
        journal.run_started(parts, true);
        journal.started("deploy:A", parts);
        journal.stack_said("A", parts + 1, "CREATE_COMPLETE", 312);
        found_done(&mut journal, parts + 2);
        journal.run_finished(parts + 2, parts, 0);
        assert_eq!(shown(&journal.events()), ["deploy:A: Create 300"]);
    }
}

#[test]
fn a_stack_that_does_not_say_when_it_ended_has_no_time() {
    let mut journal = interrupted();
    journal.run_started(1000, true);
    journal.started("deploy:A", 1000);
    found_done(&mut journal, 1002);
    journal.run_finished(1002, 1000, 0);
    assert_eq!(shown(&journal.events()), [""; 0]);
}

#[test]
fn what_had_been_done_before_the_interruption_is_told_once() {
    let mut journal = journal();
    journal.begin("deploy:A", 10, 10);
    journal.stack_said("A", 15, "CREATE_IN_PROGRESS", 12);
    journal.stack_said("A", 20, "CREATE_COMPLETE", 19);
    journal.end("deploy:A", 20, 10, Outcome::Deployed);
    journal.run_started(1000, true);
    journal.started("deploy:A", 1000);
    found_done(&mut journal, 1002);
    assert_eq!(shown(&journal.events()), ["deploy:A: Create 10"]);
}

#[test]
fn of_a_stack_that_was_tried_again_the_last_attempt_counts() {
    let mut journal = journal();
    journal.begin("deploy:A", 0, 0);
    journal.stack_said("A", 1, "CREATE_IN_PROGRESS", 1);
    journal.stack_said("A", 100, "ROLLBACK_COMPLETE", 100);
    journal.retried("deploy:A", 100, 2, "the role is not usable yet");
    journal.submitted("deploy:A", 120, "delete");
    journal.submitted("deploy:A", 130, "create");
    journal.end("deploy:A", 190, 190, Outcome::Deployed);
    assert_eq!(shown(&journal.events()), ["deploy:A: Create 60"]);
}

#[test]
fn a_stack_that_was_continued_from_its_failure_has_no_time() {
    let mut journal = journal();
    journal.begin("deploy:A", 0, 0);
    journal.stack_said("A", 1, "CREATE_IN_PROGRESS", 1);
    journal.stack_said("A", 100, "CREATE_FAILED", 100);
    journal.continued("deploy:A", 100, (2, 3), 90.0);
    journal.submitted("deploy:A", 110, "update");
    journal.stack_said("A", 111, "UPDATE_IN_PROGRESS", 111);
    journal.stack_said("A", 130, "UPDATE_COMPLETE", 130);
    journal.end("deploy:A", 131, 131, Outcome::Deployed);
    assert_eq!(shown(&journal.events()), [""; 0], "neither the creation nor the update was a whole one");
}

#[test]
fn somebody_elses_operation_is_no_time_of_ours() {
    let foreign = |journal: &mut Journal| {
        journal.started("deploy:A", 0);
        journal.stack_said("A", 5, "UPDATE_IN_PROGRESS", 1);
        journal.stack_said("A", 900, "UPDATE_COMPLETE", 900);
    };
    let mut waited = journal();
    foreign(&mut waited);
    waited.submitted("deploy:A", 905, "update");
    waited.end("deploy:A", 945, 945, Outcome::Deployed);
    assert_eq!(shown(&waited.events()), ["deploy:A: Update 40"]);
    // It has made the stack what it is to be.
    let mut unchanged = journal();
    foreign(&mut unchanged);
    unchanged.end("deploy:A", 901, 901, Outcome::Unchanged);
    assert_eq!(shown(&unchanged.events()), [""; 0]);
}

/// `A` ends, and its operation was held back for 30 seconds because of other stacks.
fn end_held_back(journal: &mut Journal, at: u64) {
    journal.end("deploy:A", at, at, Outcome::Deployed);
    let Some((_, Fact::StepFinished(finished))) = journal.facts_mut().last_mut() else {
        panic!("it has not ended")
    };
    finished.waited = vec![LimitWait { limit: Limit::Staggered, waited_s: 30.0 }];
}

#[test]
fn the_time_for_which_an_operation_was_held_back_does_not_count() {
    let mut once = journal();
    once.started("deploy:A", 0);
    once.submitted("deploy:A", 31, "update");
    end_held_back(&mut once, 100);
    assert_eq!(shown(&once.events()), ["deploy:A: Update 70"]);
    // The time before the operation does not count at all.
    let mut after_another = journal();
    after_another.started("deploy:A", 0);
    after_another.stack_said("A", 5, "UPDATE_IN_PROGRESS", 1);
    after_another.stack_said("A", 60, "UPDATE_COMPLETE", 60);
    after_another.submitted("deploy:A", 91, "update");
    end_held_back(&mut after_another, 131);
    assert_eq!(shown(&after_another.events()), ["deploy:A: Update 40"]);
}

#[test]
fn an_operation_that_was_found_going_on_took_as_long_as_it_says_itself() {
    let mut journal = journal();
    journal.started("deploy:A", 500);
    journal.stack_said("A", 501, "CREATE_IN_PROGRESS", 1);
    journal.stack_said("A", 520, "CREATE_COMPLETE", 519);
    journal.end("deploy:A", 521, 21, Outcome::Deployed);
    assert_eq!(shown(&journal.events()), ["deploy:A: Create 518"]);
}

#[test]
fn a_command_that_was_interrupted_or_tried_again_took_as_long_as_its_last_run() {
    let mut journal = Journal::default();
    journal.other("command", "tidy", &[]);
    journal.run_started(0, false);
    journal.step("command:tidy", 0, 0, 40, Outcome::Interrupted);
    journal.run_started(100, true);
    journal.begin("command:tidy", 100, 100);
    journal.retried("command:tidy", 130, 2, "no broom");
    journal.end("command:tidy", 142, 42, Outcome::Deployed);
    assert_eq!(shown(&journal.events()), ["command:tidy: Done 7"], "after a pause of five seconds");
}

#[test]
fn a_run_that_was_not_on_aws_itself_says_so_in_each_line() {
    let mut events = runs::good();
    if let Fact::RunStarted(started) = &mut events[0].fact {
        started.endpoint = Some("http://127.0.0.1:4566".to_owned());
    }
    let entries = entries(&events);
    assert!(!entries.is_empty());
    for entry in entries {
        assert_eq!((entry.schema, entry.endpoint.as_deref()), (ELSEWHERE, Some("http://127.0.0.1:4566")));
    }
}

#[test]
fn a_simulated_run_leaves_no_history() {
    let mut events = runs::good();
    assert!(!entries(&events).is_empty());
    if let Fact::RunStarted(RunStarted { simulated, .. }) = &mut events[0].fact {
        *simulated = true;
    }
    assert_eq!(entries(&events), []);
}

#[test]
fn no_line_names_an_account() {
    let entries = entries(&runs::good());
    assert!(entries.iter().all(|entry| !entry.line().contains("111122223333")));
    let mut events = runs::good();
    for event in &mut events {
        if let Fact::StepFinished(finished) = &mut event.fact {
            finished.step.step = format!("publish:ecr:111122223333/us-east-1/{}", finished.step.step);
            (finished.step.kind, finished.step.asset) = (StepKind::Publish, Some(AssetKind::Image));
        }
    }
    let entries = self::entries(&events);
    assert!(entries.iter().any(|entry| entry.kind == HistoryKind::Image));
    assert!(entries.iter().all(|entry| !entry.line().contains("111122223333")));
}

fn sample(number: i64) -> Entry {
    let at = Timestamp::from_second(1_763_368_200 + number).unwrap();
    Entry {
        run: format!("run-{number}"),
        at: format!("{at:.3}"),
        operation: StepOperation::Update,
        ..entries(&runs::good()).into_iter().find(|entry| entry.kind == HistoryKind::Stack).unwrap()
    }
}

#[test]
fn adding_the_same_run_twice_changes_nothing_and_a_line_that_was_cut_off_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/history.jsonl");
    add_history(&path, &[sample(1), sample(2)]).unwrap();
    add_history(&path, &[sample(2)]).unwrap();
    assert_eq!(fs_err::read_to_string(&path).unwrap().lines().count(), 2);

    let cut = fs_err::read_to_string(&path).unwrap().trim_end().trim_end_matches('}').to_owned();
    fs_err::write(&path, cut).unwrap();
    add_history(&path, &[sample(3)]).unwrap();
    let history = read_history(&path).unwrap();
    assert_eq!(history.len(), 2);
    assert!(history.has(&sample(1)) && history.has(&sample(3)));
    assert_eq!(history.warning("it").unwrap().split(" is ").next(), Some("it: line 2"));
}

#[test]
fn a_file_of_very_many_runs_is_rewritten_with_the_last_ten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let many: Vec<Entry> = (0..500).map(sample).collect();
    let lines: Vec<String> = many.iter().map(Entry::line).collect();
    fs_err::write(&path, lines.join("\n") + "\nnot a line\n").unwrap();
    add_history(&path, &[sample(500)]).unwrap();
    let text = fs_err::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 11);
    assert!(text.contains(&sample(500).line()) && text.ends_with("not a line\n"));
}

#[test]
fn what_is_no_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read_history(&folder.path().join("missing")).unwrap().is_empty());
    let error = add_history(folder.path(), &[sample(1)]).unwrap_err();
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
}

/// A run in which the update of `A` took a database 400 seconds, a service 150 and a topic 2.
fn with_resources() -> Journal {
    let mut journal = journal();
    journal.begin("deploy:A", 0, 0);
    let of = |at: u64, id: &str, kind: &str, status: &str, journal: &mut Journal| {
        journal.progress("deploy:A", at, (id, kind), status, 0);
    };
    journal.stack_said("A", 1, "UPDATE_IN_PROGRESS", 1);
    for (id, kind, end) in [
        ("Database", "AWS::RDS::DBInstance", 410),
        ("Service", "AWS::ECS::Service", 160),
        ("Topic", "AWS::SNS::Topic", 12),
        ("Nested", "AWS::CloudFormation::Stack", 410),
    ] {
        of(10, id, kind, "UPDATE_IN_PROGRESS", &mut journal);
        of(11, id, kind, "UPDATE_IN_PROGRESS", &mut journal);
        of(end, id, kind, "UPDATE_COMPLETE", &mut journal);
    }
    of(20, "Late", "AWS::RDS::DBInstance", "UPDATE_COMPLETE", &mut journal);
    journal
}

fn resources(mut journal: Journal) -> Vec<String> {
    journal.stack_said("A", 420, "UPDATE_COMPLETE", 420);
    journal.end("deploy:A", 420, 420, Outcome::Deployed);
    journal.run_finished(420, 0, 0);
    let entries = entries(&journal.events());
    let of_stack = entries.iter().filter(|entry| entry.kind == HistoryKind::Stack);
    let resources = of_stack.flat_map(|entry| entry.resources.clone());
    resources.map(|it| format!("{} {:?} {}", it.logical_id, it.operation, it.seconds)).collect()
}

/// A topic is too fast to matter. The start of `Late` is not known.
#[test]
fn the_line_of_a_stack_has_the_times_of_its_slow_resources() {
    assert_eq!(resources(with_resources()), ["Database Update 400", "Service Update 150"]);
}

#[test]
fn the_creation_and_a_later_update_of_a_resource_are_two_times() {
    let mut journal = with_resources();
    journal.progress("deploy:A", 20, ("Cache", "AWS::ElastiCache::CacheCluster"), "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:A", 320, ("Cache", "AWS::ElastiCache::CacheCluster"), "CREATE_COMPLETE", 0);
    journal.progress("deploy:A", 320, ("Cache", "AWS::ElastiCache::CacheCluster"), "UPDATE_IN_PROGRESS", 0);
    journal.progress("deploy:A", 410, ("Cache", "AWS::ElastiCache::CacheCluster"), "UPDATE_COMPLETE", 0);
    assert_eq!(
        resources(journal),
        ["Cache Create 300", "Cache Update 90", "Database Update 400", "Service Update 150"]
    );
}

#[test]
fn what_a_rollback_takes_is_not_the_time_of_an_update() {
    let mut journal = with_resources();
    journal.stack_said("A", 411, "UPDATE_ROLLBACK_IN_PROGRESS", 411);
    journal.progress("deploy:A", 413, ("Service", "AWS::ECS::Service"), "UPDATE_COMPLETE", 0);
    assert_eq!(resources(journal), [""; 0]);
}

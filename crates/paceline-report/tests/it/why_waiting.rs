//! Which limits a stack waited for, as text and as JSON.

use paceline_engine::event::{Event, Fact, Limit, LimitWait, Outcome, StepStarted};
use paceline_report::{UnknownStack, WhyWaiting};
use serde_json::{Value, json};

use crate::journal::Journal;

fn waits(limits: &[(Limit, f64)]) -> Vec<LimitWait> {
    limits.iter().map(|(limit, waited_s)| LimitWait { limit: limit.clone(), waited_s: *waited_s }).collect()
}

/// Adds what the last started and the last finished step have waited for.
fn waited(journal: &mut Journal, before: &[(Limit, f64)], all: &[(Limit, f64)]) {
    let facts = journal.facts_mut().iter_mut().rev().map(|(_, fact)| fact);
    let mut is_done = [false, false];
    for fact in facts {
        match fact {
            Fact::StepStarted(StepStarted { waited, .. }) if !is_done[0] => {
                (*waited, is_done[0]) = (waits(before), true);
            }
            Fact::StepFinished(finished) if !is_done[1] => {
                (finished.waited, is_done[1]) = (waits(all), true);
            }
            _ => {}
        }
    }
}

/// A run in which `Web` is ready after ten seconds and starts 90 seconds later.
fn run() -> Vec<Event> {
    let mut journal = Journal::default();
    journal.asset("image");
    journal.stack("Web", "us-east-1", &["publish:image"], 60.0);
    journal.run_started(0, false);
    if let Some((_, Fact::RunStarted(started))) = journal.facts_mut().last_mut() {
        started.lease_wait_s = 200.0;
    }
    journal.step("publish:image", 0, 4, 10, Outcome::Deployed);
    waited(&mut journal, &[(Limit::Images, 4.0)], &[(Limit::Images, 4.0)]);
    journal.step("deploy:Web", 10, 100, 300, Outcome::Deployed);
    let before = [(Limit::Stacks, 70.0), (Limit::Resources, 20.0)];
    let all =
        [(Limit::Stacks, 70.0), (Limit::Resources, 20.0), (Limit::Staggered, 30.0), (Limit::ApiRate, 2.5)];
    waited(&mut journal, &before, &all);
    journal.run_finished(300, 0, 0);
    journal.events()
}

#[test]
fn the_limits_are_named_with_their_times() {
    insta::assert_snapshot!(WhyWaiting::of(&run(), "Web").unwrap().text(), @r"
    Web, in the run 2025-11-17-a1b2
      the run waited 3 min 20 s for the leases of another run before it started
      ready 10 s after the start of the run
      started 1 min 30 s later
      waited before its start:
        1 min 10 s, concurrency.stacks: as many stack operations ran as may run at the same time
        20 s, concurrency.resources: the running stacks of its account and region left no room for its resources
      waited after its start:
        30 s, staggered: other stacks used a service whose API takes few requests, and the stack had time to wait
        2.5 s, api-rate: its calls waited for the rate of calls to AWS
      its assets waited:
        image: 4 s, concurrency.images: as many images were built as may be built at the same time
    ");
}

#[test]
fn the_same_as_json() {
    let json: Value = serde_json::from_str(&WhyWaiting::of(&run(), "Web").unwrap().json()).unwrap();
    let expected = json!({
        "schema": 1, "run": "2025-11-17-a1b2", "stack": "Web", "outcome": "deployed",
        "ready_s": 10.0, "started_s": 100.0, "queued_s": 90.0, "unknown_s": 0.0, "lease_wait_s": 200.0,
        "waited": [
            { "limit": "concurrency.stacks", "waited_s": 70.0, "when": "before-start" },
            { "limit": "concurrency.resources", "waited_s": 20.0, "when": "before-start" },
            { "limit": "staggered", "waited_s": 30.0, "when": "after-start" },
            { "limit": "api-rate", "waited_s": 2.5, "when": "after-start" },
        ],
        "assets": [
            { "title": "image", "waited": [{ "limit": "concurrency.images", "waited_s": 4.0 }] },
        ],
    });
    assert_eq!(json, expected);
}

#[test]
fn a_journal_that_names_no_limit_is_read() {
    let mut journal = Journal::default();
    journal.stack("Web", "us-east-1", &[], 60.0);
    journal.run_started(0, false);
    journal.step("deploy:Web", 0, 90, 100, Outcome::Deployed);
    let text = WhyWaiting::of(&journal.events(), "Web").unwrap().text();
    assert!(text.contains("waited 1 min 30 s for a limit that the journal does not name"), "{text}");
}

#[test]
fn a_stack_that_waited_for_nothing_or_was_never_ready_says_so() {
    let mut journal = Journal::default();
    journal.stack("Api", "us-east-1", &[], 60.0);
    journal.stack("Web", "us-east-1", &["deploy:Api"], 60.0);
    journal.run_started(0, false);
    journal.step("deploy:Api", 0, 0, 100, Outcome::Failed);
    journal.never("deploy:Web", 100, Outcome::Skipped, Some("deploy:Api"));
    let events = journal.events();
    let text = |stack| WhyWaiting::of(&events, stack).unwrap().text();
    assert!(text("Api").contains("it waited for no limit"), "{}", text("Api"));
    assert!(text("Web").contains("it was never ready"), "{}", text("Web"));
}

#[test]
fn a_resumed_run_tells_of_the_part_that_did_the_work() {
    let mut journal = Journal::default();
    journal.stack("Web", "us-east-1", &[], 60.0);
    journal.run_started(0, false);
    journal.step("deploy:Web", 0, 40, 100, Outcome::Deployed);
    waited(&mut journal, &[(Limit::Stacks, 40.0)], &[(Limit::Stacks, 40.0)]);
    journal.run_started(1000, true);
    journal.begin("deploy:Web", 1000, 1000);
    journal.end("deploy:Web", 1001, 1, Outcome::Deployed);
    if let Some((_, Fact::StepFinished(finished))) = journal.facts_mut().last_mut() {
        finished.resumed = true;
    }
    let text = WhyWaiting::of(&journal.events(), "Web").unwrap().text();
    assert!(text.contains("40 s, concurrency.stacks"), "{text}");
}

#[test]
fn the_times_of_a_resumed_run_count_from_its_first_start() {
    let mut journal = Journal::default();
    journal.stack("Web", "us-east-1", &[], 60.0);
    journal.run_started(0, false);
    journal.run_started(1000, true);
    journal.step("deploy:Web", 1005, 1010, 1100, Outcome::Deployed);
    let text = WhyWaiting::of(&journal.events(), "Web").unwrap().text();
    assert!(text.contains("ready 16 min 45 s after the start of the run\n  started 5 s later"), "{text}");
}

#[test]
fn a_stack_is_found_by_its_id_or_name_and_a_wrong_one_has_a_suggestion() {
    let mut journal = Journal::default();
    journal.stack("shop/Web", "us-east-1", &[], 60.0);
    journal.run_started(0, false);
    let events = journal.events();
    for name in ["shop/Web", "shop-Web"] {
        assert!(WhyWaiting::of(&events, name).is_ok(), "{name}");
    }
    let meant = Some("shop/Web".to_owned());
    assert_eq!(WhyWaiting::of(&events, "shop/Wbe").unwrap_err(), UnknownStack { meant });
}

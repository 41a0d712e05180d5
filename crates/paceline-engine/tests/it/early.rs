//! Steps that wait for resources of a stack and not for the whole stack.

use paceline_engine::{Fact, Outcome, RunOptions};

use crate::draft::Draft;
use crate::script::{Act, Ran, Script, options, ran, ran_with};
use crate::talk::{Say, Talk};

const CREATED: &str = "CREATE_COMPLETE";
const UPDATED: &str = "UPDATE_COMPLETE";

fn is(id: &'static str, status: &'static str) -> Say {
    Say::Resource(id, status)
}

/// Stack A takes 100 s, B and C take 10 s each. They run at once unless they are limited. B waits until A's
/// resources P and Q are complete. C waits for all of B.
fn draft(limit: usize) -> Draft {
    let mut draft = Draft::new().limited(limit, 8, 4);
    let first = draft.stack("A", 100, &[]);
    let second = draft.stack("B", 10, &[first]);
    draft.until(second, first, &["P", "Q"]);
    draft.stack("C", 10, &[second]);
    draft
}

/// Runs the draft. A reports `says` at the given times and ends as `a`.
fn run(says: &[(u64, &[Say])], a: Outcome) -> Ran {
    let script = Script::default().with("deploy:A", Act::Ends(a));
    ran(draft(3).plan(), Talk::of(script, "deploy:A", says))
}

/// The start of a step, in seconds after the start of the run.
fn started(ran: &Ran, step: &str) -> Option<f64> {
    ran.is_started(step).then(|| ran.started(step))
}

/// The steps that were no longer ready, each with the needed step and the reason.
fn held(ran: &Ran) -> Vec<(&str, &str, &str)> {
    let facts = ran.events.iter().map(|event| &event.fact);
    let held = facts.filter_map(|fact| match fact {
        Fact::StepHeld(it) => Some((it.step.step.as_str(), it.because.as_str(), it.reason.as_str())),
        _ => None,
    });
    held.collect()
}

/// The warnings of a step.
fn warned<'a>(ran: &'a Ran, step: &str) -> Vec<&'a str> {
    let facts = ran.events.iter().map(|event| &event.fact);
    let warned = facts.filter_map(|fact| match fact {
        Fact::StepWarned(it) if it.step.step == step => Some(it.message.as_str()),
        _ => None,
    });
    warned.collect()
}

#[test]
fn a_step_starts_when_all_the_resources_are_complete() {
    let says: [(u64, &[Say]); 3] =
        [(5, &[is("P", "CREATE_IN_PROGRESS")]), (20, &[is("P", CREATED)]), (30, &[is("Q", UPDATED)])];
    let ran = run(&says, Outcome::Deployed);
    assert_eq!((started(&ran, "deploy:B"), started(&ran, "deploy:C")), (Some(30.0), Some(40.0)));
    assert_eq!(ran.end.outcomes, [Outcome::Deployed; 3]);
    assert!(warned(&ran, "deploy:B").is_empty());
}

#[test]
fn a_resource_that_does_not_change_is_complete_when_the_stack_is() {
    assert_eq!(started(&run(&[(20, &[is("P", CREATED)])], Outcome::Deployed), "deploy:B"), Some(100.0));
    assert_eq!(started(&run(&[], Outcome::Unchanged), "deploy:B"), Some(100.0));
}

#[test]
fn a_resource_that_is_reported_twice_counts_once() {
    let says: [(u64, &[Say]); 2] = [(20, &[is("P", CREATED), is("P", CREATED)]), (30, &[is("P", CREATED)])];
    assert_eq!(started(&run(&says, Outcome::Deployed), "deploy:B"), Some(100.0));
    let says: [(u64, &[Say]); 2] = [(20, &[is("P", CREATED), is("Q", CREATED)]), (30, &[is("Q", CREATED)])];
    assert_eq!(started(&run(&says, Outcome::Deployed), "deploy:B"), Some(20.0));
}

#[test]
fn a_failure_before_the_resources_are_complete_skips_the_waiting_steps() {
    let says: [(u64, &[Say]); 2] = [(20, &[is("P", CREATED)]), (30, &[is("Q", "CREATE_FAILED")])];
    let skipped = [Outcome::Failed, Outcome::Skipped, Outcome::Skipped];
    assert_eq!(run(&says, Outcome::Failed).end.outcomes, skipped);
}

/// A rollback restores the resources, and reports each of them as complete.
#[test]
fn a_stack_that_rolls_back_releases_nobody() {
    let statuses =
        ["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_FAILED", "DELETE_IN_PROGRESS"];
    let both = [is("P", UPDATED), is("Q", UPDATED)];
    for trouble in statuses.map(Say::Stack).into_iter().chain([is("Other", "UPDATE_FAILED")]) {
        for says in [
            vec![(20, vec![trouble]), (30, both.to_vec())],
            // The forward update of P arrives together with the rollback and with the backward update of Q.
            vec![(20, vec![both[0], trouble, both[1]])],
            // Both resources were complete, and the rollback arrives together with them.
            vec![(20, vec![both[0], both[1], trouble])],
            // The events come in the wrong order.
            vec![(20, vec![trouble, both[0], both[1]]), (25, vec![trouble])],
        ] {
            let says: Vec<(u64, &[Say])> = says.iter().map(|(at, says)| (*at, says.as_slice())).collect();
            let ran = run(&says, Outcome::RolledBack);
            let expected = [Outcome::RolledBack, Outcome::Skipped, Outcome::Skipped];
            assert_eq!(ran.end.outcomes, expected, "{says:?}");
            assert!(held(&ran).is_empty(), "{says:?}");
        }
    }
}

#[test]
fn a_failed_cleanup_after_an_update_is_no_failure() {
    let says: [(u64, &[Say]); 2] = [
        (20, &[is("Old", "DELETE_FAILED"), is("P", UPDATED), is("P", "DELETE_IN_PROGRESS")]),
        (30, &[is("Q", UPDATED)]),
    ];
    assert_eq!(started(&run(&says, Outcome::Deployed), "deploy:B"), Some(30.0));
}

#[test]
fn an_unconfirmed_resource_releases_nobody() {
    let says: [(u64, &[Say]); 2] =
        [(20, &[Say::Unconfirmed("P", UPDATED), Say::Unconfirmed("Q", UPDATED)]), (30, &[is("P", UPDATED)])];
    assert_eq!(started(&run(&says, Outcome::Deployed), "deploy:B"), Some(100.0));
}

#[test]
fn a_ready_step_that_waited_for_the_limit_does_not_start_after_the_failure() {
    let ready: [(u64, &[Say]); 1] = [(20, &[is("P", CREATED), is("Q", CREATED)])];
    let rolls_back: (u64, &[Say]) = (40, &[Say::Stack("ROLLBACK_IN_PROGRESS")]);
    // Once without a report of the rollback before the end, and once with one.
    for says in [vec![ready[0]], vec![ready[0], rolls_back]] {
        let script = Script::default().with("deploy:A", Act::Ends(Outcome::RolledBack));
        let ran = ran(draft(1).plan(), Talk::of(script, "deploy:A", &says));
        assert_eq!(ran.end.outcomes, [Outcome::RolledBack, Outcome::Skipped, Outcome::Skipped]);
        assert_eq!(ran.finished("deploy:B").because.as_deref(), Some("deploy:A"));
        let expected = ("deploy:B", "deploy:A", "is being rolled back (ROLLBACK_IN_PROGRESS)");
        assert_eq!(held(&ran), vec![expected; says.len() - 1]);
    }
}

#[test]
fn a_running_step_is_warned_that_its_producer_is_rolled_back_and_continues() {
    let says: [(u64, &[Say]); 2] = [
        (20, &[is("P", CREATED), is("Q", CREATED)]),
        (25, &[Say::Stack("ROLLBACK_IN_PROGRESS"), is("P", "DELETE_COMPLETE")]),
    ];
    let ran = run(&says, Outcome::RolledBack);
    // C needs B, so C depends on A too.
    assert_eq!(ran.end.outcomes, [Outcome::RolledBack, Outcome::Deployed, Outcome::Skipped]);
    let message = "A is being rolled back (ROLLBACK_IN_PROGRESS); this step started before A was complete, and \
                   may use resources that A removes";
    assert_eq!(warned(&ran, "deploy:B"), [message]);
    assert_eq!(ran.finished("deploy:C").because.as_deref(), Some("deploy:A"));
}

#[test]
fn an_ended_step_is_warned_of_a_failure_without_earlier_reports() {
    let ran = run(&[(20, &[is("P", CREATED), is("Q", CREATED)])], Outcome::RolledBack);
    assert_eq!(ran.end.outcomes, [Outcome::RolledBack, Outcome::Deployed, Outcome::Deployed]);
    for step in ["deploy:B", "deploy:C"] {
        assert!(warned(&ran, step)[0].starts_with("A was rolled back; this step started before A was"));
    }
}

#[test]
fn the_failure_of_an_early_started_step_names_the_rollback_of_its_producer() {
    let says: [(u64, &[Say]); 2] =
        [(20, &[is("P", CREATED), is("Q", CREATED)]), (25, &[Say::Stack("ROLLBACK_IN_PROGRESS")])];
    let hint = |a_takes: u64, a: Outcome| {
        let a = Act::EndsAfter(a, std::time::Duration::from_secs(a_takes));
        let script = Script::default().with("deploy:B", Act::Ends(Outcome::Failed)).with("deploy:A", a);
        let ran = ran(draft(3).plan(), Talk::of(script, "deploy:A", &says));
        ran.finished("deploy:B").cause.clone().unwrap().hint.unwrap()
    };
    assert_eq!(
        hint(28, Outcome::RolledBack),
        "A was rolled back after this was started: repair A first, then run the same command again"
    );
    assert_eq!(
        hint(100, Outcome::RolledBack),
        "A is being rolled back (ROLLBACK_IN_PROGRESS) after this was started: run the same command again when that \
         has ended"
    );
    assert_eq!(
        hint(28, Outcome::Deployed),
        "A was deployed again after this was started: run the same command again"
    );
}

/// The first creation fails and is undone. The second one succeeds.
#[test]
fn another_attempt_begins_with_everything_missing() {
    let retried: [(u64, &[Say]); 5] = [
        (10, &[is("P", CREATED)]),
        (20, &[is("Other", "CREATE_FAILED"), Say::Stack("ROLLBACK_IN_PROGRESS")]),
        (30, &[Say::Submits("delete"), is("Q", CREATED)]),
        (40, &[Say::Submits("create"), is("Q", CREATED)]),
        (50, &[is("P", CREATED)]),
    ];
    assert_eq!(started(&run(&retried, Outcome::Deployed), "deploy:B"), Some(50.0));
    assert_eq!(started(&run(&retried[..4], Outcome::Deployed), "deploy:B"), Some(100.0));
    // Only the new operation shows that the previous one has failed.
    let silent: [(u64, &[Say]); 3] = [
        (10, &[is("P", CREATED)]),
        (40, &[Say::Submits("update"), is("Q", CREATED)]),
        (50, &[is("P", CREATED)]),
    ];
    assert_eq!(started(&run(&silent, Outcome::Deployed), "deploy:B"), Some(50.0));
    // A change set that was only created changes nothing.
    let made: [(u64, &[Say]); 2] =
        [(10, &[is("P", CREATED)]), (40, &[Say::Submits("create-change-set"), is("Q", CREATED)])];
    assert_eq!(started(&run(&made, Outcome::Deployed), "deploy:B"), Some(40.0));
}

#[test]
fn a_step_that_waited_for_the_limit_waits_for_the_resources_of_the_next_attempt() {
    let says: [(u64, &[Say]); 4] = [
        (10, &[is("P", CREATED), is("Q", CREATED)]),
        (20, &[Say::Stack("ROLLBACK_IN_PROGRESS")]),
        (40, &[Say::Submits("create")]),
        (60, &[is("P", CREATED), is("Q", CREATED)]),
    ];
    let ran = ran(draft(1).plan(), Talk::of(Script::default(), "deploy:A", &says));
    assert_eq!(ran.end.outcomes, [Outcome::Deployed; 3]);
    assert_eq!(held(&ran).len(), 1);
    let ready =
        ran.events.iter().filter(|event| matches!(&event.fact, Fact::StepReady(it) if it.step == "deploy:B"));
    assert_eq!(ready.map(|event| ran.clock(event)).collect::<Vec<_>>(), [10.0, 60.0]);
}

/// B has been deployed while A continues. C waits for the limit, and A fails.
#[test]
fn a_dependent_of_an_early_started_step_waits_for_the_end_of_the_rollback() {
    let mut draft = Draft::new().limited(2, 8, 4);
    let a = draft.stack("A", 100, &[]);
    let b = draft.stack("B", 10, &[a]);
    draft.until(b, a, &["P"]);
    draft.stack("C", 10, &[b]);
    draft.stack("Long", 200, &[b]);
    let plan = draft.plan();
    let says: [(u64, &[Say]); 2] = [(20, &[is("P", CREATED)]), (40, &[Say::Stack("ROLLBACK_IN_PROGRESS")])];
    let script = || Script::default().with("deploy:A", Act::Ends(Outcome::RolledBack));
    let rolled_back = ran(plan.clone(), Talk::of(script(), "deploy:A", &says));
    assert_eq!(rolled_back.outcome("deploy:C"), Outcome::Skipped);
    assert_eq!(held(&rolled_back)[0].0, "deploy:C");
    // Long had started before A failed.
    assert_eq!(rolled_back.outcome("deploy:Long"), Outcome::Deployed);
    assert_eq!(warned(&rolled_back, "deploy:Long").len(), 1);
    // If A succeeds in the end, all steps are deployed.
    let recovered = ran(plan, Talk::of(Script::default(), "deploy:A", &says));
    assert_eq!(recovered.end.outcomes, [Outcome::Deployed; 4]);
}

#[test]
fn a_step_whose_end_is_unknown_releases_nobody() {
    let says: [(u64, &[Say]); 1] = [(20, &[is("P", CREATED), is("Q", CREATED)])];
    let script = Script::default().with("deploy:A", Act::Ends(Outcome::Interrupted));
    let ran = ran(draft(1).plan(), Talk::of(script, "deploy:A", &says));
    assert_eq!(ran.end.outcomes, [Outcome::Interrupted; 3]);
    assert_eq!(held(&ran), [("deploy:B", "deploy:A", "is not watched any more")]);
}

#[test]
fn a_step_that_is_ready_when_the_run_fails_fast_is_skipped() {
    let mut draft = draft(2).finishing_running();
    draft.stack("Fails", 30, &[]);
    let says: [(u64, &[Say]); 1] = [(20, &[is("P", CREATED), is("Q", CREATED)])];
    let script = Script::failing(&["deploy:Fails"]);
    let options = RunOptions { deadline: None, ..options() };
    let ran = ran_with(draft.plan(), Talk::of(script, "deploy:A", &says), options);
    assert!(!ran.is_started("deploy:B"));
    assert_eq!(ran.finished("deploy:B").because.as_deref(), Some("deploy:Fails"));
}

/// A synthesis in the middle of the run reads parameters, as a stack does.
#[test]
fn a_running_synthesis_is_warned_that_its_producer_is_rolled_back() {
    let mut draft = Draft::new();
    let a = draft.stack("A", 100, &[]);
    let synthesis = draft.synthesis("app", 1, 10, &[a]);
    draft.until(synthesis, a, &["P"]);
    let reader = draft.stack("B", 10, &[a, synthesis]);
    draft.until(reader, a, &["P"]);
    let says: [(u64, &[Say]); 2] = [(20, &[is("P", CREATED)]), (25, &[Say::Stack("ROLLBACK_IN_PROGRESS")])];
    let script = Script::default().with("deploy:A", Act::Ends(Outcome::RolledBack));
    let ran = ran(draft.plan(), Talk::of(script, "deploy:A", &says));
    assert_eq!(ran.end.outcomes, [Outcome::RolledBack, Outcome::Deployed, Outcome::Skipped]);
    assert_eq!(warned(&ran, "synth:app").len(), 1);
}

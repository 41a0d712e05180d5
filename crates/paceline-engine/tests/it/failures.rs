//! The effects of a failure on other steps: promises 7, 8 and 10.

use std::time::Duration;

use paceline_engine::event::{Cause, RetryClass};
use paceline_engine::{Earlier, Ended, ExitCode, Outcome, Perform, RunOptions, StepContext};

use crate::draft::Draft;
use crate::script::{Act, Script, options, ran, ran_with};

/// A ← B ← C and A ← D. E and its asset are separate.
fn two_branches() -> Draft {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    let b = draft.stack("B", 60, &[a]);
    draft.stack("C", 60, &[b]);
    draft.stack("D", 90, &[a]);
    let file = draft.file("e", 100);
    draft.stack("E", 60, &[file]);
    draft
}

#[test]
fn a_failure_skips_its_dependents_and_nothing_else() {
    let ran = ran(two_branches().plan(), Script::failing(&["deploy:B"]));
    assert_eq!(ran.outcome("deploy:B"), Outcome::Failed);
    assert_eq!(ran.outcome("deploy:C"), Outcome::Skipped);
    assert_eq!(ran.finished("deploy:C").because.as_deref(), Some("deploy:B"));
    assert_eq!(ran.ended("deploy:C"), 120.0);
    for step in ["deploy:A", "deploy:D", "deploy:E"] {
        assert_eq!(ran.outcome(step), Outcome::Deployed);
    }
    assert_eq!(ran.end.exit_code, ExitCode::Failed);
    assert!(ran.stops().is_empty());
}

#[test]
fn a_skipped_step_names_the_failed_step_and_not_another_skipped_one() {
    let ran = ran(two_branches().plan(), Script::failing(&["deploy:A", "publish:e"]));
    for step in ["deploy:B", "deploy:C", "deploy:D"] {
        assert_eq!(ran.finished(step).because.as_deref(), Some("deploy:A"));
    }
    assert_eq!(ran.ends()[..4], ["deploy:A", "deploy:B", "deploy:C", "deploy:D"]);
    assert_eq!(ran.finished("deploy:E").because.as_deref(), Some("publish:e"));
}

#[test]
fn a_step_that_depends_on_several_failures_names_the_first_one() {
    let mut draft = Draft::new();
    let needs = [draft.stack("A", 60, &[]), draft.stack("B", 30, &[])];
    draft.stack("C", 60, &needs);
    let ran = ran(draft.plan(), Script::failing(&["deploy:A", "deploy:B"]));
    assert_eq!(ran.finished("deploy:C").because.as_deref(), Some("deploy:B"));
    assert!(ran.finished("deploy:A").cause.is_some() && ran.finished("deploy:B").cause.is_some());
}

#[test]
fn a_rollback_is_a_failure() {
    let script = Script::default().with("deploy:A", Act::Ends(Outcome::RolledBack));
    let ran = ran(two_branches().plan(), script);
    assert_eq!(ran.outcome("deploy:A"), Outcome::RolledBack);
    assert_eq!(ran.outcome("deploy:D"), Outcome::Skipped);
    assert_eq!(ran.end.exit_code, ExitCode::Failed);
}

#[test]
fn finishing_what_runs_waits_for_running_steps_and_skips_the_rest_because_of_the_first_failure() {
    let mut draft = two_branches().finishing_running();
    let last = draft.stack("F", 10, &[]);
    draft.stack("G", 10, &[last]);
    let script = Script::failing(&["deploy:B", "deploy:F"]);
    let ran = ran(
        draft.plan(),
        script.with("deploy:F", Act::EndsAfter(Outcome::Deployed, Duration::from_secs(130))),
    );
    // B fails at 120 s. D and F are running then.
    assert_eq!(ran.stops(), ["B failed"]);
    for (step, outcome) in
        [("deploy:D", Outcome::Deployed), ("deploy:F", Outcome::Deployed), ("deploy:G", Outcome::Skipped)]
    {
        assert_eq!(ran.outcome(step), outcome);
    }
    assert_eq!(ran.finished("deploy:G").because.as_deref(), Some("deploy:B"));
    assert_eq!((ran.total(), ran.end.exit_code), (160.0, ExitCode::Failed));
}

#[test]
fn failing_fast_waits_for_nothing_and_skips_what_has_not_started() {
    let mut draft = Draft::new().failing_fast();
    let a = draft.stack("A", 600, &[]);
    draft.stack("B", 60, &[a]);
    draft.stack("C", 10, &[]);
    let ran = ran(draft.plan(), Script::failing(&["deploy:C"]));
    assert_eq!(ran.stops(), ["C failed"]);
    assert_eq!(ran.outcome("deploy:A"), Outcome::Interrupted);
    assert_eq!(ran.finished("deploy:B").because.as_deref(), Some("deploy:C"));
    assert_eq!((ran.total(), ran.end.exit_code), (10.0, ExitCode::Failed));
}

#[test]
fn finishing_what_runs_reports_all_failures() {
    let mut draft = Draft::new().finishing_running();
    let (a, b) = (draft.stack("A", 10, &[]), draft.stack("B", 20, &[]));
    draft.stack("C", 60, &[b]);
    draft.stack("D", 60, &[a]);
    let ran = ran(draft.plan(), Script::failing(&["deploy:A", "deploy:B"]));
    assert!(ran.finished("deploy:A").cause.is_some() && ran.finished("deploy:B").cause.is_some());
    assert_eq!(ran.finished("deploy:C").because.as_deref(), Some("deploy:B"));
    assert_eq!(ran.finished("deploy:D").because.as_deref(), Some("deploy:A"));
    assert_eq!(ran.stops(), ["A failed"]);
}

#[test]
fn a_run_whose_failures_all_came_before_any_change_is_refused() {
    let mut draft = Draft::new();
    let asset = draft.file("there", 1);
    let a = draft.stack("A", 10, &[asset]);
    draft.stack("B", 10, &[]);
    draft.stack("C", 10, &[a]);
    let script = Script::default()
        .with("publish:there", Act::Ends(Outcome::Unchanged))
        .with("deploy:A", Act::FailsPreflight)
        .with("deploy:B", Act::FailsPreflight);
    let ran = ran(draft.plan(), script);
    assert_eq!((ran.end.exit_code, ran.outcome("deploy:C")), (ExitCode::Refused, Outcome::Skipped));
}

#[test]
fn a_refusal_after_a_change_is_a_failure() {
    let touching: [fn(&mut Draft, u64) -> usize; 5] = [
        |draft, seconds| draft.stack("Other", seconds, &[]),
        |draft, seconds| draft.deletion("Other", seconds, &[]),
        |draft, seconds| draft.file("other", seconds),
        |draft, seconds| draft.image("other", seconds),
        |draft, seconds| draft.command("other", seconds, &[]),
    ];
    for (add, seconds) in touching.into_iter().flat_map(|add| [(add, 10), (add, 30)]) {
        let mut draft = Draft::new();
        draft.stack("Refused", 20, &[]);
        let other = add(&mut draft, seconds);
        let plan = draft.plan();
        let step = plan.steps[other].id.clone();
        let script = || Script::default().with("deploy:Refused", Act::FailsPreflight);
        assert_eq!(ran(plan.clone(), script()).end.exit_code, ExitCode::Failed, "{step} after {seconds} s");
        let unchanged = script().with(&step, Act::Ends(Outcome::Unchanged));
        assert_eq!(ran(plan, unchanged).end.exit_code, ExitCode::Refused, "{step} unchanged");
    }
}

/// Sends operations and is then refused at a call.
struct Sends {
    operations: &'static [&'static str],
    retries: u32,
    refused_at: &'static str,
}

impl Perform for Sends {
    async fn perform(&self, context: StepContext) -> Ended {
        for operation in self.operations {
            context.submitting(*operation, "token").await;
        }
        for attempt in 0..self.retries {
            context.retried(RetryClass::NoAnswer, "no answer", attempt + 2, Duration::ZERO);
        }
        let (at, message) = (Some(self.refused_at.to_owned()), "AccessDenied".to_owned());
        Ended::failed(Cause { at, message, hint: None, preflight: true, ..Cause::default() })
    }
}

#[test]
fn a_refused_call_changed_nothing_and_a_possibly_accepted_one_did() {
    let check = |operations, retries, refused_at, expected| {
        let mut draft = Draft::new();
        draft.stack("A", 10, &[]);
        let code = ran(draft.plan(), Sends { operations, retries, refused_at }).end.exit_code;
        assert_eq!(code, expected, "{operations:?}, then {refused_at}");
    };
    check(&[], 0, "DescribeStacks", ExitCode::Refused);
    check(&["create"], 0, "CreateStack", ExitCode::Refused);
    check(&["create-change-set"], 0, "CreateChangeSet", ExitCode::Refused);
    // AWS may have accepted the first attempt, because its answer was lost.
    check(&["create"], 1, "CreateStack", ExitCode::Failed);
    check(&["create"], 0, "DescribeStacks", ExitCode::Failed);
    check(&["create-change-set"], 0, "DescribeChangeSet", ExitCode::Failed);
    check(&["delete", "create"], 0, "CreateStack", ExitCode::Failed);
}

#[test]
fn a_change_before_the_interruption_counts_for_the_resumed_run() {
    let earlier = |touched| Some(Earlier { touched, ..Earlier::default() });
    for (touched, expected) in [(true, ExitCode::Failed), (false, ExitCode::Refused)] {
        let mut draft = Draft::new();
        draft.stack("A", 10, &[]);
        let script = Script::default().with("deploy:A", Act::FailsPreflight);
        let ran = ran_with(draft.plan(), script, RunOptions { earlier: earlier(touched), ..options() });
        assert_eq!(ran.end.exit_code, expected);
    }
}

#[test]
fn a_failure_without_a_cause_gets_one() {
    let ran = ran(two_branches().plan(), Script::default().with("deploy:A", Act::FailsInSilence));
    assert_eq!(ran.finished("deploy:A").cause.as_ref().unwrap().message, "no reason was given");
}

#[test]
fn a_bug_in_one_step_fails_only_that_step() {
    let ran = ran(two_branches().plan(), Script::default().with("deploy:B", Act::Panics));
    let cause = ran.finished("deploy:B").cause.as_ref().unwrap();
    assert_eq!(cause.message, "internal error: a bug in the performer of deploy:B");
    assert_eq!(ran.outcome("deploy:C"), Outcome::Skipped);
    assert_eq!((ran.outcome("deploy:D"), ran.outcome("deploy:E")), (Outcome::Deployed, Outcome::Deployed));
}

#[test]
fn a_run_with_a_step_whose_end_is_unknown_can_be_resumed() {
    let script = Script::default().with("deploy:A", Act::Ends(Outcome::Interrupted));
    let ran = ran(two_branches().plan(), script);
    assert_eq!((ran.outcome("deploy:C"), ran.outcome("deploy:E")), (Outcome::Interrupted, Outcome::Deployed));
    assert_eq!(ran.end.exit_code, ExitCode::Interrupted);
}

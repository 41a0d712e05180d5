//! Stopping a run: by a signal, by its deadline, and at unusual moments.

use std::time::Duration;

use paceline_engine::{Ended, ExitCode, Outcome, Perform, RunOptions, StepContext, Stop};

use crate::draft::Draft;
use crate::script::{Script, options, ran_with, stopping_after};

/// A ← B ← C, one after another, and D.
fn draft() -> Draft {
    let mut draft = Draft::new().limited(2, 8, 4);
    let a = draft.stack("A", 60, &[]);
    let b = draft.stack("B", 60, &[a]);
    draft.stack("C", 60, &[b]);
    draft.stack("D", 30, &[]);
    draft
}

#[test]
fn a_signal_interrupts_running_steps_and_steps_that_have_not_started() {
    let ran = stopping_after(70, Script::default(), draft().plan());
    assert_eq!(ran.stops(), ["SIGTERM"]);
    let outcomes = [Outcome::Deployed, Outcome::Interrupted, Outcome::Interrupted, Outcome::Deployed];
    assert_eq!(ran.end.outcomes, outcomes);
    assert!(!ran.is_started("deploy:C"));
    assert_eq!((ran.total(), ran.end.exit_code), (70.0, ExitCode::Interrupted));
}

#[test]
fn the_deadline_stops_the_run_by_itself() {
    let options = RunOptions { deadline: Some(Duration::from_secs(100)), ..options() };
    let ran = ran_with(draft().plan(), Script::default(), options);
    assert_eq!(ran.stops(), ["the run is out of time"]);
    assert_eq!((ran.total(), ran.end.exit_code), (100.0, ExitCode::Interrupted));
}

#[test]
fn nothing_starts_when_the_deadline_falls_together_with_an_end() {
    let options = RunOptions { deadline: Some(Duration::from_mins(1)), ..options() };
    let ran = ran_with(draft().plan(), Script::default(), options);
    assert!(!ran.is_started("deploy:B"));
    assert_eq!(ran.end.exit_code, ExitCode::Interrupted);
}

#[test]
fn a_run_that_ends_in_time_is_not_touched_by_its_deadline() {
    for deadline in [Duration::from_secs(181), Duration::MAX] {
        let options = RunOptions { deadline: Some(deadline), ..options() };
        let ran = ran_with(draft().plan(), Script::default(), options);
        assert_eq!((ran.stops().len(), ran.end.exit_code), (0, ExitCode::Done));
    }
}

#[test]
fn nothing_starts_when_the_stop_comes_before_the_run() {
    let options = options();
    options.stop.request("SIGINT");
    options.stop.request("SIGTERM");
    let ran = ran_with(draft().plan(), Script::default(), options);
    assert_eq!((ran.starts().len(), ran.stops()), (0, vec!["SIGINT"]));
    assert_eq!(ran.end.outcomes, [Outcome::Interrupted; 4]);
    assert_eq!(ran.end.exit_code, ExitCode::Interrupted);
}

#[test]
fn a_failure_outweighs_a_stop() {
    let ran = stopping_after(70, Script::failing(&["deploy:D"]), draft().plan());
    assert_eq!(ran.outcome("deploy:B"), Outcome::Interrupted);
    assert_eq!(ran.end.exit_code, ExitCode::Failed);
}

#[test]
fn the_rest_is_skipped_when_a_stop_follows_a_failure_that_halts_the_run() {
    let mut draft = Draft::new().finishing_running();
    let a = draft.stack("A", 60, &[]);
    draft.stack("B", 60, &[a]);
    draft.stack("C", 10, &[]);
    let ran = stopping_after(30, Script::failing(&["deploy:C"]), draft.plan());
    assert_eq!(ran.stops(), ["C failed", "SIGTERM"]);
    assert_eq!(ran.outcome("deploy:A"), Outcome::Interrupted);
    assert_eq!(ran.finished("deploy:B").because.as_deref(), Some("deploy:C"));
    assert_eq!(ran.end.exit_code, ExitCode::Failed);
}

/// A step that fails while the run is being stopped does not cause the stop.
#[test]
fn the_rest_is_interrupted_when_a_failure_follows_a_stop_and_would_halt_the_run() {
    let mut draft = Draft::new().finishing_running().limited(1, 8, 4);
    let a = draft.stack("A", 60, &[]);
    draft.stack("B", 60, &[a]);
    draft.stack("C", 10, &[]);
    let options = options();
    let fails = FailsWhenStopped(options.stop.clone());
    let ran = ran_with(draft.plan(), fails, options);
    assert_eq!(ran.stops(), ["SIGTERM"]);
    assert_eq!(ran.outcome("deploy:A"), Outcome::Failed);
    assert_eq!((ran.outcome("deploy:B"), ran.outcome("deploy:C")), (Outcome::Skipped, Outcome::Interrupted));
}

struct FailsWhenStopped(Stop);

impl Perform for FailsWhenStopped {
    async fn perform(&self, context: StepContext) -> Ended {
        self.0.request("SIGTERM");
        context.stopped().await;
        assert!(context.is_stopped());
        Ended::new(Outcome::Failed)
    }
}

#[test]
fn a_step_that_ends_despite_the_stop_keeps_its_outcome() {
    struct Deaf;
    impl Perform for Deaf {
        async fn perform(&self, context: StepContext) -> Ended {
            tokio::time::sleep(context.step().expected).await;
            Ended::new(Outcome::Deployed)
        }
    }
    let options = RunOptions { deadline: Some(Duration::from_secs(10)), ..options() };
    let ran = ran_with(draft().plan(), Deaf, options);
    let outcomes = [Outcome::Deployed, Outcome::Interrupted, Outcome::Interrupted, Outcome::Deployed];
    assert_eq!(ran.end.outcomes, outcomes);
    assert_eq!(ran.total(), 60.0);
}

#[test]
fn a_stop_at_the_end_of_the_last_step_changes_nothing() {
    struct StopsAtEnd(Stop);
    impl Perform for StopsAtEnd {
        async fn perform(&self, _: StepContext) -> Ended {
            self.0.request("SIGTERM");
            Ended::new(Outcome::Deployed)
        }
    }
    let mut draft = Draft::new();
    draft.stack("A", 60, &[]);
    let options = options();
    let performer = StopsAtEnd(options.stop.clone());
    assert_eq!(ran_with(draft.plan(), performer, options).end.exit_code, ExitCode::Done);
}

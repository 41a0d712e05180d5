//! Steps that find out while they run that other steps must end first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_config::FailurePolicy;
use paceline_engine::event::Cause;
use paceline_engine::{Ended, ExitCode, Fact, Outcome, Perform, StepContext};
use paceline_plan::Plan;

use crate::draft::Draft;
use crate::script::{Act, Ran, Script, ran, stopping_after};

/// After 10 s, some steps find out that others must end first. Then they continue for their expected time.
struct Waits {
    script: Script,
    after: BTreeMap<&'static str, &'static [&'static str]>,
}

impl Waits {
    fn of(after: &[(&'static str, &'static [&'static str])]) -> Self {
        Self { script: Script::default(), after: after.iter().copied().collect() }
    }

    fn with(self, step: &str, act: Act) -> Self {
        Self { script: self.script.with(step, act), ..self }
    }
}

impl Perform for Waits {
    async fn perform(&self, context: StepContext) -> Ended {
        let Some(after) = self.after.get(context.step().id.as_str()) else {
            return self.script.perform(context).await;
        };
        tokio::time::sleep(Duration::from_secs(10)).await;
        let steps = &context.plan().steps;
        let after: BTreeSet<usize> =
            after.iter().map(|id| steps.iter().position(|step| step.id == *id).unwrap()).collect();
        let goes_on = tokio::select! {
            biased;
            () = context.stopped() => return Ended::new(Outcome::Interrupted),
            goes_on = context.try_after(after, "it is in use", 2) => goes_on,
        };
        if goes_on {
            return self.script.perform(context).await;
        }
        let message = "it is in use".to_owned();
        let cause = Cause { at: None, message, hint: None, ..Cause::default() };
        Ended { outcome: Outcome::RolledBack, ..Ended::failed(cause) }
    }
}

/// A takes 100 s, B and C take 20 s each. C waits for A. `limit` stacks run at once.
fn plan(limit: usize) -> Plan {
    let mut draft = Draft::new().limited(limit, 8, 4);
    let first = draft.stack("A", 100, &[]);
    draft.stack("B", 20, &[]);
    draft.stack("C", 20, &[first]);
    draft.plan()
}

/// The steps that were tried again, each with the steps that it waited for.
fn after(ran: &Ran) -> Vec<(&str, Vec<&str>)> {
    let facts = ran.events.iter().map(|event| &event.fact);
    let after = facts.filter_map(|fact| match fact {
        Fact::StepRetried(it) => Some((it.step.step.as_str(), it.after.iter().map(String::as_str).collect())),
        _ => None,
    });
    after.collect()
}

#[test]
fn a_paused_step_frees_its_place_and_continues_afterwards() {
    let ran = ran(plan(1), Waits::of(&[("deploy:A", &["deploy:B"])]));
    assert_eq!(ran.end.outcomes, [Outcome::Deployed; 3]);
    assert_eq!(after(&ran), [("deploy:A", vec!["deploy:B"])]);
    // A pauses at 10 s, B takes 20 s, then A takes another 100 s.
    assert_eq!((ran.started("deploy:B"), ran.started("deploy:C")), (10.0, 130.0));
}

#[test]
fn a_step_that_continues_takes_a_place_before_ready_steps() {
    let mut draft = Draft::new().limited(1, 8, 4);
    draft.stack("A", 600, &[]);
    let second = draft.stack("B", 20, &[]);
    draft.stack("D", 500, &[second]);
    let ran = ran(draft.plan(), Waits::of(&[("deploy:A", &["deploy:B"])]));
    assert_eq!(ran.end.outcomes, [Outcome::Deployed; 3]);
    // D is ready when B ends, at 30 s. Then A takes the only place, for 600 s.
    assert_eq!((ran.started("deploy:B"), ran.started("deploy:D")), (10.0, 630.0));
}

#[test]
fn a_step_does_not_wait_for_an_ended_step() {
    let waits = Waits::of(&[("deploy:A", &["deploy:B"])])
        .with("deploy:B", Act::EndsAfter(Outcome::Deployed, Duration::from_secs(5)));
    let ran = ran(plan(3), waits);
    assert_eq!(after(&ran), [("deploy:A", vec![])]);
    assert_eq!(ran.started("deploy:C"), 110.0);
}

#[test]
fn waiting_for_a_failing_step_returns_no() {
    for seconds in [5, 20] {
        let fails = Act::EndsAfter(Outcome::Failed, Duration::from_secs(seconds));
        let ran = ran(plan(3), Waits::of(&[("deploy:A", &["deploy:B"])]).with("deploy:B", fails));
        assert_eq!(ran.end.outcomes, [Outcome::RolledBack, Outcome::Failed, Outcome::Skipped]);
    }
}

#[test]
fn no_step_waits_for_a_step_that_waits_for_it() {
    let ran_with = |waits| ran(plan(2), waits);
    let own = ran_with(Waits::of(&[("deploy:A", &["deploy:C"])]));
    assert_eq!(own.end.outcomes, [Outcome::RolledBack, Outcome::Deployed, Outcome::Skipped]);
    assert_eq!(after(&own), []);
    let each_other = ran_with(Waits::of(&[("deploy:A", &["deploy:B"]), ("deploy:B", &["deploy:A"])]));
    assert_eq!(each_other.end.outcomes, [Outcome::RolledBack, Outcome::RolledBack, Outcome::Skipped]);
    assert_eq!(after(&each_other), [("deploy:A", vec!["deploy:B"])]);
}

#[test]
fn a_stop_ends_the_wait() {
    let ran = stopping_after(15, Waits::of(&[("deploy:A", &["deploy:B"])]), plan(1));
    assert_eq!(ran.end.outcomes[0], Outcome::Interrupted);
    assert_eq!(ran.end.exit_code, ExitCode::Interrupted);
}

#[test]
fn a_run_that_starts_nothing_more_ends_the_wait() {
    let mut draft = Draft::new().limited(2, 8, 4);
    draft.stack("A", 100, &[]);
    draft.stack("D", 50, &[]);
    draft.stack("B", 20, &[]);
    let mut plan = draft.plan();
    plan.policy = FailurePolicy::FinishRunning;
    let fails = Act::EndsAfter(Outcome::Failed, Duration::from_secs(15));
    let ran = ran(plan, Waits::of(&[("deploy:A", &["deploy:B"])]).with("deploy:D", fails));
    assert_eq!(ran.end.outcomes[..2], [Outcome::RolledBack, Outcome::Failed]);
}

//! Operations that would throttle each other are sent one after another, if the run does not end later.

use std::time::Duration;

use paceline_engine::event::StackCall;
use paceline_engine::{Ended, ExitCode, Fact, Outcome, Perform, StepContext};
use paceline_plan::Plan;
use proptest::prelude::*;

use crate::draft::Draft;
use crate::script::{Ran, Script, ran, stopping_after};

/// A performer that sends an operation for every stack, and takes the expected time after that.
struct Sends {
    script: Script,
    operation: &'static str,
    /// True if the first stack turns out to be unchanged at once.
    first_is_unchanged: bool,
}

impl Sends {
    fn creations() -> Self {
        Self { script: Script::default(), operation: "create", first_is_unchanged: false }
    }
}

impl Perform for Sends {
    async fn perform(&self, context: StepContext) -> Ended {
        if self.first_is_unchanged && context.index() == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            return Ended::new(Outcome::Unchanged);
        }
        if context.step().work.changes().is_some() {
            tokio::select! {
                biased;
                () = context.stopped() => return Ended::new(Outcome::Interrupted),
                () = context.submitting(StackCall::from(self.operation), "token") => {}
            }
        }
        self.script.perform(context).await
    }
}

/// When the operation of a stack was sent.
fn sent(ran: &Ran, stack: &str) -> f64 {
    let is_it = |fact: &Fact| matches!(fact, Fact::StackSubmitted(it) if it.step.title == stack);
    ran.clock(ran.events.iter().find(|event| is_it(&event.fact)).unwrap())
}

/// A chain that takes 200 seconds, and three short stacks that occupy API Gateway for 30 seconds each.
fn apis(draft: Draft) -> Draft {
    let mut draft = draft;
    let slow = draft.stack("Slow", 100, &[]);
    draft.stack("Last", 100, &[slow]);
    for id in ["Api1", "Api2", "Api3"] {
        let api = draft.stack(id, 20, &[]);
        draft.loaded(api, 30);
    }
    draft
}

#[test]
fn stacks_with_slack_are_sent_one_after_another() {
    let ran = ran(apis(Draft::new()).plan(), Sends::creations());
    assert_eq!(["Api1", "Api2", "Api3"].map(|id| sent(&ran, id)), [0.0, 30.0, 60.0]);
    assert_eq!(ran.total(), 200.0);
    let waits = &ran.finished("deploy:Api3").waited;
    let waits: Vec<_> = waits.iter().map(|it| (it.limit.as_str(), it.waited_s)).collect();
    assert_eq!(waits, [("staggered", 60.0)]);
}

#[test]
fn the_critical_stack_never_waits_and_others_wait_only_for_their_slack() {
    let mut draft = Draft::new();
    for (id, seconds) in [("Critical", 100), ("AlsoCritical", 100), ("Short", 90)] {
        let step = draft.stack(id, seconds, &[]);
        draft.loaded(step, 60);
    }
    let ran = ran(draft.plan(), Sends::creations());
    assert_eq!(["Critical", "AlsoCritical", "Short"].map(|id| sent(&ran, id)), [0.0, 0.0, 10.0]);
    assert_eq!(ran.total(), 100.0);
}

#[test]
fn nothing_is_staggered_where_stacks_wait_for_room() {
    for draft in [Draft::new().limited(4, 1, 1), Draft::new().limited_to_resources(4)] {
        let ran = ran(apis(draft).plan(), Sends::creations());
        assert_eq!(sent(&ran, "Api2"), 0.0);
    }
}

#[test]
fn other_regions_and_updates_are_not_staggered() {
    let mut draft = apis(Draft::new());
    draft.sized(3, 1, "us-east-1");
    let ran_there = ran(draft.plan(), Sends::creations());
    assert_eq!(["Api1", "Api2", "Api3"].map(|id| sent(&ran_there, id)), [0.0, 0.0, 30.0]);
    let updates = ran(apis(Draft::new()).plan(), Sends { operation: "update", ..Sends::creations() });
    assert_eq!(["Api1", "Api2", "Api3"].map(|id| sent(&updates, id)), [0.0; 3]);
}

#[test]
fn slack_that_a_stack_loses_is_not_used() {
    // Slow is unchanged, so it does not take the time that it was expected to take.
    let mut draft = Draft::new();
    draft.stack("Slow", 200, &[]);
    for id in ["Api1", "Api2"] {
        let api = draft.stack(id, 20, &[]);
        draft.loaded(api, 30);
    }
    let ran = ran(draft.plan(), Sends { first_is_unchanged: true, ..Sends::creations() });
    assert_eq!(["Api1", "Api2"].map(|id| sent(&ran, id)), [0.0, 1.0]);
}

#[test]
fn a_run_that_is_stopped_ends_at_once_and_sends_nothing_that_was_held_back() {
    let ran = stopping_after(10, Sends::creations(), apis(Draft::new()).plan());
    assert_eq!((ran.end.exit_code, ran.total()), (ExitCode::Interrupted, 10.0));
    // What was held back was not sent, so the journal does not say that it was.
    let submitted = ran.events.iter().filter(|event| matches!(event.fact, Fact::StackSubmitted(_)));
    assert_eq!(submitted.count(), 2);
}

fn random(nodes: &[(u64, u64, Vec<prop::sample::Index>)], stacks: usize, is_loaded: bool) -> Plan {
    let mut draft = Draft::new().limited(stacks, 1, 1);
    for (number, (seconds, load, needs)) in nodes.iter().enumerate() {
        let needs = if number == 0 { &[][..] } else { &needs[..] };
        let mut needs: Vec<usize> = needs.iter().map(|need| need.index(number)).collect();
        needs.sort_unstable();
        needs.dedup();
        let step = draft.stack(&format!("S{number}"), *seconds, &needs);
        if is_loaded {
            draft.loaded(step, *load);
        }
    }
    draft.plan()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_run_ends_later_because_of_staggering(
        nodes in prop::collection::vec(
            (1..100_u64, 0..60_u64, prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..15),
        stacks in 1..12_usize,
    ) {
        let [with, without] = [true, false].map(|is_loaded| {
            ran(random(&nodes, stacks, is_loaded), Sends::creations()).total()
        });
        prop_assert!(with <= without, "{with} s instead of {without} s");
    }
}

//! Limits of steps that run at once. `invariants` checks for every run that no limit is exceeded.

use std::num::NonZeroUsize;
use std::time::Duration;

use paceline_engine::event::LimitWait;
use paceline_engine::{Ended, ExitCode, Fact, Outcome, Perform, StepContext};

use crate::draft::Draft;
use crate::script::{Act, Script, ran, ran_unchecked, stopping_after};
use crate::talk::{Say, Talk};

#[test]
fn stacks_files_and_images_have_separate_limits() {
    let mut draft = Draft::new().limited(1, 2, 3);
    for number in 0..6 {
        draft.stack(&format!("S{number}"), 60, &[]);
        draft.file(&format!("f{number}"), 60);
        draft.image(&format!("i{number}"), 60);
    }
    let ran = ran(draft.plan(), Script::default());
    assert_eq!(
        (ran.ended("deploy:S5"), ran.ended("publish:f5"), ran.ended("publish:i5")),
        (360.0, 180.0, 120.0)
    );
}

#[test]
fn gates_and_commands_have_no_limit() {
    let mut draft = Draft::new().limited(100, 1, 1);
    let stacks: Vec<usize> = (0..100).map(|number| draft.stack(&format!("S{number}"), 60, &[])).collect();
    for stack in stacks {
        draft.gate(stack, 60);
        draft.command(&format!("after-{stack}"), 60, &[stack]);
    }
    assert_eq!(ran(draft.plan(), Script::default()).total(), 120.0);
}

fn waited(waits: &[LimitWait]) -> Vec<(&str, f64)> {
    waits.iter().map(|wait| (wait.limit.as_str(), wait.waited_s)).collect()
}

#[test]
fn the_resources_in_operations_stay_within_the_limit_of_their_region() {
    let mut draft = Draft::new().limited_to_resources(100);
    for number in 0..4 {
        let here = draft.stack(&format!("Here{number}"), 60, &[]);
        draft.sized(here, 50, "eu-west-1");
        let there = draft.stack(&format!("There{number}"), 60, &[]);
        draft.sized(there, 25, "us-east-1");
    }
    let ran = ran(draft.plan(), Script::default());
    assert_eq!((ran.started("deploy:Here1"), ran.started("deploy:Here2")), (0.0, 60.0));
    assert_eq!((ran.started("deploy:There3"), ran.total()), (0.0, 120.0));
    assert_eq!(waited(&ran.finished("deploy:Here2").waited), [("concurrency.resources", 60.0)]);
    assert_eq!(waited(&ran.finished("deploy:Here1").waited), []);
}

#[test]
fn a_stack_that_is_larger_than_the_limit_runs_alone_and_is_not_overtaken() {
    let mut draft = Draft::new().limited_to_resources(10);
    for (id, seconds, resources) in [("First", 300, 5), ("Huge", 200, 400), ("Small", 10, 5)] {
        let step = draft.stack(id, seconds, &[]);
        draft.sized(step, resources, "eu-west-1");
    }
    let ran = ran(draft.plan(), Script::default());
    assert_eq!((ran.started("deploy:Huge"), ran.started("deploy:Small")), (300.0, 500.0));
    assert_eq!(ran.end.exit_code, ExitCode::Done);
}

#[test]
fn the_limit_of_the_account_counts_unless_the_configuration_has_one() {
    let total = |configured: Option<usize>| {
        let mut draft = Draft::new();
        if let Some(resources) = configured {
            draft = draft.limited_to_resources(resources);
        }
        for number in 0..4 {
            draft.stack(&format!("S{number}"), 60, &[]);
        }
        ran_unchecked(draft.plan(), InAccount(Script::default())).total()
    };
    assert_eq!((total(None), total(Some(4)), total(Some(1))), (120.0, 60.0, 240.0));
}

#[test]
fn a_stack_that_is_expected_to_be_unchanged_counts_only_when_it_changes() {
    let mut draft = Draft::new().limited_to_resources(2);
    for (id, resources) in [("Changed", 2), ("Unchanged", 2), ("Before", 0)] {
        let step = draft.stack(id, 60, &[]);
        draft.sized(step, resources, "eu-west-1");
        draft.unchanged(step);
    }
    let late = draft.stack("Late", 1, &[2]);
    draft.sized(late, 2, "eu-west-1");
    // The run finds out after five seconds that the stack has changed.
    let script = Script::default()
        .with("deploy:Before", Act::EndsAfter(Outcome::Unchanged, Duration::from_secs(10)))
        .with("deploy:Unchanged", Act::EndsAfter(Outcome::Unchanged, Duration::from_secs(1)));
    let talk = Talk::of(script, "deploy:Changed", &[(5, &[Say::Submits("update")])]);
    let ran = ran_unchecked(draft.plan(), talk);
    assert_eq!((ran.started("deploy:Unchanged"), ran.started("deploy:Late")), (0.0, 60.0));
}

#[test]
fn a_wait_is_divided_among_the_limits_that_caused_it() {
    let mut draft = Draft::new().limited(2, 1, 1).limited_to_resources(10);
    for (id, seconds, resources) in [("A", 100, 9), ("B", 30, 1), ("C", 20, 5)] {
        let step = draft.stack(id, seconds, &[]);
        draft.sized(step, resources, "eu-west-1");
    }
    let ran = ran(draft.plan(), Script::default());
    let expected = [("concurrency.stacks", 30.0), ("concurrency.resources", 70.0)];
    assert_eq!(waited(&ran.finished("deploy:C").waited), expected);
    let facts = ran.events.iter().map(|event| &event.fact);
    let started = facts.filter_map(|fact| match fact {
        Fact::StepStarted(started) if started.step.step == "deploy:C" => Some(waited(&started.waited)),
        _ => None,
    });
    assert_eq!(started.collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_step_that_never_starts_names_the_limit_that_it_waited_for() {
    let mut draft = Draft::new().limited(1, 1, 1);
    draft.stack("A", 100, &[]);
    draft.stack("B", 30, &[]);
    let ran = stopping_after(40, Script::default(), draft.plan());
    let never = ran.finished("deploy:B");
    assert_eq!(
        (never.outcome, waited(&never.waited)),
        (Outcome::Interrupted, vec![("concurrency.stacks", 40.0)])
    );
}

/// A performer in an account with a limit of two resources.
struct InAccount(Script);

impl Perform for InAccount {
    async fn perform(&self, context: StepContext) -> Ended {
        self.0.perform(context).await
    }

    fn concurrent_resources(&self, account: Option<&str>, region: Option<&str>) -> Option<NonZeroUsize> {
        assert_eq!((account, region), (Some("111111111111"), Some("eu-west-1")));
        NonZeroUsize::new(2)
    }
}

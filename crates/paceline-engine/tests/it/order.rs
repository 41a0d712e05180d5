//! The order in which steps start: promises 1 and 2.

use std::time::Duration;

use paceline_engine::{ExitCode, Outcome};

use crate::draft::Draft;
use crate::script::{Act, Script, ran};

#[test]
fn a_step_starts_when_the_last_of_its_needs_has_ended() {
    let mut draft = Draft::new();
    let a = draft.stack("A", 10, &[]);
    let b = draft.stack("B", 25, &[]);
    let c = draft.stack("C", 5, &[a]);
    draft.stack("D", 5, &[a, b, c]);
    let ran = ran(draft.plan(), Script::default());
    assert_eq!((ran.started("deploy:A"), ran.started("deploy:B")), (0.0, 0.0));
    assert_eq!((ran.started("deploy:C"), ran.started("deploy:D")), (10.0, 25.0));
    assert_eq!((ran.total(), ran.end.exit_code), (30.0, ExitCode::Done));
}

#[test]
fn assets_start_at_once_and_a_stack_waits_only_for_its_own_assets() {
    let mut draft = Draft::new();
    let quick = draft.file("quick", 2);
    let slow = draft.image("slow", 300);
    let a = draft.stack("A", 60, &[quick]);
    draft.stack("B", 60, &[slow, a]);
    draft.stack("C", 60, &[a]);
    let ran = ran(draft.plan(), Script::default());
    assert_eq!((ran.started("publish:quick"), ran.started("publish:slow")), (0.0, 0.0));
    assert_eq!((ran.started("deploy:A"), ran.started("deploy:C")), (2.0, 62.0));
    assert_eq!(ran.started("deploy:B"), 300.0);
}

#[test]
fn a_gate_starts_after_its_stack_and_before_the_consumers() {
    let mut draft = Draft::new();
    let a = draft.stack("A", 60, &[]);
    let gate = draft.gate(a, 10);
    draft.stack("B", 60, &[gate]);
    draft.stack("C", 60, &[a]);
    let ran = ran(draft.plan(), Script::default());
    assert_eq!(ran.started("gate:iam-roles:A"), 60.0);
    assert_eq!((ran.started("deploy:B"), ran.started("deploy:C")), (70.0, 60.0));
    assert_eq!(ran.finished("gate:iam-roles:A").step.stack.as_deref(), Some("A"));
}

/// Eight single stacks and a chain of four stacks, two at a time. That is 12 minutes of work, so 6 minutes
/// are enough. A schedule that starts the chain last needs 8 minutes.
#[test]
fn the_longest_remaining_path_goes_first() {
    let mut draft = Draft::new().limited(2, 8, 4);
    for number in 0..8 {
        draft.stack(&format!("Single{number}"), 60, &[]);
    }
    let mut before = Vec::new();
    for number in 0..4 {
        before = vec![draft.stack(&format!("Chain{number}"), 60, &before)];
    }
    let ran = ran(draft.plan(), Script::default());
    assert_eq!(ran.started("deploy:Chain0"), 0.0);
    assert_eq!(ran.total(), 6.0 * 60.0);
}

#[test]
fn of_equal_steps_the_first_in_the_plan_starts_first() {
    let mut draft = Draft::new().limited(1, 8, 4);
    for id in ["C", "A", "B"] {
        draft.stack(id, 60, &[]);
    }
    let ran = ran(draft.plan(), Script::default());
    assert_eq!(ran.starts(), ["deploy:C", "deploy:A", "deploy:B"]);
    assert_eq!(ran.finished("deploy:B").queued_s, 120.0);
}

/// Two steps end at the same moment. One of them releases a light step, the other one heavy steps. The light
/// step must not start first, whichever end is handled first.
#[test]
fn steps_that_end_together_are_handled_before_another_starts() {
    for seconds in [[10, 10_000], [10_000, 10]] {
        let mut draft = Draft::new().limited(2, 8, 4);
        let first = draft.stack("First", seconds[0], &[]);
        let second = draft.stack("Second", seconds[1], &[]);
        draft.stack("Light", 60, &[first]);
        for id in ["Heavy1", "Heavy2"] {
            draft.stack(id, 600, &[second]);
        }
        let minute = || Act::EndsAfter(Outcome::Deployed, Duration::from_mins(1));
        let script = Script::default().with("deploy:First", minute()).with("deploy:Second", minute());
        let ran = ran(draft.plan(), script);
        assert_eq!((ran.started("deploy:Heavy1"), ran.started("deploy:Heavy2")), (60.0, 60.0));
        assert_eq!(ran.started("deploy:Light"), 660.0);
        assert_eq!(ran.ends()[..2], ["deploy:First", "deploy:Second"]);
    }
}

#[test]
fn the_same_plan_gives_the_same_events() {
    let plan = || {
        let mut draft = Draft::new().limited(3, 2, 1);
        let mut stacks = Vec::new();
        for number in 0..40 {
            let file = draft.file(&format!("f{number}"), 2);
            let image = draft.image(&format!("i{number}"), 1 + number % 5);
            let before = if stacks.is_empty() { file } else { stacks[stacks.len() / 2] };
            stacks.push(draft.stack(&format!("S{number}"), 1 + number % 7, &[file, image, before]));
        }
        draft.plan()
    };
    let script = || Script::failing(&["deploy:S7", "publish:i20"]);
    let (one, other) = (ran(plan(), script()), ran(plan(), script()));
    assert_eq!(one.events, other.events);
}

#[test]
fn a_plan_without_steps_is_done() {
    let mut plan = Draft::new().plan();
    plan.steps.clear();
    let ran = ran(plan, Script::default());
    assert_eq!((ran.end.exit_code, ran.events.len()), (ExitCode::Done, 2));
}

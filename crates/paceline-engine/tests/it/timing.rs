//! Schedules. The engine itself makes them, so they cannot disagree with it.

use std::time::Duration;

use paceline_engine::{one_after_another, schedule};
use paceline_plan::Plan;
use paceline_plan::forecast::PUSH_TIME;

use crate::draft::Draft;
use crate::script::{Script, ran};

fn plan() -> Plan {
    let mut draft = Draft::new().limited(3, 2, 1);
    let mut stacks: Vec<usize> = Vec::new();
    for number in 0..30 {
        let mut needs =
            vec![draft.file(&format!("f{number}"), 2), draft.image(&format!("i{number}"), number % 4)];
        needs.extend(stacks.get(stacks.len() / 2));
        let stack = draft.stack(&format!("S{number}"), 10 + number * 7 % 50, &needs);
        stacks.push(if number % 3 == 0 { draft.gate(stack, 5) } else { stack });
    }
    draft.plan()
}

#[test]
fn a_schedule_has_the_times_of_the_run() {
    let schedule = schedule(&plan()).unwrap();
    let ran = ran(plan(), Script::default());
    assert_eq!(schedule.total.as_secs_f64(), ran.total());
    for (step, (start, end)) in ran.plan.steps.iter().zip(&schedule.steps) {
        assert_eq!((start.as_secs_f64(), end.as_secs_f64()), (ran.started(&step.id), ran.ended(&step.id)));
    }
}

/// The caller may be on a runtime with real or virtual time.
#[tokio::test]
async fn a_schedule_can_be_made_within_a_runtime() {
    assert_eq!(schedule(&plan()).unwrap(), schedule(&plan()).unwrap());
}

#[test]
fn a_schedule_uses_the_given_durations() {
    let plan = plan().with_durations(|_| Duration::from_millis(1500));
    let schedule = schedule(&plan).unwrap();
    assert!(schedule.steps.iter().all(|(start, end)| *end == *start + Duration::from_millis(1500)));
}

#[test]
fn an_image_for_several_places_is_built_once_and_waiting_steps_free_their_places() {
    let mut draft = Draft::new().limited(1, 1, 2);
    for place in ["a", "b", "c"] {
        draft.image_to("shared", place, 100);
    }
    draft.image_to("other", "d", 100);
    let plan = draft.plan();
    let schedule = schedule(&plan).unwrap();
    assert_eq!(schedule.total, Duration::from_secs(100));
    // The first step builds for the others, which only push.
    let sequence = 100 + 2 * PUSH_TIME.as_secs() + 100 + 1;
    assert_eq!(one_after_another(&plan).unwrap(), Duration::from_secs(sequence));
}

#[test]
fn one_after_another_is_the_sum_of_all_steps() {
    let mut draft = Draft::new();
    let file = draft.file("f", 1000);
    let a = draft.stack("A", 60, &[file]);
    draft.gate(a, 1000);
    draft.stack("B", 30, &[]);
    assert_eq!(one_after_another(&draft.plan()).unwrap(), Duration::from_secs(2090));
}

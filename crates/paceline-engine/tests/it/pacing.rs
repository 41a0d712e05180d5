//! The time that the forecast adds to stack operations, because the runner adds it.

use std::time::Duration;

use paceline_engine::schedule;
use paceline_plan::Plan;
use paceline_plan::StepOperation;
use paceline_plan::forecast::Basis;
use paceline_plan::pace::{CALL, LONGEST_POLL, MUTATING_RATE, SHORTEST_POLL, spacing};

use crate::draft::Draft;

/// Independent stacks. Each takes this many seconds according to the table.
fn plan(seconds: &[u64]) -> Plan {
    let mut draft = Draft::new();
    for (number, &seconds) in seconds.iter().enumerate() {
        draft.stack(&format!("S{number}"), seconds, &[]);
    }
    let mut plan = draft.plan();
    plan.steps.iter_mut().for_each(|step| step.expected_from = Basis::Table);
    plan
}

fn total(plan: &Plan) -> Duration {
    schedule(plan).unwrap().total
}

#[test]
fn the_end_of_a_stack_is_noticed_at_the_next_poll_within_the_longest_interval() {
    for seconds in [1, 10, 60, 600, 3600] {
        let late = total(&plan(&[seconds])).saturating_sub(Duration::from_secs(seconds));
        assert!(late >= CALL * 3, "{seconds} s: {late:?}");
        assert!(late <= LONGEST_POLL + CALL * 6, "{seconds} s: {late:?}");
    }
    let quick = total(&plan(&[1])).saturating_sub(Duration::from_secs(1));
    assert!(quick <= SHORTEST_POLL + CALL * 6, "a short operation is watched closely: {quick:?}");
}

#[test]
fn stacks_of_one_region_start_no_faster_than_the_api_allows() {
    let many = vec![10; 100];
    let one_region = total(&plan(&many));
    assert!(one_region >= Duration::from_secs(10) + spacing(MUTATING_RATE) * 98, "{one_region:?}");
    let mut two_regions = plan(&many);
    two_regions.stacks.iter_mut().step_by(2).for_each(|stack| stack.region = Some("us-east-1".to_owned()));
    let halved = spacing(MUTATING_RATE) * 48;
    assert!(one_region >= total(&two_regions) + halved, "each region has a rate of its own");
}

#[test]
fn nothing_is_added_to_a_measured_time() {
    let mut plan = plan(&[10, 20]);
    plan.steps.iter_mut().for_each(|step| step.expected_from = Basis::History(3));
    assert_eq!(total(&plan), Duration::from_secs(20));
}

#[test]
fn an_unchanged_stack_takes_only_the_time_of_a_look() {
    let mut plan = plan(&[1]);
    plan.stacks[0].operation = StepOperation::Unchanged;
    assert!(total(&plan) <= Duration::from_secs(1) + CALL * 2);
}

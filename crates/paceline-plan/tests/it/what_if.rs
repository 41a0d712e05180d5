//! What would be if: changes of a plan, and what they leave alone.

use std::time::Duration;

use paceline_plan::Plan;
use paceline_plan::forecast::Basis;
use paceline_plan::what_if::Change;
use paceline_text::Explained as _;
use serde_json::json;

use crate::build::{App, empty, resources};

fn chain() -> App {
    App::default()
        .stack("A", "us-east-1", resources(json!({ "Role": { "Type": "AWS::IAM::Role" } })))
        .after("B", &["A"])
        .after("C", &["B"])
        .stack("Slow", "us-east-1", empty())
        .config("gates: [{ after: A, iam-roles: all }]")
}

fn change(plan: &Plan, text: &str) -> Plan {
    Change::parse(text).unwrap().apply(plan).unwrap()
}

#[track_caller]
fn check_refused(text: &str, problem: &str, hint: &str) {
    let error = Change::parse(text).unwrap().apply(&chain().plan()).unwrap_err();
    assert_eq!(
        (error.to_string(), error.hint().unwrap().as_str()),
        (format!("--what-if '{text}': {problem}"), hint)
    );
}

fn needs(plan: &Plan, step: &str) -> Vec<String> {
    let step = plan.steps.iter().find(|it| it.id == step).unwrap();
    step.needs.iter().map(|&need| plan.steps[need].id.clone()).collect()
}

#[test]
fn a_stack_that_takes_longer_may_become_the_critical_path() {
    let plan = chain().plan();
    assert_eq!(plan.critical_path, ["A", "B", "C"]);
    let changed = change(&plan, "Slow=2h");
    assert_eq!(changed.critical_path, ["Slow"]);
    let slow = changed.stacks.iter().position(|stack| stack.id == "Slow").unwrap();
    assert_eq!(changed.stacks[slow].expected_from, Basis::Assumed);
    assert_eq!(changed.steps[changed.deploy_step(slow).unwrap()].expected, Duration::from_hours(2));
    assert_eq!(plan.critical_path, ["A", "B", "C"], "the plan itself stays");
}

#[test]
fn a_pattern_means_every_stack_that_it_matches() {
    let changed = change(&chain().plan(), "*=1h");
    assert!(changed.stacks.iter().all(|stack| stack.expected == Duration::from_hours(1)));
}

#[test]
fn without_its_edge_a_stack_waits_neither_for_the_other_nor_for_the_gate_after_it() {
    let plan = chain().plan();
    assert_eq!(needs(&plan, "deploy:B"), ["gate:iam-roles:A"]);
    let changed = change(&plan, "drop-edge B A");
    assert!(needs(&changed, "deploy:B").is_empty());
    assert_eq!(needs(&changed, "deploy:C"), ["deploy:B"]);
    assert_eq!(needs(&changed, "gate:iam-roles:A"), ["deploy:A"]);
}

#[test]
fn at_a_barrier_each_stack_still_waits_for_each_of_the_phase_before() {
    let app = App::default()
        .stack("A", "us-east-1", empty())
        .after("B", &["A"])
        .stack("C", "us-east-1", empty())
        .after("D", &["C"])
        .config("phases: [{ name: one, stacks: [A, B] }, { name: two, barrier: true, stacks: [C, D] }]");
    let plan = app.plan();
    assert_eq!(needs(&plan, "deploy:C"), ["deploy:B"]);
    assert_eq!(needs(&change(&plan, "drop-edge B A"), "deploy:C"), ["deploy:A", "deploy:B"]);
    assert_eq!(needs(&change(&plan, "drop-edge D C"), "deploy:D"), ["deploy:B"]);
}

#[test]
fn what_is_not_there_is_refused_with_what_may_be_meant() {
    check_refused("Slw=5m", "no stack is called `Slw`", "did you mean `Slow`?");
    check_refused(
        "drop-edge C A",
        "C does not wait for A directly",
        "C waits directly for B: did you mean one of these?",
    );
    check_refused(
        "drop-edge A B",
        "A does not wait for B directly",
        "it is the other way round: did you mean 'drop-edge B A'?",
    );
    check_refused("drop-edge Slow A", "Slow does not wait for A directly", "Slow waits for no other stack");
    check_refused("drop-edge ? A", "`?` is several stacks: A, B, C", "give the id of one");
}

//! Random plans, durations, limits, failures and stops. `invariants` checks them.

use std::time::Duration;

use paceline_engine::{ExitCode, Outcome, RunOptions, schedule};
use paceline_plan::Plan;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::draft::Draft;
use crate::script::{Act, Script, options, ran, ran_with, stopping_after};
use crate::talk::{Say, Talk};

#[derive(Debug, Clone)]
struct Node {
    kind: u8,
    seconds: u64,
    needs: Vec<prop::sample::Index>,
    act: u8,
    takes: u64,
    /// True if the step waits only for resources of the stacks that it needs.
    early: bool,
    says: Vec<(u64, Vec<Say>)>,
}

/// The resources of every stack. Its readers wait for the first two.
const RESOURCES: [&str; 3] = ["P", "Q", "Other"];

fn say() -> impl Strategy<Value = Say> {
    let resource = |statuses: &'static [&'static str]| {
        (prop::sample::select(&RESOURCES[..]), prop::sample::select(statuses))
    };
    let complete = resource(&["CREATE_COMPLETE", "UPDATE_COMPLETE"]);
    let other = resource(&[
        "UPDATE_IN_PROGRESS",
        "DELETE_FAILED",
        "DELETE_COMPLETE",
        "UPDATE_FAILED",
        "CREATE_FAILED",
    ]);
    let stack =
        ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"];
    let operation = ["create", "update", "delete", "continue-rollback"];
    prop_oneof![
        12 => complete.clone().prop_map(|(id, status)| Say::Resource(id, status)),
        2 => complete.prop_map(|(id, status)| Say::Unconfirmed(id, status)),
        2 => other.prop_map(|(id, status)| Say::Resource(id, status)),
        2 => prop::sample::select(stack.to_vec()).prop_map(Say::Stack),
        2 => prop::sample::select(operation.to_vec()).prop_map(Say::Submits),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let needs = vec(any::<prop::sample::Index>(), 0..4);
    let says = vec((0..100_u64, vec(say(), 1..4)), 0..5).prop_map(|mut says| {
        says.sort_by_key(|(at, _)| *at);
        says
    });
    let node = (0..6_u8, 0..100_u64, needs, 0..40_u8, 0..100_u64, any::<bool>(), says);
    node.prop_map(|(kind, seconds, needs, act, takes, early, says)| Node {
        kind,
        seconds,
        needs,
        act,
        takes,
        early,
        says,
    })
}

fn plan(nodes: &[Node], limits: (usize, usize, usize), fails_fast: bool) -> Plan {
    let mut draft = Draft::new().limited(limits.0, limits.1, limits.2);
    if fails_fast {
        draft = draft.finishing_running();
    }
    let (mut stacks, mut deployed) = (Vec::new(), Vec::new());
    for (number, node) in nodes.iter().enumerate() {
        let mut needs: Vec<usize> = match number {
            0 => Vec::new(),
            _ => node.needs.iter().map(|need| need.index(number)).collect(),
        };
        needs.sort_unstable();
        needs.dedup();
        let step = match (node.kind, stacks.last()) {
            (0, _) => draft.file(&format!("f{number}"), node.seconds),
            (1, _) => draft.image(&format!("i{number}"), node.seconds),
            (3, Some(_)) => draft.command(&format!("c{number}"), node.seconds, &needs),
            (2, Some(&stack)) => {
                stacks.pop();
                draft.gate(stack, node.seconds)
            }
            _ => {
                stacks.push(number);
                draft.stack(&format!("S{number}"), node.seconds, &needs)
            }
        };
        let is_stack = draft.is_stack(step);
        for &need in needs.iter().filter(|need| is_stack && node.early && deployed.contains(*need)) {
            draft.until(step, need, &RESOURCES[..2]);
        }
        deployed.extend(is_stack.then_some(step));
    }
    draft.plan()
}

fn script(plan: &Plan, nodes: &[Node]) -> Script {
    plan.steps.iter().zip(nodes).fold(Script::default(), |script, (step, node)| {
        let outcome = match node.act {
            0 => Outcome::Failed,
            1 => Outcome::RolledBack,
            2 => Outcome::Interrupted,
            3 => Outcome::Skipped,
            4 => return script.with(&step.id, Act::Panics),
            5 => return script.with(&step.id, Act::FailsPreflight),
            6 => Outcome::Unchanged,
            _ => Outcome::Deployed,
        };
        script.with(&step.id, Act::EndsAfter(outcome, Duration::from_secs(node.takes)))
    })
}

/// The script, and the reports of stacks while they run.
fn talk(plan: &Plan, nodes: &[Node]) -> Talk {
    let stacks = plan.steps.iter().zip(nodes).filter(|(step, _)| step.work.changes().is_some());
    Talk::new(script(plan, nodes), stacks.map(|(step, node)| (step.id.clone(), node.says.clone())).collect())
}

fn limits() -> impl Strategy<Value = (usize, usize, usize)> {
    (1..6_usize, 1..4_usize, 1..3_usize)
}

/// Runs without printing panics. Thousands of intended panics would hide the other output of the tests.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_on_purpose =
                info.payload_as_str().is_some_and(|text| text.starts_with("a bug in the performer"));
            if !is_on_purpose {
                loud(info);
            }
        }));
    });
    run()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_holds(nodes in vec(node(), 1..40), limits in limits(), fails_fast: bool) {
        let plan = plan(&nodes, limits, fails_fast);
        let script = talk(&plan, &nodes);
        quietly(|| ran(plan, script));
    }

    #[test]
    fn a_stop_ends_the_run_at_once(
        nodes in vec(node(), 1..40), limits in limits(), fails_fast: bool, after in 0..300_u32,
    ) {
        let plan = plan(&nodes, limits, fails_fast);
        let script = talk(&plan, &nodes);
        let ran = quietly(|| stopping_after(after.into(), script, plan));
        prop_assert!(ran.total() <= f64::from(after));
        let is_stopped = ran.stops().contains(&"SIGTERM");
        prop_assert!(!is_stopped || ran.end.exit_code != ExitCode::Done || ran.total() == f64::from(after));
    }

    #[test]
    fn a_deadline_ends_the_run_at_once(
        nodes in vec(node(), 1..40), limits in limits(), fails_fast: bool, after in 0..300_u32,
    ) {
        let plan = plan(&nodes, limits, fails_fast);
        let script = talk(&plan, &nodes);
        let options = RunOptions { deadline: Some(Duration::from_secs(after.into())), ..options() };
        let ran = quietly(|| ran_with(plan, script, options));
        prop_assert!(ran.total() <= f64::from(after));
    }

    #[test]
    fn two_runs_give_the_same_events(nodes in vec(node(), 1..40), limits in limits(), fails_fast: bool) {
        let plan = plan(&nodes, limits, fails_fast);
        let (one, other) = quietly(|| {
            (ran(plan.clone(), talk(&plan, &nodes)), ran(plan.clone(), talk(&plan, &nodes)))
        });
        prop_assert_eq!(one.events, other.events);
    }

    /// If all steps share one limit, a schedule that never leaves a free place unused takes at most twice the
    /// optimum.
    #[test]
    fn a_schedule_is_the_run_and_near_the_optimum(nodes in vec(node(), 1..40), limit in 1..6_u8) {
        let nodes: Vec<Node> = nodes.into_iter().map(|node| Node { kind: 5, early: false, ..node }).collect();
        let plan = plan(&nodes, (limit.into(), 1, 1), false);
        let schedule = schedule(&plan).unwrap();
        let ran = ran(plan.clone(), Script::default());
        prop_assert_eq!(schedule.total.as_secs_f64(), ran.total());
        let work: f64 = plan.steps.iter().map(|step| step.expected.as_secs_f64()).sum();
        let expected: Vec<Duration> = plan.steps.iter().map(|step| step.expected).collect();
        let order: Vec<usize> = (0..plan.steps.len()).collect();
        let longest = plan.step_graph().remaining(&order, &expected).into_iter().max().unwrap_or_default();
        let bound = longest.as_secs_f64().max(work / f64::from(limit));
        prop_assert!(ran.total() >= bound && ran.total() <= 2.0 * bound);
    }
}

#[test]
fn a_failure_skips_what_depends_on_it_through_an_interrupted_step() {
    let mut draft = Draft::new();
    let a = draft.stack("A", 0, &[]);
    let b = draft.stack("B", 0, &[a]);
    draft.until(b, a, &RESOURCES[..2]);
    draft.stack("C", 0, &[b]);
    let script = Script::default()
        .with("deploy:A", Act::EndsAfter(Outcome::Failed, Duration::from_secs(43)))
        .with("deploy:B", Act::EndsAfter(Outcome::Interrupted, Duration::ZERO));
    let complete = RESOURCES[..2].iter().map(|&id| Say::Resource(id, "CREATE_COMPLETE")).collect();
    let talk = Talk::new(script, [("deploy:A".to_owned(), vec![(0, complete)])].into());
    let ran = ran(draft.plan(), talk);
    assert_eq!(ran.outcome("deploy:C"), Outcome::Skipped);
    assert_eq!(ran.finished("deploy:C").because.as_deref(), Some("deploy:A"));
}

//! What holds for the plan of any app.

use std::collections::{BTreeSet, HashMap};

use paceline_plan::Work;
use proptest::prelude::*;
use serde_json::json;

use crate::build::{App, empty, resources};

/// For each stack, in a shuffled order: which of the others it waits for, whether it has a role and a gate,
/// and its phase.
#[derive(Debug, Clone)]
struct Shape {
    order: Vec<usize>,
    edges: BTreeSet<(usize, usize)>,
    gated: Vec<bool>,
    sequential: bool,
    barrier: bool,
    phases: usize,
}

fn shapes() -> impl Strategy<Value = Shape> {
    (1..12_usize).prop_flat_map(|len| {
        let order = Just((0..len).collect::<Vec<_>>()).prop_shuffle();
        let edges = prop::collection::btree_set((0..len, 0..len), 0..len * 2);
        let gated = prop::collection::vec(any::<bool>(), len);
        (order, edges, gated, any::<bool>(), any::<bool>(), 1..4_usize).prop_map(
            |(order, edges, gated, sequential, barrier, phases)| {
                // An edge points to a lower number, so that there is no circle.
                let edges = edges.into_iter().filter(|(from, to)| from > to).collect();
                Shape { order, edges, gated, sequential, barrier, phases }
            },
        )
    })
}

impl Shape {
    fn app(&self) -> App {
        let len = self.order.len();
        let role = resources(json!({ "Role": { "Type": "AWS::IAM::Role" } }));
        let mut app = App::default();
        for &number in &self.order {
            let before = self.edges.iter().filter(|(from, _)| *from == number);
            let before: Vec<String> = before.map(|(_, to)| format!("S{to}")).collect();
            let template = if self.gated[number] { role.clone() } else { empty() };
            app = app.artifact(&format!("S{number}"), json!({ "dependencies": before }), template);
        }
        // Phases of numbers in ascending order never contradict the edges.
        let phase = |phase: usize| {
            let stacks = (0..len).filter(|number| number * self.phases / len == phase);
            let stacks: Vec<String> = stacks.map(|number| format!("S{number}")).collect();
            json!({ "name": format!("p{phase}"), "stacks": stacks, "sequential": self.sequential, "barrier": self.barrier })
        };
        let gated = (0..len).filter(|&number| self.gated[number]);
        let gates = gated.map(|number| json!({ "after": format!("S{number}"), "iam-roles": "all" }));
        let config = json!({
            "phases": (0..self.phases).map(phase).collect::<Vec<_>>(),
            "gates": gates.collect::<Vec<_>>(),
        });
        app.config(&config.to_string())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_respects_every_edge_and_no_stack_is_lost(shape in shapes()) {
        let plan = shape.app().plan();
        prop_assert_eq!(plan.stacks.len(), shape.order.len());
        let at: HashMap<&str, usize> =
            plan.stacks.iter().enumerate().map(|(at, stack)| (stack.id.as_str(), at)).collect();
        prop_assert_eq!(at.len(), shape.order.len());
        for (from, to) in &shape.edges {
            let (from, to) = (format!("S{from}"), format!("S{to}"));
            prop_assert!(at[to.as_str()] < at[from.as_str()]);
        }
        for stack in &plan.stacks {
            for edge in &stack.depends_on {
                prop_assert_eq!(&edge.from, &stack.id);
                prop_assert!(at[edge.to.as_str()] < at[stack.id.as_str()]);
                prop_assert!(plan.stacks[at[edge.to.as_str()]].level < stack.level);
            }
        }
        for (number, step) in plan.steps.iter().enumerate() {
            prop_assert!(step.needs.iter().all(|&need| need < number));
        }
        // Each stack is deployed once, after the gates of what it waits for.
        for number in 0..plan.stacks.len() {
            let deploys = plan.steps.iter().filter(|step| step.work == Work::Deploy { stack: number });
            prop_assert_eq!(deploys.count(), 1);
            let step = plan.deploy_step(number).unwrap();
            let before = plan.step_graph().all_needs(step);
            for edge in &plan.stacks[number].depends_on {
                let gate = format!("gate:iam-roles:{}", edge.to);
                for (other, it) in plan.steps.iter().enumerate().filter(|(_, it)| it.id == gate) {
                    prop_assert!(before[other], "{} does not wait for {}", plan.steps[step].id, it.id);
                }
            }
        }
        // A barrier keeps phases apart, whatever edges it is made of.
        if shape.barrier {
            let graph = plan.step_graph();
            for (number, stack) in plan.stacks.iter().enumerate() {
                let before = graph.all_needs(plan.deploy_step(number).unwrap());
                for (other, earlier) in plan.stacks.iter().enumerate() {
                    if earlier.phase < stack.phase {
                        prop_assert!(before[plan.deploy_step(other).unwrap()]);
                    }
                }
            }
        }
    }
}

//! Why one stack waits for another, or for all it waits for.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;

use paceline_text::near;

use super::wording::{clean, count, show_duration, show_reasons};
use crate::build::error::PlanError;
use crate::model::graph::Graph;
use crate::model::{Borrowed, Edge, LeftOut, Plan, PlannedStack, Reason, Work, folded};

mod json;

pub use json::{explain_json, explain_schema};

/// More constructs that read the same name are counted and not named.
const FEW_CONSTRUCTS: usize = 3;

/// Says why `from` waits for `to`, or without `to`, all that `from` waits for.
///
/// Both are ids or names of stacks in the plan.
pub fn explain(plan: &Plan, from: &str, to: Option<&str>) -> Result<String, PlanError> {
    let explained = Explained::new(plan);
    let from = match explained.find(from)? {
        Found::Stack(number) => number,
        Found::LeftOut(left_out) => return Ok(why_left_out(left_out)),
    };
    let Some(to) = to else { return Ok(explained.one(from)) };
    match explained.find(to)? {
        Found::Stack(to) => Ok(explained.two(from, to)),
        Found::LeftOut(left_out) => Ok(why_left_out(left_out)),
    }
}

fn why_left_out(left_out: &LeftOut) -> String {
    format!("{} is left out: {}\n", clean(&left_out.stack), clean(&left_out.why.to_string()))
}

enum Found<'a> {
    Stack(usize),
    /// A stack of the app that is not in the plan.
    LeftOut(&'a LeftOut),
}

struct Explained<'a> {
    plan: &'a Plan,
    graph: Graph,
    number: HashMap<&'a str, usize>,
}

impl<'a> Explained<'a> {
    fn new(plan: &'a Plan) -> Self {
        let number: HashMap<&str, usize> =
            plan.stacks.iter().enumerate().map(|(number, stack)| (stack.id.as_str(), number)).collect();
        let mut graph = Graph::new(plan.stacks.len());
        for (from, stack) in plan.stacks.iter().enumerate() {
            for edge in &stack.depends_on {
                if let Some(&to) = number.get(edge.to.as_str()) {
                    graph.add(from, to);
                }
            }
        }
        Self { plan, graph, number }
    }

    fn find(&self, name: &str) -> Result<Found<'a>, PlanError> {
        if let Some(&number) = self.number.get(name) {
            return Ok(Found::Stack(number));
        }
        if let Some(left_out) = self.plan.left_out.iter().find(|left_out| left_out.stack == name) {
            return Ok(Found::LeftOut(left_out));
        }
        let named: Vec<usize> =
            (0..self.plan.stacks.len()).filter(|&number| self.stack(number).name == name).collect();
        match named.as_slice() {
            [number] => Ok(Found::Stack(*number)),
            [] => Err(PlanError::UnknownStack {
                place: "explain".to_owned(),
                pattern: name.to_owned(),
                meant: near(name, self.plan.stacks.iter().map(|stack| stack.id.as_str())).map(str::to_owned),
            }),
            several => Err(PlanError::Ambiguous {
                place: "explain".to_owned(),
                pattern: name.to_owned(),
                stacks: several.iter().map(|&n| self.id(n).to_owned()).collect(),
            }),
        }
    }

    fn stack(&self, number: usize) -> &'a PlannedStack {
        &self.plan.stacks[number]
    }

    fn id(&self, number: usize) -> &'a str {
        &self.stack(number).id
    }

    fn ids(&self, numbers: impl Iterator<Item = usize>) -> String {
        numbers.map(|number| clean(self.id(number))).collect::<Vec<_>>().join(", ")
    }

    /// Why one waits for the other.
    fn two(&self, from: usize, to: usize) -> String {
        let (a, b) = (clean(self.id(from)), clean(self.id(to)));
        let Some(chain) = self.shortest(from, to) else {
            return match self.shortest(to, from) {
                _ if from == to => format!("{a} is one stack and does not wait for itself\n"),
                None => format!("{a} does not wait for {b}, nor {b} for {a}\n"),
                Some(_) => {
                    format!(
                        "{a} does not wait for {b}; it is {b} that waits for {a}:\n\n{}",
                        self.two(to, from)
                    )
                }
            };
        };
        let mut out = match chain.len() {
            2 => format!("{a} waits for {b}\n"),
            length => {
                let through = self.ids(chain[1..length - 1].iter().copied());
                format!("{a} waits for {b}, through {through}\n")
            }
        };
        for pair in chain.windows(2) {
            self.edges(&mut out, pair[0], pair[1]);
        }
        let others = self.chains(from, to).saturating_sub(1);
        if others > 0 {
            let others = usize::try_from(others).unwrap_or(usize::MAX);
            let leads = if others == 1 { "leads" } else { "lead" };
            let _ = writeln!(out, "\n{} {leads} there too", count(others, "other chain"));
        }
        out
    }

    /// All that a stack waits for.
    fn one(&self, number: usize) -> String {
        let stack = self.stack(number);
        let mut about = vec![];
        about.extend(stack.region.as_deref().map(clean));
        about.extend(stack.phase.as_ref().map(|phase| format!("phase {}", clean(phase))));
        about.push(format!("about {}, {}", show_duration(stack.expected), stack.expected_from));
        let mut out = format!("{} ({})\n", clean(&stack.id), about.join(", "));
        let direct = self.graph.needs(number);
        if direct.is_empty() {
            out.push_str("waits for no other stack: it starts at once\n");
        } else {
            let _ = writeln!(out, "waits for {}", count(direct.len(), "stack"));
        }
        for &to in direct {
            self.edges(&mut out, number, to);
        }
        for asset in self.borrowed(number) {
            let (manifest, shown) = (clean(&asset.manifest), clean(&asset.shown()));
            let _ = writeln!(
                out,
                "\n  it waits until {shown} is published, which only {manifest} registers; it does not wait for \
                 {manifest}\n    used at {}",
                clean(&asset.read_at.to_string())
            );
        }
        let indirect = self.indirect(number);
        if !indirect.is_empty() {
            let ids = self.ids(indirect.iter().copied());
            let _ = writeln!(out, "\nthrough these for {} more: {ids}", indirect.len());
        }
        let waiting = self.graph.needed_by(number);
        if !waiting.is_empty() {
            let _ = writeln!(out, "\nwhat waits for it: {}", self.ids(waiting.iter().copied()));
        }
        out
    }

    /// Every edge between two stacks, with its place.
    fn edges(&self, out: &mut String, from: usize, to: usize) {
        let edges = &self.stack(from).depends_on;
        let reasons = folded(edges).remove(self.id(to)).unwrap_or_default();
        let (a, b) = (clean(self.id(from)), clean(self.id(to)));
        let _ = writeln!(out, "\n  {a} waits for {b} ({})", show_reasons(&reasons));
        for edge in self.edges_between(from, to) {
            let _ = writeln!(out, "    {}: {}", edge.reason, clean(&edge.detail()));
            places(out, &b, edge);
        }
        if self.is_declared_only(from, to) {
            let _ = writeln!(out, "    declared only: nothing in the two templates ties them");
        }
        for gate in self.gates(from, to) {
            let _ = writeln!(out, "    {}", clean(&gate));
        }
    }

    fn edges_between(&self, from: usize, to: usize) -> impl Iterator<Item = &'a Edge> {
        let to = self.id(to);
        self.stack(from).depends_on.iter().filter(move |edge| edge.to == to)
    }

    /// Whether only the manifest declares that one waits for the other.
    fn is_declared_only(&self, from: usize, to: usize) -> bool {
        self.plan.declared_only.iter().any(|it| it.from == self.id(from) && it.to == self.id(to))
    }

    /// What must be true between two stacks, once the second one is complete.
    fn gates(&self, from: usize, to: usize) -> Vec<String> {
        let is_rollout = self.edges_between(from, to).any(|edge| edge.reason == Reason::Rollout);
        let gate = |work: &Work| match work {
            Work::Gate { stack, gate } if gate.is_of_stack() && *stack == to => {
                Some(format!("gate: {} is followed by a wait until {}", self.id(to), gate.condition()))
            }
            _ => None,
        };
        let bake = self.plan.bake().filter(|_| is_rollout).map(|bake| {
            format!(
                "bake: between the two, the alarms {} of {} are watched for {}",
                bake.alarms_shown(),
                bake.region,
                show_duration(bake.time)
            )
        });
        self.plan.steps.iter().filter_map(|step| gate(&step.work)).chain(bake).collect()
    }

    /// The assets that a stack uses and only the asset manifest of another stack names.
    fn borrowed(&self, number: usize) -> impl Iterator<Item = &'a Borrowed> {
        let id = self.id(number);
        self.plan.borrowed.iter().filter(move |it| it.stack == id)
    }

    /// The stacks that a stack waits for only through others.
    fn indirect(&self, number: usize) -> Vec<usize> {
        let (all, direct) = (self.graph.all_needs(number), self.graph.needs(number));
        (0..all.len()).filter(|&to| all[to] && !direct.contains(&to)).collect()
    }

    /// The shortest chain from one stack to another, both included.
    fn shortest(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let mut before: Vec<Option<usize>> = vec![None; self.graph.len()];
        let mut open = VecDeque::from([from]);
        while let Some(node) = open.pop_front() {
            for &next in self.graph.needs(node) {
                if before[next].is_none() && next != from {
                    before[next] = Some(node);
                    open.push_back(next);
                }
            }
        }
        let mut chain = vec![to];
        while let Some(previous) = chain.last().and_then(|&node| before[node]) {
            chain.push(previous);
        }
        chain.reverse();
        (from != to && chain.first() == Some(&from)).then_some(chain)
    }

    /// How many different chains lead from one stack to another. Stacks come after those they wait for.
    fn chains(&self, from: usize, to: usize) -> u64 {
        let mut chains = vec![0_u64; self.graph.len()];
        chains[to] = 1;
        for node in to + 1..=from {
            let needs = self.graph.needs(node).iter();
            chains[node] = needs.fold(0, |sum, &need| sum.saturating_add(chains[need]));
        }
        chains[from]
    }
}

/// The constructs on both ends, where the assembly names them, and where the other stack provides the name.
fn places(out: &mut String, to: &str, edge: &Edge) {
    let constructs: BTreeSet<&str> = edge.read_at.iter().filter_map(|it| it.construct.as_deref()).collect();
    for construct in constructs.iter().take(FEW_CONSTRUCTS) {
        let _ = writeln!(out, "      read by {}", clean(construct));
    }
    if constructs.len() > FEW_CONSTRUCTS {
        let _ = writeln!(out, "      and {}", count(constructs.len() - FEW_CONSTRUCTS, "more construct"));
    }
    if let Some(place) = &edge.provided_at {
        let construct = place.construct.as_deref().map(clean);
        let construct = construct.map_or_else(String::new, |construct| format!(", {construct}"));
        let _ = writeln!(out, "      provided by {to}: {}{construct}", clean(&place.to_string()));
    }
}

//! Changes of a plan: what `--what-if` asks for, and what advice proposes.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Basis, Edge, Plan, Reason, Work};

impl Plan {
    /// Lets a stack take another time.
    pub(crate) fn set_expected(&mut self, stack: usize, time: Duration) {
        self.stacks[stack].expected = time;
        self.stacks[stack].expected_from = Basis::Assumed;
        if let Some(step) = self.deploy_step(stack) {
            self.steps[step].expected = time;
        }
    }

    /// Lets one stack no longer wait for another. `false` when it does not wait for it directly.
    pub(crate) fn drop_edges(&mut self, from: usize, to: usize) -> bool {
        let (id, on) = (self.stacks[from].id.clone(), self.stacks[to].id.clone());
        let before = self.stacks[from].depends_on.len();
        self.stacks[from].depends_on.retain(|edge| edge.to != on);
        if self.stacks[from].depends_on.len() == before {
            return false;
        }
        let mut waited_for = self.steps_of(to);
        // Without anything to look up later, its app is not synthesized again for it.
        let synthesis = self.synthesis_of(from);
        waited_for.extend(synthesis.filter(|_| self.stacks[from].awaited_lookups().is_empty()));
        if let Some(step) = self.deploy_step(from) {
            self.steps[step].needs.retain(|need| !waited_for.contains(need));
            self.steps[step].early_needs.retain(|early| !waited_for.contains(&early.need));
        }
        // A barrier holds for each stack of its phases. So far one of the two stood for the other at it.
        if self.stacks[from].phase == self.stacks[to].phase {
            let phase = |edge: &&Edge| edge.reason == Reason::Phase;
            let mut inherited: Vec<Edge> = Vec::new();
            for stack in &self.stacks {
                let of_first = stack.depends_on.iter().filter(phase).filter(|edge| edge.to == id);
                inherited.extend(of_first.map(|edge| Edge { to: on.clone(), ..edge.clone() }));
            }
            let of_last = self.stacks[to].depends_on.iter().filter(phase);
            inherited.extend(of_last.map(|edge| Edge { from: id.clone(), ..edge.clone() }));
            let number: HashMap<String, usize> =
                self.numbers().into_iter().map(|(id, number)| (id.to_owned(), number)).collect();
            for edge in inherited {
                self.add_edge(number[&edge.from], number[&edge.to], edge);
            }
        }
        true
    }

    fn add_edge(&mut self, from: usize, to: usize, edge: Edge) {
        self.stacks[from].depends_on.push(edge);
        if let (Some(step), Some(&last)) = (self.deploy_step(from), self.steps_of(to).last())
            && last < step
            && !self.steps[step].needs.contains(&last)
        {
            self.steps[step].needs.push(last);
            self.steps[step].needs.sort_unstable();
        }
    }

    /// The steps of a stack that others wait for: its deployment, and the gate after it.
    pub(crate) fn steps_of(&self, stack: usize) -> Vec<usize> {
        let is_of = |work: &Work| {
            let is_own = match work {
                Work::Gate { gate, .. } => gate.is_of_stack(),
                _ => matches!(work, Work::Deploy { .. }),
            };
            is_own && work.stack() == Some(stack)
        };
        let Some(first) = self.deploy_step(stack) else { return Vec::new() };
        // A gate follows its stack.
        (first..self.steps.len().min(first + 2)).filter(|&step| is_of(&self.steps[step].work)).collect()
    }
}

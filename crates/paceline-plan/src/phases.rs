//! Phases: named groups of stacks, checked against the graph, and turned into edges where they order work.

use std::collections::HashMap;

use crate::config::{PhaseConfig, Strategy};
use crate::edges::{Edge, Reason};
use crate::error::PlanError;
use crate::names::Names;
use crate::plan::Phase;

/// The phases of an assembly.
#[derive(Debug)]
pub(crate) struct Phases {
    pub(crate) phases: Vec<Phase>,
    sequential: Vec<bool>,
    of: HashMap<String, usize>,
}

impl Phases {
    /// Matches the configured phases with the stacks. A stack belongs to the first phase that names it.
    pub(crate) fn new(
        config: &[PhaseConfig],
        strategy: Strategy,
        names: &Names<'_>,
    ) -> Result<Self, PlanError> {
        let mut phases = Vec::with_capacity(config.len());
        let mut of = HashMap::new();
        for (number, phase) in config.iter().enumerate() {
            let mut stacks = Vec::new();
            for pattern in &phase.stacks {
                for id in names.matching(pattern, &format!("phase `{}`", phase.name))? {
                    if !of.contains_key(id) {
                        of.insert(id.to_owned(), number);
                        stacks.push(id.to_owned());
                    }
                }
            }
            let barrier = phase.barrier || strategy == Strategy::Phases;
            phases.push(Phase { name: phase.name.clone(), barrier, stacks });
        }
        Ok(Self { phases, of, sequential: config.iter().map(|phase| phase.sequential).collect() })
    }

    /// The phase of a stack.
    pub(crate) fn of(&self, id: &str) -> Option<&str> {
        self.of.get(id).map(|&phase| self.phases[phase].name.as_str())
    }

    /// Refuses phases that put a stack before one it waits for.
    pub(crate) fn check(&self, edges: &[Edge]) -> Result<(), PlanError> {
        for edge in edges {
            if let (Some(&from), Some(&to)) = (self.of.get(&edge.from), self.of.get(&edge.to))
                && from < to
            {
                return Err(PlanError::Contradiction {
                    edge: Box::new(edge.clone()),
                    phase: self.phases[from].name.clone(),
                    later: self.phases[to].name.clone(),
                });
            }
        }
        Ok(())
    }

    /// Drops stacks that will not be deployed.
    pub(crate) fn retain(&mut self, deployed: impl Fn(&str) -> bool) {
        for phase in &mut self.phases {
            phase.stacks.retain(|id| deployed(id));
        }
        self.of.retain(|id, _| deployed(id));
    }

    /// The edges that phases add: between the stacks of a sequential phase, and at barriers.
    ///
    /// `waits(a, b)` says whether stack a waits for stack b, directly or not. Within a sequential phase
    /// the stacks keep the order they are listed in, as far as that allows.
    pub(crate) fn edges(&self, waits: impl Fn(&str, &str) -> bool) -> Vec<Edge> {
        let mut edges = Vec::new();
        let mut add = |from: &String, to: &String, detail: String| {
            edges.push(Edge { from: from.clone(), to: to.clone(), reason: Reason::Phase, detail });
        };
        for (phase, &sequential) in self.phases.iter().zip(&self.sequential) {
            if sequential {
                let mut left: Vec<&String> = phase.stacks.iter().collect();
                let mut last: Option<&String> = None;
                while !left.is_empty() {
                    let free = left.iter().position(|id| !left.iter().any(|other| waits(id, other)));
                    let next = left.remove(free.unwrap_or(0));
                    if let Some(last) = last {
                        add(next, last, format!("phase `{}` is sequential", phase.name));
                    }
                    last = Some(next);
                }
            }
        }
        for (number, phase) in self.phases.iter().enumerate().filter(|(_, phase)| phase.barrier) {
            // The nearest earlier phase with stacks is enough if it is a barrier itself: it has waited for
            // all the ones before.
            for earlier in self.phases[..number].iter().rev() {
                for from in &phase.stacks {
                    for to in &earlier.stacks {
                        add(from, to, format!("phase `{}` waits for phase `{}`", phase.name, earlier.name));
                    }
                }
                if earlier.barrier && !earlier.stacks.is_empty() {
                    break;
                }
            }
        }
        edges
    }
}

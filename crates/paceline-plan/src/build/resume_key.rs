//! The key of a run: a plan with the same key continues an interrupted run.

use paceline_assembly::Stack;
use paceline_text::hex;
use sha2::{Digest, Sha256};

use super::inspect::Inspection;
use crate::model::Plan;

/// A digest of the stacks, their templates and settings, and the order of the steps.
///
/// What a command does is no part of it: when one was edited since, the run is resumed, and the command runs
/// again. Neither is how much happens at once. Journals hold these keys, so the key of a plan may only change with good
/// reason: an interrupted run that another version of Paceline began would not be found.
pub(crate) fn of_deployment(plan: &Plan, stacks: &[&Stack], inspections: &[Inspection<'_>]) -> String {
    let mut key = Key::default();
    for (stack, inspection) in stacks.iter().zip(inspections) {
        key.add(&stack.id);
        key.add(&stack.name);
        key.add(&stack.environment.to_string());
        key.add(&inspection.fingerprint);
        for (name, value) in stack.parameters.iter().filter(|(name, _)| !inspection.secret.contains(*name)) {
            key.add(name);
            key.add(value);
        }
        for (name, value) in &stack.tags {
            key.add(name);
            key.add(value);
        }
        key.add(&format!("{:?}{:?}", stack.notification_arns, stack.termination_protection));
    }
    key.add_steps(plan);
    key.add(&format!("{:?}", plan.rollback));
    key.finish()
}

/// What a plan does that was made from the plan of a deployment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Derived {
    /// Deletes its stacks.
    Deletion,
    /// Only publishes its assets.
    Publishing,
    /// Prepares it.
    Preparation,
}

/// The key of a plan that was made from the plan of a deployment with the key `deploys`. It differs from that key,
/// since each of the plans has journals of its own.
pub(crate) fn of_derived(plan: &Plan, derived: Derived, deploys: &str) -> String {
    let mut key = Key::default();
    key.add(match derived {
        Derived::Deletion => "delete",
        Derived::Publishing => "publish",
        Derived::Preparation => "prepare",
    });
    key.add(deploys);
    key.add_steps(plan);
    key.finish()
}

/// The key of the plan that rolls back a run.
pub(crate) fn of_rollback(plan: &Plan, run: &str) -> String {
    let mut key = Key::default();
    key.add("rollback");
    key.add(run);
    for stack in &plan.stacks {
        key.add(&stack.template);
        key.add(&stack.settings);
    }
    key.add_steps(plan);
    key.finish()
}

#[derive(Default)]
struct Key(Sha256);

impl Key {
    fn add(&mut self, part: &str) {
        self.0.update(part.len().to_le_bytes());
        self.0.update(part);
    }

    fn add_steps(&mut self, plan: &Plan) {
        for step in &plan.steps {
            self.add(&step.id);
            step.needs.iter().for_each(|need| self.add(&plan.steps[*need].id));
            step.early_needs.iter().flat_map(|early| &early.resources).for_each(|id| self.add(id));
        }
    }

    fn finish(self) -> String {
        hex(&self.0.finalize()[..16])
    }
}

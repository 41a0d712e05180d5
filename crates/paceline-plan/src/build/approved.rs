//! An approved plan, compared with the plan of the app as it is now.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Edge, LeftOutReason, Plan, PlannedStack, Work};

/// A change since a plan was approved. Its sentence is made in `show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanChange {
    /// There is a stack that was not approved.
    NewStack {
        /// Its id.
        stack: String,
    },
    /// A stack that was approved would not be deployed.
    StackGone {
        /// Its id.
        stack: String,
        /// Why it is left out; none if the assembly does not have it.
        why: Option<LeftOutReason>,
    },
    /// A stack has another name, or goes to another account or region.
    StackMoved {
        /// Its id.
        stack: String,
    },
    /// A stack has another template.
    Template {
        /// Its id.
        stack: String,
    },
    /// A stack has other parameters, tags, roles or the like.
    Settings {
        /// Its id.
        stack: String,
    },
    /// A stack waits for other stacks, or for other reasons.
    Order {
        /// Its id.
        stack: String,
        /// The ids of the stacks that it waits for now, and did not.
        more: Vec<String>,
        /// The ids of the stacks that it waited for, and does not.
        fewer: Vec<String>,
    },
    /// There is a step that was not approved.
    NewStep {
        /// Its id.
        step: String,
    },
    /// There is a step no more that was approved.
    StepGone {
        /// Its id.
        step: String,
    },
    /// A command runs something else, or in another way.
    Command {
        /// Its name.
        command: String,
    },
    /// A step does something else.
    Step {
        /// Its id.
        step: String,
    },
    /// A step waits for other steps.
    StepOrder {
        /// Its id.
        step: String,
    },
    /// A setting of the run differs.
    Setting {
        /// Its key in the configuration.
        key: &'static str,
    },
    /// Something else differs.
    Other,
}

impl Plan {
    /// What has changed from this plan, which was approved, to the plan of the app as it is now. None if a run does the
    /// same.
    pub fn changes_to(&self, now: &Self) -> Vec<PlanChange> {
        if self.digest() == now.digest() {
            return Vec::new();
        }
        let mut changes = Vec::new();
        self.stack_changes(now, &mut changes);
        self.step_changes(now, &mut changes);
        let settings = [
            ("phases", self.phases == now.phases),
            ("strategy", self.strategy == now.strategy),
            ("concurrency", self.concurrency == now.concurrency),
            ("on-failure.policy", self.policy == now.policy),
            ("on-failure.rollback", self.rollback == now.rollback),
            ("unchanged.ignore-timestamps", self.ignore_times == now.ignore_times),
            ("edges", self.relaxed == now.relaxed),
            ("options of the command", self.deploys == now.deploys),
        ];
        let changed = settings.into_iter().filter(|(_, is_same)| !is_same);
        changes.extend(changed.map(|(key, _)| PlanChange::Setting { key }));
        if changes.is_empty() {
            changes.push(PlanChange::Other);
        }
        changes
    }

    fn stack_changes(&self, now: &Self, changes: &mut Vec<PlanChange>) {
        let by_id = |plan: &'_ Self| -> BTreeMap<String, usize> {
            plan.stacks.iter().enumerate().map(|(number, stack)| (stack.id.clone(), number)).collect()
        };
        let (before, after) = (by_id(self), by_id(now));
        for id in before.keys().filter(|id| !after.contains_key(*id)) {
            let left_out = now.left_out.iter().find(|left_out| left_out.stack == *id);
            let why = left_out.map(|left_out| left_out.why.clone());
            changes.push(PlanChange::StackGone { stack: id.clone(), why });
        }
        for (id, &number) in &after {
            let stack = id.clone();
            let Some(&was) = before.get(id) else {
                changes.push(PlanChange::NewStack { stack });
                continue;
            };
            let (was, is) = (&self.stacks[was], &now.stacks[number]);
            let place = |of: &PlannedStack| (of.name.clone(), of.account.clone(), of.region.clone());
            if place(was) != place(is) {
                changes.push(PlanChange::StackMoved { stack: stack.clone() });
            }
            if was.template != is.template {
                changes.push(PlanChange::Template { stack: stack.clone() });
            }
            if was.settings != is.settings {
                changes.push(PlanChange::Settings { stack: stack.clone() });
            }
            if was.depends_on != is.depends_on {
                let needs = |of: &[Edge]| of.iter().map(|edge| edge.to.clone()).collect::<BTreeSet<String>>();
                let (old, new) = (needs(&was.depends_on), needs(&is.depends_on));
                changes.push(PlanChange::Order {
                    stack,
                    more: new.difference(&old).cloned().collect(),
                    fewer: old.difference(&new).cloned().collect(),
                });
            }
        }
    }

    fn step_changes(&self, now: &Self, changes: &mut Vec<PlanChange>) {
        let by_id = |plan: &'_ Self| -> BTreeMap<String, usize> {
            plan.steps.iter().enumerate().map(|(number, step)| (step.id.clone(), number)).collect()
        };
        let (before, after) = (by_id(self), by_id(now));
        // The stacks themselves have been compared.
        let is_of_stack = |id: &String| id.starts_with("deploy:");
        for id in before.keys().filter(|id| !after.contains_key(*id) && !is_of_stack(id)) {
            changes.push(PlanChange::StepGone { step: id.clone() });
        }
        for (id, &number) in after.iter().filter(|(id, _)| !is_of_stack(id)) {
            let step = id.clone();
            let Some(&was) = before.get(id) else {
                changes.push(PlanChange::NewStep { step });
                continue;
            };
            let (was, is) = (&self.steps[was], &now.steps[number]);
            if self.identity(was) != now.identity(is) {
                changes.push(match &is.work {
                    Work::Command(command) => PlanChange::Command { command: command.name.clone() },
                    // It is about a stack, and that has changed.
                    Work::Gate { .. }
                        if self.steps_about(was.work.about()) != now.steps_about(is.work.about()) =>
                    {
                        continue;
                    }
                    _ => PlanChange::Step { step },
                });
            } else if self.needs_of(was.needs.iter()) != now.needs_of(is.needs.iter()) {
                changes.push(PlanChange::StepOrder { step });
            }
        }
    }

    /// What decides the work about a stack.
    fn steps_about(&self, stack: usize) -> (&str, &str) {
        (&self.stacks[stack].template, &self.stacks[stack].settings)
    }

    fn needs_of<'p>(&'p self, needs: impl Iterator<Item = &'p usize>) -> BTreeSet<&'p str> {
        needs.map(|&need| self.steps[need].id.as_str()).collect()
    }
}

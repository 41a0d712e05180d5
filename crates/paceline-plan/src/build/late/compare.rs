//! What an app is now, held against the plan that was made of what it was.

use std::collections::{BTreeSet, HashMap};

use paceline_assembly::{Assembly, Stack};

use super::awaited;
use crate::build::context;
use crate::build::make::PlanOptions;
use crate::config::Config;
use crate::model::plan::{Plan, Synthesize};

/// How an app differs, now that it has been synthesized again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// What a person should know, and that changes nothing in this run.
    pub warnings: Vec<String>,
    /// Why the stacks that have waited must not be deployed.
    pub problems: Vec<String>,
}

/// Compares the assembly that a plan was made of with the same in which one app has been synthesized again.
pub fn compare(
    plan: &Plan,
    work: &Synthesize,
    (before, again): (&Assembly, &Assembly),
    config: &Config,
    options: &PlanOptions,
) -> Compared {
    let mut compared = Compared::default();
    let waiting: BTreeSet<&str> = work.stacks.iter().map(|&at| plan.stacks[at].id.as_str()).collect();
    compared.stacks(plan, work, &waiting, (before, again));
    if compared.problems.is_empty() {
        compared.edges(plan, &waiting, again, config, options);
    }
    compared
}

impl Compared {
    fn stacks(
        &mut self,
        plan: &Plan,
        work: &Synthesize,
        waiting: &BTreeSet<&str>,
        (before, again): (&Assembly, &Assembly),
    ) {
        let app = work.app_shown();
        let own = |stack: &&Stack| stack.app == work.app;
        for stack in again.stacks.iter().filter(own).filter(|stack| before.stack(&stack.id).is_none()) {
            self.warnings.push(format!(
                "{app} has a stack that it had not when the run began: `{}`; the next run deploys it",
                stack.id
            ));
        }
        for was in before.stacks.iter().filter(own) {
            let id = was.id.as_str();
            let waits = waiting.contains(id);
            let Some(is) = again.stack(id) else {
                match (waits, plan.stacks.iter().any(|planned| planned.id == id)) {
                    (true, _) => self.problems.push(format!("{app} has no stack `{id}` any more")),
                    (false, true) => self.warnings.push(format!(
                        "{app} has no stack `{id}` any more; this run deploys it as it was when it began"
                    )),
                    (false, false) => {}
                }
                continue;
            };
            if !waits {
                continue;
            }
            if is.environment != was.environment || is.name != was.name {
                self.problems.push(format!(
                    "`{id}` is another stack now: {} in {}, and not {} in {}",
                    is.name, is.environment, was.name, was.environment
                ));
            }
            self.problems.extend(
                is.errors().map(|error| {
                    format!("`{id}` must not be deployed: {} ({})", error.text.trim(), error.path)
                }),
            );
        }
    }

    fn edges(
        &mut self,
        plan: &Plan,
        waiting: &BTreeSet<&str>,
        again: &Assembly,
        config: &Config,
        options: &PlanOptions,
    ) {
        // What the context had is what it has now.
        let options = PlanOptions { context: Vec::new(), ..options.clone() };
        let now = match Plan::make(again, config, &options) {
            Ok(now) => now,
            Err(error) => return self.problems.push(format!("there is no plan for what it is now: {error}")),
        };
        for stack in now.stacks.iter().filter(|stack| waiting.contains(stack.id.as_str())) {
            let id = &stack.id;
            self.problems.extend(awaited(stack).iter().map(|name| {
                format!("`{id}` is still without {}: its synthesis has not found it", context::shown(name))
            }));
            let before = before(plan, id);
            let new = stack.depends_on.iter().filter(|edge| !before.contains(edge.to.as_str()));
            self.problems.extend(new.map(|edge| {
                format!(
                    "`{id}` waits for `{}` now, which the plan does not: {}: {}",
                    edge.to, edge.reason, edge.detail
                )
            }));
        }
    }
}

/// All that is deployed before a stack.
fn before<'p>(plan: &'p Plan, id: &str) -> BTreeSet<&'p str> {
    let stacks: HashMap<&str, _> = plan.stacks.iter().map(|stack| (stack.id.as_str(), stack)).collect();
    let (mut found, mut open) = (BTreeSet::new(), vec![id]);
    while let Some(next) = open.pop() {
        for edge in stacks.get(next).into_iter().flat_map(|stack| &stack.depends_on) {
            if found.insert(edge.to.as_str()) {
                open.push(&edge.to);
            }
        }
    }
    found
}

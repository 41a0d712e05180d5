//! An app that was synthesized again in the middle of a run, compared with the plan that was made of it before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use paceline_assembly::{Assembly, Stack};
use paceline_text::Explained as _;

use super::assets::{PUBLISH, assets};
use super::options::PlanOptions;
use crate::model::{Edge, Plan, Publish, Synthesize};
use paceline_config::Config;

/// How an app differs, now that it has been synthesized again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// What a person should know, and that changes nothing in this run.
    pub warnings: Vec<Difference>,
    /// Why the stacks that have waited must not be deployed.
    pub problems: Vec<Difference>,
}

/// A difference between an app and the plan that was made of it before. Its sentence is made in `show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is a stack that the plan does not know.
    NewStack {
        /// What the app is called.
        app: String,
        /// The id of the stack.
        stack: String,
    },
    /// A stack of the plan is gone.
    StackGone {
        /// What the app is called.
        app: String,
        /// The id of the stack.
        stack: String,
        /// Whether it waited for the synthesis.
        waited: bool,
    },
    /// A stack has another name, or goes to another place.
    AnotherStack {
        /// The id of the stack.
        stack: String,
        /// Its name and its environment now.
        now: (String, String),
        /// Its name and its environment in the plan.
        before: (String, String),
    },
    /// The metadata of a stack has an error.
    StackError {
        /// The id of the stack.
        stack: String,
        /// The error.
        text: String,
        /// The path of the construct that reports it.
        path: String,
    },
    /// There is no plan for the app as it is now.
    NoPlan {
        /// Why not.
        error: String,
    },
    /// The synthesis has not found what a stack waited for.
    StillWithout {
        /// The id of the stack.
        stack: String,
        /// The parameter, or such as `hosted zone example.com`.
        name: String,
    },
    /// A stack waits for another one that the plan does not make it wait for.
    NewEdge(Box<Edge>),
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

/// The assets that the stacks which waited for a synthesis need beyond those that the plan publishes: each with the id
/// of its stack.
pub fn unpublished(plan: &Plan, work: &Synthesize, again: &Assembly) -> Vec<(String, Publish)> {
    let planned: HashSet<&str> = plan.steps.iter().filter_map(|step| step.id.strip_prefix(PUBLISH)).collect();
    let mut found = BTreeMap::new();
    for &number in &work.stacks {
        let Some(stack) = again.stack(&plan.stacks[number].id) else { continue };
        for (place, publish) in assets(stack, number) {
            if !planned.contains(place.as_str()) {
                found.entry(place).or_insert_with(|| (stack.id.clone(), publish));
            }
        }
    }
    found.into_values().collect()
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
            self.warnings.push(Difference::NewStack { app: app.clone(), stack: stack.id.clone() });
        }
        for was in before.stacks.iter().filter(own) {
            let id = was.id.as_str();
            let waited = waiting.contains(id);
            let Some(is) = again.stack(id) else {
                let gone = Difference::StackGone { app: app.clone(), stack: id.to_owned(), waited };
                match (waited, plan.stacks.iter().any(|planned| planned.id == id)) {
                    (true, _) => self.problems.push(gone),
                    (false, true) => self.warnings.push(gone),
                    (false, false) => {}
                }
                continue;
            };
            if !waited {
                continue;
            }
            if is.environment != was.environment || is.name != was.name {
                self.problems.push(Difference::AnotherStack {
                    stack: id.to_owned(),
                    now: (is.name.clone(), is.environment.to_string()),
                    before: (was.name.clone(), was.environment.to_string()),
                });
            }
            self.problems.extend(is.errors().map(|error| Difference::StackError {
                stack: id.to_owned(),
                text: error.text.trim().to_owned(),
                path: error.path.clone(),
            }));
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
        // The context that there was has been used.
        let options = PlanOptions { context: Vec::new(), ..options.clone() };
        let now = match Plan::make(again, config, &options) {
            Ok(now) => now,
            Err(error) => return self.problems.push(Difference::NoPlan { error: error.what() }),
        };
        for stack in now.stacks.iter().filter(|stack| waiting.contains(stack.id.as_str())) {
            self.problems.extend(
                stack
                    .awaited_lookups()
                    .into_iter()
                    .map(|name| Difference::StillWithout { stack: stack.id.clone(), name: name.to_owned() }),
            );
            let before = before(plan, &stack.id);
            let new = stack.depends_on.iter().filter(|edge| !before.contains(edge.to.as_str()));
            self.problems.extend(new.map(|edge| Difference::NewEdge(Box::new(edge.clone()))));
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

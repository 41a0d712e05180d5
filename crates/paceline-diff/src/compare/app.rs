//! All stacks of an app.

use std::collections::{BTreeSet, HashMap};

use paceline_assembly::{Assembly, Stack};
use paceline_plan::Plan;
use rayon::prelude::*;

use super::equality::Equality;
use super::names::{self, Named};
use super::stack::{compare_stack, empty};
use crate::model::{AppDiff, StackChange, StackDiff};

/// How an app is compared with a base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct CompareOptions {
    /// Whether the templates of the base were read from CloudFormation. It stores other characters for those outside of
    /// ASCII, and gives the values of all parameters.
    pub is_deployed: bool,
    /// Whether texts are compared without the times of their synthesis.
    pub ignore_times: bool,
    /// Whether what the CDK writes for itself is compared, too: its metadata and the check of the bootstrap version.
    pub strict: bool,
    /// The ids of the stacks of the app to compare. `None` compares all.
    pub only: Option<BTreeSet<String>>,
    /// Whether stacks that only the base has are left out.
    pub without_gone: bool,
}

/// Compares an app with a base. `plan` is the plan of the app: it says which stack is deployed first, which decides
/// whether a name collides.
pub fn compare(base: &Assembly, app: &Assembly, plan: &Plan, options: &CompareOptions) -> AppDiff {
    let equality = Equality { is_stored: options.is_deployed, ignores_times: options.ignore_times };
    let is_asked = |stack: &&Stack| options.only.as_ref().is_none_or(|only| only.contains(&stack.id));
    let by_id: HashMap<&str, &Stack> = base.stacks.iter().map(|stack| (stack.id.as_str(), stack)).collect();
    let asked: Vec<&Stack> = app.stacks.iter().filter(is_asked).collect();
    let mut stacks: Vec<StackDiff> = asked
        .par_iter()
        .map(|stack| compare_stack(by_id.get(stack.id.as_str()).copied(), stack, equality, options.strict))
        .collect();
    if !options.without_gone {
        let ids: BTreeSet<&str> = app.stacks.iter().map(|stack| stack.id.as_str()).collect();
        let gone = base.stacks.iter().filter(|stack| !ids.contains(stack.id.as_str()));
        stacks.extend(gone.map(|stack| empty(stack, StackChange::Gone)));
    }
    let named = |assembly: &Assembly| -> Vec<Named> {
        assembly.stacks.par_iter().flat_map_iter(names::of_stack).collect()
    };
    let is_shown = |id: &str| stacks.iter().any(|stack| stack.id == id && stack.change.is_change());
    let mut collisions = names::collisions(&named(base), &named(app), plan);
    collisions.extend(names::of_replaced(&stacks, app));
    collisions.retain(|it| is_shown(&it.stack));
    AppDiff { stacks, collisions, edges: None, time: None }
}

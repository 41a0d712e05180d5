//! Stacks of one phase that cannot be deployed side by side.
//!
//! Such a phase is no contradiction: within it the edges order the work. But whoever put two stacks into one phase
//! may count on both being deployed at the same time, and where that costs much, the plan says that they are not.

use std::time::Duration;

use crate::build::phases::Phases;
use crate::config::Until;
use crate::model::plan::{PlannedStack, Relaxed};
use crate::show::{folded, show_duration, show_reasons};

/// A wait is worth a word from this part of the critical path on, in a hundred. What is less is usual in a phase.
const WORTH_A_WORD: u32 = 30;
/// And from this time on.
const LEAST: Duration = Duration::from_mins(1);

/// A warning for each phase whose stacks wait for each other at a high price, about the pair that costs most.
///
/// Only what templates show is told: an edge that the team declares is known to it. And nothing is told of a pair
/// that the team relaxes already.
pub(crate) fn warnings(
    phases: &Phases,
    stacks: &[PlannedStack],
    critical_path: &[String],
    relaxed: &[Relaxed],
) -> Vec<String> {
    let path: Vec<&PlannedStack> = critical_path.iter().filter_map(|id| find(stacks, id)).collect();
    let total: Duration = path.iter().map(|stack| stack.expected).sum();
    let mut warnings = Vec::new();
    for phase in phases.not_sequential() {
        let pairs = path.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
        let costly = pairs
            .filter(|(to, from)| [to, from].iter().all(|stack| stack.phase.as_ref() == Some(phase)))
            .filter(|(to, from)| is_of_templates(from, to))
            .filter(|(to, from)| !relaxed.iter().any(|it| it.from == from.id && it.to == to.id))
            .map(|(to, from)| (to.expected.min(from.expected), to, from))
            .filter(|(cost, ..)| *cost * 100 >= total * WORTH_A_WORD && *cost >= LEAST)
            .max_by_key(|(cost, ..)| *cost);
        if let Some((cost, to, from)) = costly {
            warnings.push(warning(phase, cost, from, to));
        }
    }
    warnings
}

fn find<'a>(stacks: &'a [PlannedStack], id: &str) -> Option<&'a PlannedStack> {
    stacks.iter().find(|stack| stack.id == id)
}

/// Whether templates alone make one stack wait for all of another.
fn is_of_templates(from: &PlannedStack, to: &PlannedStack) -> bool {
    let mut edges = from.depends_on.iter().filter(|edge| edge.to == to.id).peekable();
    edges.peek().is_some() && edges.all(|edge| edge.reason.is_in_templates() && edge.until == Until::Stack)
}

fn warning(phase: &str, cost: Duration, from: &PlannedStack, to: &PlannedStack) -> String {
    let reasons = folded(&from.depends_on).remove(to.id.as_str()).unwrap_or_default();
    let cost = show_duration(cost);
    let mut warning = format!(
        "phase `{phase}` deploys `{}` after `{}` and not beside it ({}), which takes up to {cost} longer",
        from.id,
        to.id,
        show_reasons(&reasons)
    );
    let can_be_relaxed =
        from.depends_on.iter().filter(|edge| edge.to == to.id).all(|edge| edge.stored.is_some());
    if can_be_relaxed {
        warning.push_str(
            "; on a fresh account it cannot be otherwise, and for a redeployment `relax: when-present` at an edge in \
             `edges:` lets both start at once",
        );
    }
    warning
}

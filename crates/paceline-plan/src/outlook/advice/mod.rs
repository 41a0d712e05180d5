//! Advice: what would shorten a run most, as far as the templates show.
//!
//! Each rule looks for one kind of thing and says what could be changed, as a plan with the change made. How much that
//! saves is not estimated: the changed plan is scheduled as the plan itself was, and the difference counts.

mod input;
mod proposal;
mod remedy;
pub(crate) mod rules;
mod split;

use std::time::Duration;

use paceline_assembly::Assembly;

use input::{AdviceInput, Opened};
pub use proposal::Advice;
use proposal::{Bar, Proposal};
pub use remedy::{Limit, Remedy, ResourceList, StackPart};

use crate::model::Plan;
use crate::outlook::durations::Durations;

/// How much advice is given.
const MOST: usize = 6;
/// A change that saves less is not worth it.
const LEAST: Duration = Duration::from_secs(30);
/// Neither is a change that saves less than one part in so many of the run.
const LEAST_PART: u32 = 50;
/// The same for a change that is much work.
const MUCH: Duration = Duration::from_mins(1);
const MUCH_PART: u32 = 20;

/// The changes that would shorten the run most: those whose saving is sure first, and of these the largest first.
/// `finish` says how long a plan takes.
pub fn advise<E>(
    plan: &Plan,
    assembly: &Assembly,
    finish: &dyn Fn(&Plan) -> Result<Duration, E>,
) -> Result<Vec<Advice>, E> {
    let durations = Durations::typical();
    let opened = Opened::of(plan, assembly);
    let input = AdviceInput::new(plan, &opened, &durations);
    let now = finish(plan)?;
    let least = LEAST.max(now / LEAST_PART);
    let mut found: Vec<Advice> = Vec::new();
    for rule in rules::ALL {
        let first = found.len();
        for Proposal { mut advice, change, bar, .. } in with_twins(&input, rule(&input)) {
            let mut changed = plan.clone();
            change(&mut changed);
            advice.saves = now.saturating_sub(finish(&changed)?);
            let sure = |before: &&Advice| !before.at_most;
            let most =
                |of: &mut dyn Iterator<Item = &Advice>| of.map(|it| it.saves).max().unwrap_or_default();
            let bar = match bar {
                Bar::Low => least,
                Bar::BeyondItsRule => least + most(&mut found[first..].iter()),
                Bar::High => {
                    let of_stack = |before: &&Advice| before.stack == advice.stack;
                    let before = most(&mut found.iter().filter(sure).filter(of_stack));
                    least.max(MUCH).max(now / MUCH_PART) + before
                }
            };
            if advice.saves >= bar {
                found.push(advice);
            }
        }
    }
    found.sort_by(|a, b| {
        (a.at_most, std::cmp::Reverse(a.saves), &a.stack).cmp(&(
            b.at_most,
            std::cmp::Reverse(b.saves),
            &b.stack,
        ))
    });
    found.truncate(MOST);
    Ok(found)
}

/// An app may have the same stack several times, for several regions. To change one alone saves nothing while the others
/// take as long as before, so a proposal for one is a proposal for all.
fn with_twins<'s>(input: &AdviceInput<'_>, proposals: Vec<Proposal<'s>>) -> Vec<Proposal<'s>> {
    let mut all: Vec<Proposal<'s>> = Vec::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for proposal in proposals {
        let is_the_same = |other: &Proposal<'_>| {
            let twins = proposal.stack.zip(other.stack).is_some_and(|(a, b)| input.are_twins(a, b));
            let [one, same] = [&proposal, other].map(|it| (it.advice.code(), &it.advice.logical_id));
            twins && one == same
        };
        let Some(at) = all.iter().position(is_the_same) else {
            groups.push(proposal.stack.into_iter().collect());
            all.push(proposal);
            continue;
        };
        groups[at].extend(proposal.stack);
        let first = std::mem::replace(&mut all[at].change, Box::new(|_| {}));
        let second = proposal.change;
        all[at].change = Box::new(move |plan| {
            first(plan);
            second(plan);
        });
    }
    let mut kept = Vec::new();
    for (mut proposal, group) in all.into_iter().zip(groups) {
        // A change of stacks outside the critical path would save nothing.
        if !group.is_empty() && !group.iter().any(|stack| input.path.contains(stack)) {
            continue;
        }
        proposal.advice.also_in = group.iter().skip(1).map(|&stack| input.id(stack).to_owned()).collect();
        kept.push(proposal);
    }
    kept
}

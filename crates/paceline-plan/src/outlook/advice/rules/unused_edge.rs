//! An edge that the app declares and that nothing in the templates uses.

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::{Bar, Proposal};
use crate::outlook::advice::remedy::Remedy;

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let number = |id: &String| input.plan.stacks.iter().position(|stack| stack.id == *id);
    let unused = input.plan.declared_only.iter();
    let unused = unused.filter_map(|edge| Some((number(&edge.from)?, number(&edge.to)?)));
    let unused: Vec<(usize, usize)> = unused.collect();
    let mut found = Vec::new();
    for &(from, to) in &unused {
        // Another may stand in its way, which the last proposal is for.
        if input.path.contains(&from) && input.path.contains(&to) {
            let remedy = Remedy::RemoveUnusedEdge { on: input.id(to).to_owned() };
            found.push(Proposal::about(input, from, remedy, move |plan| {
                plan.drop_edges(from, to);
            }));
        }
    }
    if unused.len() > 1 {
        let all = Proposal::about_all(Remedy::RemoveUnusedEdges { count: unused.len() }, move |plan| {
            for &(from, to) in &unused {
                plan.drop_edges(from, to);
            }
        });
        found.push(all.with_bar(Bar::BeyondItsRule));
    }
    found
}

//! Hints: one stack names what another makes under a literal name, and nothing orders the two.

use std::collections::HashMap;

use paceline_assembly::{Environment, Stack};

use super::inspect::Inspection;
use super::scan::named::{Name, Said, kind_of};
use super::scan::place::construct_of;
use crate::model::ByName;
use crate::model::graph::Graph;

/// The hints about stacks that nothing orders so far; `graph` has their numbers.
pub(crate) fn hints(stacks: &[&Stack], inspections: &[Inspection<'_>], graph: &Graph) -> Vec<ByName> {
    let mut makers: HashMap<&Name, Vec<usize>> = HashMap::new();
    for (number, inspection) in inspections.iter().enumerate() {
        for name in &inspection.uses.physical.made {
            makers.entry(name).or_default().push(number);
        }
    }
    let mut hints = Vec::new();
    for (from, inspection) in inspections.iter().enumerate() {
        // Everything before and after it, once it is of importance.
        let mut ordered: Option<[Vec<bool>; 2]> = None;
        for ((name, said), place) in &inspection.uses.physical.named {
            let Some(makers) = makers.get(name).filter(|makers| !makers.contains(&from)) else { continue };
            for &to in makers {
                if !is_meant(name, said, &stacks[from].environment, &stacks[to].environment) {
                    continue;
                }
                let [before, after] =
                    ordered.get_or_insert_with(|| [graph.all_needs(from), graph.all_needed_by(from)]);
                if before[to] || after[to] {
                    continue;
                }
                let mut read_at = place.clone();
                construct_of(&mut read_at, stacks[from]);
                let [id, maker] = [from, to].map(|number| stacks[number].id.clone());
                let hint = ByName {
                    from: id,
                    to: maker,
                    kind: kind_of(name).noun.to_owned(),
                    name: name.1.clone(),
                    read_at,
                };
                // It may be named in an ARN and alone.
                let is_same = |it: &ByName| {
                    (&it.from, &it.to, &it.kind, &it.name) == (&hint.from, &hint.to, &hint.kind, &hint.name)
                };
                if !hints.iter().rev().take_while(|it: &&ByName| it.from == hint.from).any(is_same) {
                    hints.push(hint);
                }
            }
        }
    }
    hints
}

/// Whether what is named is what a stack there makes.
fn is_meant(name: &Name, said: &Said, own: &Environment, maker: &Environment) -> bool {
    let kind = kind_of(name);
    let is_at = |said: &Option<String>, own: &Option<String>, maker: &Option<String>| match said
        .as_ref()
        .or(own.as_ref())
    {
        Some(said) => maker.as_ref().is_none_or(|maker| maker == said),
        None => true,
    };
    (kind.is_of_all_accounts() || is_at(&said.account, &own.account, &maker.account))
        && (kind.is_global() || is_at(&said.region, &own.region, &maker.region))
}

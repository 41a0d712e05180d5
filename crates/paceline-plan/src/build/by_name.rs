//! Hints: one stack names what another makes under a literal name, and nothing orders the two.

use std::collections::HashMap;

use paceline_assembly::{Environment, Stack};

use crate::build::edges::{Name, Said, kind_of};
use crate::build::facts::Facts;
use crate::model::graph::Graph;
use crate::model::plan::ByName;
use crate::starter::yaml::word;

/// The hints about stacks that nothing orders so far; `graph` has their numbers.
pub(crate) fn hints(stacks: &[&Stack], facts: &[Facts<'_>], graph: &Graph) -> Vec<ByName> {
    let mut makers: HashMap<&Name, Vec<usize>> = HashMap::new();
    for (number, facts) in facts.iter().enumerate() {
        for name in &facts.uses.physical.made {
            makers.entry(name).or_default().push(number);
        }
    }
    let mut hints = Vec::new();
    for (from, facts) in facts.iter().enumerate() {
        // Everything before and after it, once it is of importance.
        let mut ordered: Option<[Vec<bool>; 2]> = None;
        for ((name, said), place) in &facts.uses.physical.named {
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
                read_at.made_by(stacks[from]);
                let [id, maker] = [from, to].map(|number| stacks[number].id.clone());
                let hint =
                    ByName { from: id, to: maker, kind: kind_of(name).noun, name: name.1.clone(), read_at };
                // It may be named in an ARN and alone.
                let is_same = |it: &ByName| {
                    (&it.from, &it.to, it.kind, &it.name) == (&hint.from, &hint.to, hint.kind, &hint.name)
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

impl ByName {
    /// What to add to `edges:` if the one needs the other.
    pub(crate) fn edge(&self) -> String {
        let because = word_or_words(&format!("needs the {} {}", self.kind, self.name));
        format!("{{ from: {}, to: {}, because: {because} }}", word(&self.from), word(&self.to))
    }
}

/// A text of words is plain YAML if each of them is.
fn word_or_words(text: &str) -> String {
    let is_plain = text.split(' ').all(|part| word(part) == part || part.starts_with('/'));
    if is_plain { text.to_owned() } else { word(text) }
}

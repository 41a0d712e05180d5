//! Matches what stacks read with the stacks that provide it.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::Assembly;

use super::providers::{Lookup, Match, Providers};
use crate::build::context::{ContextLookup, LookupState};
use crate::build::inspect::Inspection;
use crate::build::scan::place::construct_of;
use crate::build::scan::uses::Use;
use crate::model::{Edge, External, Reason, StoredParameter, TemplatePlace, Tie, Warning};

/// What [`find`] found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) edges: Vec<Edge>,
    pub(crate) external: Vec<External>,
    /// Parameters that two stacks create.
    pub(crate) made_twice: Vec<MadeTwice>,
}

/// A parameter that two stacks create.
#[derive(Debug)]
pub(crate) struct MadeTwice {
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) parameter: String,
}

impl MadeTwice {
    pub(crate) fn warning(&self) -> Warning {
        let Self { first, second, parameter } = self;
        let [first, second, parameter] = [first, second, parameter].map(Clone::clone);
        Warning::MadeTwice { first, second, parameter }
    }
}

/// One edge: the id of the stack that provides a name, why it is needed, and how the name ties the two.
type EdgeKey = (String, Reason, u8, String, Tie);

/// Where a tie is read and provided, and whether it is a guess.
struct Ends {
    read_at: Vec<TemplatePlace>,
    provider: usize,
    provided_at: Option<TemplatePlace>,
    guessed: bool,
    stored: Option<StoredParameter>,
}

/// Finds every edge between the assembly's stacks, and every name that none of them provides.
pub(crate) fn find(assembly: &Assembly, inspections: &[Inspection<'_>], context: &[ContextLookup]) -> Found {
    let ids: BTreeSet<&str> = assembly.stacks.iter().map(|stack| stack.id.as_str()).collect();
    let providers = Providers::new(assembly, inspections);
    let mut found = Found::default();
    for (index, (stack, inspection)) in assembly.stacks.iter().zip(inspections).enumerate() {
        let from = &stack.id;
        // A name is often read in many places: one edge for all of them.
        let mut ties: BTreeMap<EdgeKey, Ends> = BTreeMap::new();
        for read in &inspection.uses.read {
            let lookup = Lookup::new(read, &stack.environment);
            let mut matching = providers.find(&lookup);
            let mut guessed = false;
            if matching.is_empty() {
                // Images of other accounts are not created by this app.
                let own = &stack.environment.account;
                if read.reason == Reason::Image && read.at.account.is_some() && lookup.account != *own {
                    continue;
                }
                matching = providers.guess(&lookup, &read.name);
                guessed = true;
            }
            if matching.iter().any(|it| it.stack == index) {
                // The stack provides the name itself.
                continue;
            }
            let unsure = guessed && matching.len() != 1;
            if unsure && read.only_here {
                continue;
            }
            // Lookups that the synthesis did not find are reported on their own.
            if unsure && read.reason == Reason::Synth {
                continue;
            }
            if unsure {
                let may_be = matching.iter().map(|it| assembly.stacks[it.stack].id.clone());
                found.external.push(External {
                    stack: from.clone(),
                    reason: read.reason,
                    name: shown(read),
                    read_at: Some(read.place.clone()),
                    unresolved: !read.name.is_known() || lookup.name.is_none(),
                    may_be: may_be.collect(),
                });
                continue;
            }
            for Match { stack, place } in matching {
                let key = edge_key(&assembly.stacks[stack].id, read, &lookup);
                let ends = ties.entry(key).or_insert_with(|| Ends {
                    read_at: Vec::new(),
                    provider: stack,
                    provided_at: place.cloned(),
                    guessed,
                    stored: stored(read, &lookup),
                });
                ends.read_at.push(read.place.clone());
            }
        }
        for written in inspection.uses.provided.iter().filter(|it| it.overwrites) {
            let lookup = Lookup::new(written, &stack.environment);
            let creators = providers.creators(&lookup);
            if creators.iter().any(|it| it.stack == index) {
                continue;
            }
            for Match { stack, place } in creators {
                let key = edge_key(&assembly.stacks[stack].id, written, &lookup);
                let ends = ties.entry(key).or_insert_with(|| Ends {
                    read_at: Vec::new(),
                    provider: stack,
                    provided_at: place.cloned(),
                    guessed: false,
                    stored: stored(written, &lookup),
                });
                ends.read_at.push(written.place.clone());
            }
        }
        for to in stack.depends_on.iter().filter(|to| ids.contains(to.as_str())) {
            found.edges.push(Edge::new(from, to, Reason::Manifest, Tie::Manifest));
        }
        let places = stack.assets.depends_on.iter();
        for to in places.filter(|to| ids.contains(to.as_str()) && *to != from) {
            found.edges.push(Edge::new(from, to, Reason::Asset, Tie::AssetPlace { asset: None }));
        }
        for asset in &inspection.borrowed {
            for to in asset.after.iter().filter(|to| ids.contains(to.as_str()) && *to != from) {
                let tie = Tie::AssetPlace { asset: Some(asset.title.clone()) };
                found.edges.push(Edge::new(from, to, Reason::Asset, tie));
            }
        }
        for ((to, reason, _, name, tie), ends) in ties {
            let Ends { mut read_at, provider, mut provided_at, guessed, stored } = ends;
            for place in &mut read_at {
                construct_of(place, stack);
            }
            if let Some(place) = &mut provided_at {
                construct_of(place, &assembly.stacks[provider]);
            }
            let edge = Edge::new(from, &to, reason, tie);
            found.edges.push(Edge { name, read_at, provided_at, guessed, stored, ..edge });
        }
    }
    missing_and_unseen(assembly, inspections, context, &providers, &mut found.edges);
    found.made_twice = made_twice(assembly, inspections, &providers);
    found
}

/// The parameters that several stacks create.
fn made_twice(
    assembly: &Assembly,
    inspections: &[Inspection<'_>],
    providers: &Providers<'_>,
) -> Vec<MadeTwice> {
    let mut found = Vec::new();
    for (index, (stack, inspection)) in assembly.stacks.iter().zip(inspections).enumerate() {
        let is_created = |it: &&Use| it.reason == Reason::Ssm && !it.overwrites;
        for created in inspection.uses.provided.iter().filter(is_created) {
            let lookup = Lookup::new(created, &stack.environment);
            // Two stacks of an assembly may be one stack that is changed in two steps.
            let is_another = |it: &&Match<'_>| assembly.stacks[it.stack].name != stack.name;
            let creators = providers.creators(&lookup);
            let sure =
                creators.iter().filter(|it| assembly.stacks[it.stack].environment == stack.environment);
            for other in sure.filter(|it| it.stack > index).filter(is_another) {
                found.push(MadeTwice {
                    first: stack.id.clone(),
                    second: assembly.stacks[other.stack].id.clone(),
                    parameter: shown(created),
                });
            }
        }
    }
    found
}

/// A missing lookup that no template shows may have changed any template of its app: every stack that can wait for it
/// does.
fn missing_and_unseen(
    assembly: &Assembly,
    inspections: &[Inspection<'_>],
    context: &[ContextLookup],
    providers: &Providers<'_>,
    edges: &mut Vec<Edge>,
) {
    for looked_up in context.iter().filter(|it| it.state == LookupState::Missing) {
        let may = assembly.stacks.iter().zip(inspections).enumerate();
        let may: Vec<_> = may.filter(|(_, (stack, _))| looked_up.is_for(stack)).collect();
        let shows = |of: &Inspection<'_>| of.uses.looked_up().any(|(name, _)| name == looked_up.name);
        if may.iter().any(|(_, (_, inspection))| shows(inspection)) {
            continue;
        }
        let lookup = Lookup::of_context(looked_up);
        for Match { stack, place } in providers.find(&lookup) {
            let to = &assembly.stacks[stack];
            for (_, (from, _)) in may.iter().filter(|(index, _)| *index != stack) {
                let mut provided_at = place.cloned();
                if let Some(place) = &mut provided_at {
                    construct_of(place, to);
                }
                let edge = Edge::new(&from.id, &to.id, Reason::Synth, Tie::SynthesizedWithout);
                edges.push(Edge { name: looked_up.name.clone(), provided_at, guessed: true, ..edge });
            }
        }
    }
}

/// The one parameter that is read, without the version at the end of its name.
fn stored(read: &Use, lookup: &Lookup) -> Option<StoredParameter> {
    let name = read.name.clone().known().filter(|_| read.reason == Reason::Ssm && !read.below)?;
    let name = match name.rsplit_once(':') {
        Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => name,
    };
    Some(StoredParameter { name, account: lookup.account.clone(), region: lookup.region.clone() })
}

fn shown(read: &Use) -> String {
    let name = read.name.shown();
    if read.below { format!("{}/*", name.trim_end_matches('/')) } else { name }
}

fn edge_key(to: &str, read: &Use, lookup: &Lookup) -> EdgeKey {
    let tie = tie(read, lookup);
    (to.to_owned(), read.reason, tie.rank(), shown(read), tie)
}

/// How a name ties two stacks. A region is part of it only where the name alone does not say which one is read.
fn tie(read: &Use, lookup: &Lookup) -> Tie {
    if read.overwrites {
        return Tie::Overwrites;
    }
    let elsewhere = read.reason == Reason::Ssm && !read.below && read.at.region.is_some();
    let tells = read.reason == Reason::CrossRegion || elsewhere || (read.reason == Reason::Ssm && read.below);
    Tie::Reads { below: read.below, elsewhere, region: lookup.region.clone().filter(|_| tells) }
}

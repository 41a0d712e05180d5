//! Matches what stacks read with the stacks that provide it.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::Assembly;

use super::providers::{Lookup, Match, Providers};
use super::uses::Use;
use super::{Edge, External, Found, MadeTwice, Place, Reason, Stored};
use crate::build::context::{self, ContextLookup, Looked};
use crate::build::facts::Facts;

/// What one stack gets from another: with it, why and what.
type Tie = (String, Reason, String);

/// Where a tie is read and provided, and whether it is a guess.
struct Ends {
    name: String,
    read_at: Vec<Place>,
    provider: usize,
    provided_at: Option<Place>,
    guessed: bool,
    overwrites: bool,
    stored: Option<Stored>,
}

/// Finds every edge between the assembly's stacks, and every name that none of them provides.
pub(crate) fn find(assembly: &Assembly, facts: &[Facts<'_>], context: &[ContextLookup]) -> Found {
    let ids: BTreeSet<&str> = assembly.stacks.iter().map(|stack| stack.id.as_str()).collect();
    let providers = Providers::new(assembly, facts);
    let mut found = Found::default();
    let mut external = BTreeSet::new();
    for (index, (stack, facts)) in assembly.stacks.iter().zip(facts).enumerate() {
        let from = &stack.id;
        // A name is often read in many places: one edge for all of them.
        let mut ties: BTreeMap<Tie, Ends> = BTreeMap::new();
        for read in &facts.uses.read {
            let lookup = Lookup::new(read, &stack.environment);
            let mut matching = providers.find(&lookup);
            let mut guessed = false;
            if matching.is_empty() {
                // Images of other accounts are made by others.
                let own = &stack.environment.account;
                if read.reason == Reason::Image && read.at.account.is_some() && lookup.account != *own {
                    continue;
                }
                matching = providers.guess(&lookup, &read.name);
                guessed = true;
            }
            if matching.iter().any(|it| it.stack == index) {
                // It provides the name itself.
                continue;
            }
            let unsure = guessed && matching.len() != 1;
            if unsure && read.only_here {
                continue;
            }
            // What a synthesis did not find is told as such.
            if unsure && read.reason == Reason::Synth {
                continue;
            }
            if unsure {
                let may_be = matching.iter().map(|it| assembly.stacks[it.stack].id.clone());
                external.insert(External {
                    stack: from.clone(),
                    reason: read.reason,
                    name: shown(read),
                    place: format!("{from}: {}", read.place),
                    unresolved: !read.name.is_known() || lookup.name.is_none(),
                    may_be: may_be.collect(),
                });
                continue;
            }
            for Match { stack, place } in matching {
                let tie = (assembly.stacks[stack].id.clone(), read.reason, describe(read, &lookup));
                let ends = ties.entry(tie).or_insert_with(|| Ends {
                    name: shown(read),
                    read_at: Vec::new(),
                    provider: stack,
                    provided_at: place.cloned(),
                    guessed,
                    overwrites: false,
                    stored: stored(read, &lookup),
                });
                ends.read_at.push(read.place.clone());
            }
        }
        for written in facts.uses.provided.iter().filter(|it| it.overwrites) {
            let lookup = Lookup::new(written, &stack.environment);
            let creators = providers.creators(&lookup);
            if creators.iter().any(|it| it.stack == index) {
                continue;
            }
            for Match { stack, place } in creators {
                let tie = (assembly.stacks[stack].id.clone(), written.reason, describe(written, &lookup));
                let ends = ties.entry(tie).or_insert_with(|| Ends {
                    name: shown(written),
                    read_at: Vec::new(),
                    provider: stack,
                    provided_at: place.cloned(),
                    guessed: false,
                    overwrites: true,
                    stored: stored(written, &lookup),
                });
                ends.read_at.push(written.place.clone());
            }
        }
        for to in stack.depends_on.iter().filter(|to| ids.contains(to.as_str())) {
            found.edges.push(Edge::new(from, to, Reason::Manifest, "declared in the assembly's manifest"));
        }
        let places = stack.assets.depends_on.iter();
        for to in places.filter(|to| ids.contains(to.as_str()) && *to != from) {
            found.edges.push(Edge::new(from, to, Reason::Asset, "makes the place that its assets go to"));
        }
        for asset in &facts.borrowed {
            for to in asset.after.iter().filter(|to| ids.contains(to.as_str()) && *to != from) {
                let detail = format!("makes the place that the asset {} goes to", asset.title);
                found.edges.push(Edge::new(from, to, Reason::Asset, detail));
            }
        }
        for ((to, reason, what), ends) in ties {
            let more = match ends.read_at.len() - 1 {
                0 => String::new(),
                1 => " and one more place".to_owned(),
                more => format!(" and {more} more places"),
            };
            let guess = if ends.guessed { ", as far as the name is known before deployment" } else { "" };
            let detail = format!("{what} ({from}: {}{more}){guess}", ends.read_at[0]);
            let Ends { name, mut read_at, provider, mut provided_at, guessed, overwrites, stored } = ends;
            for place in &mut read_at {
                place.made_by(stack);
            }
            if let Some(place) = &mut provided_at {
                place.made_by(&assembly.stacks[provider]);
            }
            let edge = Edge::new(from, &to, reason, detail);
            found.edges.push(Edge { name, read_at, provided_at, guessed, stored, overwrites, ..edge });
        }
    }
    unseen(assembly, facts, context, &providers, &mut found.edges);
    found.made_twice = made_twice(assembly, facts, &providers);
    found.external = external.into_iter().collect();
    found
}

/// The parameters that several stacks create.
fn made_twice(assembly: &Assembly, facts: &[Facts<'_>], providers: &Providers<'_>) -> Vec<MadeTwice> {
    let mut found = Vec::new();
    for (index, (stack, facts)) in assembly.stacks.iter().zip(facts).enumerate() {
        let is_created = |it: &&Use| it.reason == Reason::Ssm && !it.overwrites;
        for created in facts.uses.provided.iter().filter(is_created) {
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
                    name: shown(created),
                });
            }
        }
    }
    found
}

/// What was missing and no template shows may have decided what is in any of them: each that can
/// wait for it does.
fn unseen(
    assembly: &Assembly,
    facts: &[Facts<'_>],
    context: &[ContextLookup],
    providers: &Providers<'_>,
    edges: &mut Vec<Edge>,
) {
    for looked_up in context.iter().filter(|it| it.state == Looked::Missing) {
        let may = assembly.stacks.iter().zip(facts).enumerate();
        let may: Vec<_> = may.filter(|(_, (stack, _))| looked_up.is_for(stack)).collect();
        let shows = |facts: &Facts<'_>| facts.uses.looked_up().any(|(name, _)| name == looked_up.name);
        if may.iter().any(|(_, (_, facts))| shows(facts)) {
            continue;
        }
        let lookup = Lookup::of_context(looked_up);
        for Match { stack, place } in providers.find(&lookup) {
            let to = &assembly.stacks[stack];
            for (_, (from, _)) in may.iter().filter(|(index, _)| *index != stack) {
                let name = &looked_up.name;
                let detail =
                    format!("was synthesized without {}; no template shows what for", context::shown(name));
                let mut provided_at = place.cloned();
                if let Some(place) = &mut provided_at {
                    place.made_by(to);
                }
                let edge = Edge::new(&from.id, &to.id, Reason::Synth, detail);
                edges.push(Edge { name: name.clone(), provided_at, guessed: true, ..edge });
            }
        }
    }
}

/// The one parameter that is read. A version at the end of its name is no part of it.
fn stored(read: &Use, lookup: &Lookup) -> Option<Stored> {
    let name = read.name.clone().known().filter(|_| read.reason == Reason::Ssm && !read.below)?;
    let name = match name.rsplit_once(':') {
        Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => name,
    };
    Some(Stored { name, account: lookup.account.clone(), region: lookup.region.clone() })
}

fn shown(read: &Use) -> String {
    let name = read.name.shown();
    if read.below { format!("{}/*", name.trim_end_matches('/')) } else { name }
}

fn describe(read: &Use, lookup: &Lookup) -> String {
    let name = shown(read);
    let region = lookup.region.as_deref().unwrap_or("its region");
    match read.reason {
        _ if read.overwrites => format!("overwrites the parameter {name}"),
        Reason::Import => format!("imports {name}"),
        Reason::Secret => format!("reads the secret {name}"),
        Reason::Output => format!("reads an output of {name}"),
        Reason::Image => format!("runs an image of the repository {name}"),
        Reason::CrossRegion => format!("reads {name} from {region}"),
        Reason::Ssm if read.below => format!("reads the parameters {name} in {region}"),
        Reason::Ssm if read.at.region.is_some() => format!("reads the parameter {name} in {region}"),
        Reason::Synth => format!("has {} from its synthesis", context::shown(&name)),
        _ => format!("reads the parameter {name}"),
    }
}

//! Late synthesis: a stack whose template holds what an earlier stack makes waits until its app has been synthesized
//! again, after that stack.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use paceline_assembly::{Assembly, Environment, Stack};

use super::context::{self, ContextLookup, LookupState};
use super::error::PlanError;
use super::inspect::Inspection;
use super::options::PlanOptions;
use crate::model::{Edge, KeptContext, PlannedStack, Reason, TemplatePlace, Warning};
use paceline_config::Config;

/// Whether the app of a stack can be synthesized in the middle of the run.
pub(crate) fn can_be_synthesized(stack: &Stack, config: &Config, options: &PlanOptions) -> bool {
    match &stack.app {
        Some(name) => config.apps.get(name).is_some_and(|app| app.synth.is_some()),
        None => config.synth.is_some() && !options.made_elsewhere,
    }
}

/// Refuses stacks that would be deployed with placeholders: a lookup is missing, and no synthesis of the run will find it.
/// `inspections` are those of all stacks.
pub(crate) fn ensure_found(
    assembly: &Assembly,
    inspections: &[Inspection<'_>],
    edges: &[Edge],
    is_chosen: impl Fn(&str) -> bool,
) -> Result<(), PlanError> {
    let lookups: Vec<ContextLookup> = context::missing(assembly).collect();
    for missing in &assembly.missing {
        // A lookup that was made with a placeholder has another key once the placeholder is replaced.
        if lookups.iter().any(|it| it.app == missing.app && it.is_part_of(&missing.key)) {
            continue;
        }
        let lookup = lookups.iter().find(|it| (&it.app, &it.key) == (&missing.app, &missing.key));
        let own = || assembly.stacks.iter().zip(inspections).filter(|(stack, _)| stack.app == missing.app);
        let name = lookup.map(|it| it.name.as_str());
        let shows =
            |inspections: &Inspection<'_>| inspections.uses.looked_up().any(|(it, _)| Some(it) == name);
        let shown = own().any(|(_, inspections)| shows(inspections));
        // A lookup that no template shows may be in any template of the app.
        let may = |stack: &Stack, inspections: &Inspection<'_>| match lookup {
            Some(_) if shown => shows(inspections),
            Some(lookup) => lookup.is_for(stack),
            None => true,
        };
        let found = |stack: &Stack| {
            let mut edges = edges.iter().filter(|edge| edge.from == stack.id && edge.reason == Reason::Synth);
            edges.any(|edge| Some(edge.name.as_str()) == name)
        };
        let chosen = own().filter(|(stack, inspections)| is_chosen(&stack.id) && may(stack, inspections));
        let (found, without): (Vec<&Stack>, Vec<&Stack>) =
            chosen.map(|(stack, _)| stack).partition(|stack| found(stack));
        // Stacks that its maker waits for cannot wait for it, and do without it.
        let stack = without.first().filter(|_| shown || found.is_empty());
        if let Some(stack) = stack {
            let all = assembly.stacks.iter().zip(inspections);
            return Err(PlanError::MissingContext {
                stack: stack.id.clone(),
                key: missing.key.clone(),
                provider: missing.provider.clone(),
                name: name.map(str::to_owned),
                maker: name.and_then(|name| maker(name, &stack.environment, all)).map(str::to_owned),
            });
        }
    }
    Ok(())
}

/// The stack that creates what is looked up by this name; of several, the one in the same environment.
fn maker<'a>(
    name: &str,
    environment: &Environment,
    stacks: impl Iterator<Item = (&'a Stack, &'a Inspection<'a>)>,
) -> Option<&'a str> {
    let makers = stacks.filter(|(_, inspections)| inspections.uses.makes(name)).map(|(stack, _)| stack);
    let nearest = makers.min_by_key(|stack| stack.environment != *environment);
    nearest.map(|stack| stack.id.as_str())
}

/// Warnings of placeholders: lookups that the synthesis did not find and no synthesis of this run will find.
pub(crate) fn placeholders(
    context: &[ContextLookup],
    chosen: &[&Stack],
    inspections: &[Inspection<'_>],
    stacks: &[PlannedStack],
) -> Vec<Warning> {
    let waiting: HashMap<&str, BTreeSet<&str>> =
        stacks.iter().map(|stack| (stack.id.as_str(), stack.awaited_lookups())).collect();
    let mut warnings = Vec::new();
    let all = || chosen.iter().copied().zip(inspections);
    for (stack, reader) in all() {
        let mut names: BTreeMap<&str, &TemplatePlace> = BTreeMap::new();
        for (name, place) in reader.uses.looked_up() {
            names.entry(name).or_insert(place);
        }
        // A value that was found and is looked up again is no placeholder.
        let again = |it: &ContextLookup| it.state == LookupState::Again && it.is_for(stack);
        names.retain(|name, _| !context.iter().any(|it| again(it) && it.name == *name));
        let awaited = waiting.get(reader.stack);
        for (name, place) in names.into_iter().filter(|(name, _)| awaited.is_none_or(|a| !a.contains(name))) {
            warnings.push(Warning::Placeholder {
                stack: reader.stack.to_owned(),
                name: name.to_owned(),
                place: place.clone(),
                maker: maker(name, &stack.environment, all()).map(str::to_owned),
            });
        }
    }
    warnings
}

/// Warnings of stacks with errors in their metadata, which will not be deployed. A stack that waits for a synthesis is
/// checked after it.
pub(crate) fn errors(chosen: &[&Stack], stacks: &[PlannedStack]) -> Vec<Warning> {
    let late: BTreeSet<&str> = stacks
        .iter()
        .filter(|stack| !stack.awaited_lookups().is_empty())
        .map(|stack| stack.id.as_str())
        .collect();
    let wrong = chosen.iter().filter(|stack| !late.contains(stack.id.as_str()));
    wrong
        .filter_map(|stack| {
            let errors = stack.errors().count();
            (errors > 0).then(|| Warning::StackErrors { stack: stack.id.clone(), errors })
        })
        .collect()
}

/// Cached lookups in `cdk.context.json` of things that stacks of the plan create.
pub(crate) fn kept(
    context: &[ContextLookup],
    chosen: &[&Stack],
    inspections: &[Inspection<'_>],
) -> Vec<KeptContext> {
    let kept = context.iter().filter(|lookup| lookup.state == LookupState::Kept);
    kept.filter_map(|lookup| {
        let place = Environment { account: lookup.account.clone(), region: lookup.region.clone() };
        let maker = maker(&lookup.name, &place, chosen.iter().copied().zip(inspections))?;
        Some(KeptContext {
            app: lookup.app.clone(),
            key: lookup.key.clone(),
            name: lookup.name.clone(),
            stack: maker.to_owned(),
        })
    })
    .collect()
}

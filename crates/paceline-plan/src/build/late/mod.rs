//! Late synthesis: a stack whose template holds what an earlier stack makes waits until its app has been synthesized
//! again, after that stack.

mod compare;
mod steps;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use paceline_assembly::{Assembly, Environment, Stack};

use crate::build::context::{self, ContextLookup, Looked};
use crate::build::edges::{Edge, Place, Reason};
use crate::build::error::PlanError;
use crate::build::facts::Facts;
use crate::build::make::PlanOptions;
use crate::build::steps::{PUBLISH, assets};
use crate::config::Config;
use crate::model::plan::{KeptContext, Plan, PlannedStack, Publish, Synthesize, THE_APP, Work};

pub use compare::{Compared, compare};
pub(crate) use steps::Synthesized;

/// What the stacks that have waited for a synthesis need beyond what the plan publishes: of each its id, and the asset.
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

/// Which apps a plan synthesizes again, after what, and for whom: a line for each time.
pub fn told(plan: &Plan) -> Vec<String> {
    let lines = plan.steps.iter().filter_map(|step| {
        let Work::Synthesize(work) = &step.work else { return None };
        let after = step.needs.iter().map(|&need| plan.stack_of(&plan.steps[need]).id.as_str());
        let after = after.collect::<Vec<_>>().join(", ");
        let stacks = work.stacks.iter().map(|&at| plan.stacks[at].id.as_str()).collect::<Vec<_>>().join(", ");
        let lookups = work.lookups.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let app = work.app.as_deref().unwrap_or(THE_APP);
        Some(format!("{app} after {after}, for {stacks}: {lookups}"))
    });
    lines.collect()
}

/// Whether the app of a stack can be synthesized in the middle of the run.
pub(crate) fn can_be_synthesized(stack: &Stack, config: &Config, options: &PlanOptions) -> bool {
    match &stack.app {
        Some(name) => config.apps.get(name).is_some_and(|app| app.synth.is_some()),
        None => config.synth.is_some() && !options.made_elsewhere,
    }
}

/// The stacks that wait for a synthesis of their app, with the names of what they wait for.
pub(crate) fn awaited(stack: &PlannedStack) -> BTreeSet<&str> {
    stack
        .depends_on
        .iter()
        .filter(|edge| edge.reason == Reason::Synth)
        .map(|edge| edge.name.as_str())
        .collect()
}

/// Refuses what would be deployed with something made up: context that is missing and that no synthesis of the run
/// will find. `facts` are those of all stacks.
pub(crate) fn ensure_found(
    assembly: &Assembly,
    facts: &[Facts<'_>],
    edges: &[Edge],
    is_chosen: impl Fn(&str) -> bool,
) -> Result<(), PlanError> {
    let lookups: Vec<ContextLookup> = context::missing(assembly).collect();
    for missing in &assembly.missing {
        // What is asked for with something made up is asked for otherwise when that is found.
        if lookups.iter().any(|it| it.app == missing.app && it.is_part_of(&missing.key)) {
            continue;
        }
        let lookup = lookups.iter().find(|it| (&it.app, &it.key) == (&missing.app, &missing.key));
        let own = || assembly.stacks.iter().zip(facts).filter(|(stack, _)| stack.app == missing.app);
        let name = lookup.map(|it| it.name.as_str());
        let shows = |facts: &Facts<'_>| facts.uses.looked_up().any(|(it, _)| Some(it) == name);
        let shown = own().any(|(_, facts)| shows(facts));
        // What no template shows may be in any that is there.
        let may = |stack: &Stack, facts: &Facts<'_>| match lookup {
            Some(_) if shown => shows(facts),
            Some(lookup) => lookup.is_for(stack),
            None => true,
        };
        let found = |stack: &Stack| {
            let mut edges = edges.iter().filter(|edge| edge.from == stack.id && edge.reason == Reason::Synth);
            edges.any(|edge| Some(edge.name.as_str()) == name)
        };
        let chosen = own().filter(|(stack, facts)| is_chosen(&stack.id) && may(stack, facts));
        let (found, without): (Vec<&Stack>, Vec<&Stack>) =
            chosen.map(|(stack, _)| stack).partition(|stack| found(stack));
        // Those that cannot wait for it, since its maker waits for them, do without it.
        let stack = without.first().filter(|_| shown || found.is_empty());
        if let Some(stack) = stack {
            let all = assembly.stacks.iter().zip(facts);
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

/// The stack that makes what is looked up by this name, that of the same environment if several do.
fn maker<'a>(
    name: &str,
    environment: &Environment,
    stacks: impl Iterator<Item = (&'a Stack, &'a Facts<'a>)>,
) -> Option<&'a str> {
    let makers = stacks.filter(|(_, facts)| facts.uses.makes(name)).map(|(stack, _)| stack);
    let nearest = makers.min_by_key(|stack| stack.environment != *environment);
    nearest.map(|stack| stack.id.as_str())
}

/// What was not found when the app was synthesized, is baked in as it was, and will not be found in this run.
pub(crate) fn placeholders(
    context: &[ContextLookup],
    chosen: &[&Stack],
    facts: &[Facts<'_>],
    stacks: &[PlannedStack],
) -> Vec<String> {
    let waiting: HashMap<&str, BTreeSet<&str>> =
        stacks.iter().map(|stack| (stack.id.as_str(), awaited(stack))).collect();
    let mut warnings = Vec::new();
    let all = || chosen.iter().copied().zip(facts);
    for (stack, reader) in all() {
        let mut names: BTreeMap<&str, &Place> = BTreeMap::new();
        for (name, place) in reader.uses.looked_up() {
            names.entry(name).or_insert(place);
        }
        // What was found, and is looked up again, is no placeholder.
        let again = |it: &ContextLookup| it.state == Looked::Again && it.is_for(stack);
        names.retain(|name, _| !context.iter().any(|it| again(it) && it.name == *name));
        let awaited = waiting.get(reader.stack);
        for (name, place) in names.into_iter().filter(|(name, _)| awaited.is_none_or(|a| !a.contains(name))) {
            let then = match maker(name, &stack.environment, all()) {
                Some(maker) => format!(
                    "`{maker}` makes it, so synthesize again when that is deployed (with `synth` in paceline.yaml it is, in the run)"
                ),
                None => "synthesize again when it is there".to_owned(),
            };
            warnings.push(format!(
                "`{}` was synthesized without {}, and would be deployed with a placeholder for it ({place}): {then}",
                reader.stack,
                context::shown(name)
            ));
        }
    }
    warnings
}

/// The stacks that report errors of their own and so will not be deployed. Those of a stack that waits for its
/// synthesis are looked at then.
pub(crate) fn errors(chosen: &[&Stack], stacks: &[PlannedStack]) -> Vec<String> {
    let late: BTreeSet<&str> =
        stacks.iter().filter(|stack| !awaited(stack).is_empty()).map(|stack| stack.id.as_str()).collect();
    let wrong = chosen.iter().filter(|stack| !late.contains(stack.id.as_str()));
    wrong
        .filter_map(|stack| {
            let errors = stack.errors().count();
            let noun = if errors == 1 { "error" } else { "errors" };
            let id = &stack.id;
            (errors > 0)
                .then(|| format!("stack `{id}` has {errors} {noun} in its metadata: it will not be deployed"))
        })
        .collect()
}

/// What apps have from their context as it was once found, and stacks of the plan make.
pub(crate) fn kept(context: &[ContextLookup], chosen: &[&Stack], facts: &[Facts<'_>]) -> Vec<KeptContext> {
    let kept = context.iter().filter(|lookup| lookup.state == Looked::Kept);
    kept.filter_map(|lookup| {
        let place = Environment { account: lookup.account.clone(), region: lookup.region.clone() };
        let maker = maker(&lookup.name, &place, chosen.iter().copied().zip(facts))?;
        Some(KeptContext {
            app: lookup.app.clone(),
            key: lookup.key.clone(),
            name: lookup.name.clone(),
            stack: maker.to_owned(),
        })
    })
    .collect()
}

//! Checks before a run which orders of stacks that the team relaxes can be ignored. That is so if the
//! parameters that a stack reads exist already, or the stack that it waits for. Also checks whether the
//! parameters that apps have from their context have changed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::Client;
use paceline_assembly::{Assembly, Stack};
use paceline_plan::{ContextLookup, Present, Relaxed, StoredParameter};

use crate::environment::Environment;
use crate::error::{AwsError, PreflightError};
use crate::inputs::NAMES;
use crate::sdk::Wire;
use crate::session::Sessions;
use crate::stack::is_usable;
use crate::target::Target;

/// The result of the check.
#[derive(Debug, Default)]
pub struct Presence {
    /// The pairs of stacks in which the waiting stack has all that it waits for.
    pub present: Present,
    /// Warnings about failed reads. A parameter or stack that cannot be read counts as missing, so the order
    /// is kept.
    pub warnings: Vec<String>,
}

/// Checks every relaxed edge. Reads its parameters with the lookup role of the stack that reads them, or the
/// stack that is waited for. If two entries relax the same pair of stacks, both must be met.
pub async fn present(
    wire: &Wire,
    assembly: &Assembly,
    relaxed: &[Relaxed],
) -> Result<Presence, PreflightError> {
    let sessions = Sessions::for_stacks(wire, &assembly.stacks).await?;
    let mut presence = Presence::default();
    let mut absent = Present::new();
    for it in relaxed {
        let pair = (it.from.clone(), it.to.clone());
        let (Some(from), Some(to)) = (assembly.stack(&it.from), assembly.stack(&it.to)) else { continue };
        let (what, looked) = match it.parameters.as_slice() {
            [] => ("the stack", Box::pin(is_there(&sessions, to)).await),
            parameters => {
                ("the parameters that it reads", Box::pin(all_there(&sessions, from, parameters)).await)
            }
        };
        match looked {
            Ok(true) => drop(presence.present.insert(pair)),
            Ok(false) => drop(absent.insert(pair)),
            Err(error) => {
                presence
                    .warnings
                    .push(format!("{} waits for {}: {what} cannot be looked at: {error}", it.from, it.to));
                absent.insert(pair);
            }
        }
    }
    presence.present.retain(|pair| !absent.contains(pair));
    Ok(presence)
}

/// Returns whether a stack exists and can be used.
async fn is_there(sessions: &Sessions, stack: &Stack) -> Result<bool, AwsError> {
    let target = sessions.target(stack).await?;
    let config = sessions.reading(stack.lookup_role.as_ref(), &target).await?;
    let (caller, names) = (sessions.caller(&target), BTreeSet::from([stack.name.clone()]));
    let environment = Environment::new(target, &config, caller, names);
    environment.poller.never_list();
    let view = environment.poller.glance(&stack.name).await?;
    Ok(view.is_some_and(|view| is_usable(&view)))
}

async fn all_there(
    sessions: &Sessions,
    stack: &Stack,
    parameters: &[StoredParameter],
) -> Result<bool, AwsError> {
    let home = sessions.target(stack).await?;
    let mut by_place: BTreeMap<Target, BTreeSet<&str>> = BTreeMap::new();
    for stored in parameters {
        let place = Target {
            account: stored.account.clone().unwrap_or_else(|| home.account.clone()),
            region: stored.region.clone().unwrap_or_else(|| home.region.clone()),
        };
        by_place.entry(place).or_default().insert(&stored.name);
    }
    for (place, names) in by_place {
        if values(sessions, stack, &place, &names).await?.len() < names.len() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Finds the parameters in the context of apps whose values have changed since. Also returns warnings about
/// parameters that cannot be read.
pub async fn changed(
    wire: &Wire,
    assembly: &Assembly,
    kept: &[&ContextLookup],
) -> Result<(Vec<ContextLookup>, Vec<String>), PreflightError> {
    let (mut changed, mut warnings) = (Vec::new(), Vec::new());
    let mut places: BTreeMap<_, Vec<&ContextLookup>> = BTreeMap::new();
    for lookup in kept.iter().filter(|it| it.parameter_value().is_some()) {
        places.entry((&lookup.app, &lookup.account, &lookup.region)).or_default().push(lookup);
    }
    if places.is_empty() {
        return Ok((changed, warnings));
    }
    let sessions = Sessions::for_stacks(wire, &assembly.stacks).await?;
    for ((app, account, region), lookups) in places {
        let is_there = |stack: &&Stack| {
            (&stack.app, &stack.environment.account, &stack.environment.region) == (app, account, region)
        };
        let Some(stack) = assembly.stacks.iter().find(is_there) else { continue };
        let names = lookups.iter().map(|it| it.name.as_str()).collect();
        let found = async {
            let place = sessions.target(stack).await?;
            values(&sessions, stack, &place, &names).await
        };
        match found.await {
            Ok(found) => {
                let is_another = |it: &&&ContextLookup| {
                    let mut now = found.iter().filter(|(name, _)| *name == it.name);
                    now.any(|(_, value)| Some(value.as_str()) != it.parameter_value())
                };
                changed.extend(lookups.iter().filter(is_another).map(|it| (*it).clone()));
            }
            Err(error) => warnings.push(format!(
                "whether what {} has from cdk.context.json is still so cannot be looked at: {}",
                stack.app.as_deref().unwrap_or(&stack.id),
                error
            )),
        }
    }
    Ok((changed, warnings))
}

/// The names and values of the parameters that exist, read with the lookup role of a stack. A parameter that
/// is requested by its name and by its ARN is returned twice.
pub(crate) async fn values(
    sessions: &Sessions,
    stack: &Stack,
    place: &Target,
    names: &BTreeSet<&str>,
) -> Result<Vec<(String, String)>, AwsError> {
    let home = sessions.target(stack).await?;
    let role = stack.lookup_role.as_ref().filter(|_| place.account == home.account);
    let client = Client::new(&sessions.reading(role, place).await?);
    let names: Vec<&str> = names.iter().copied().collect();
    let mut found = Vec::new();
    for names in names.chunks(NAMES) {
        let wanted = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let send = || client.get_parameters().set_names(wanted.clone()).send();
        let answer = sessions.caller(place).call("GetParameters", send).await?;
        for parameter in answer.parameters() {
            let (Some(name), Some(value)) = (parameter.name(), parameter.value()) else { continue };
            found.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(found)
}

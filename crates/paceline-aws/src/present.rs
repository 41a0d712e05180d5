//! Whether parameters that stacks read are there already, so that an order which the team relaxes can be given up.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use paceline_assembly::{Assembly, Stack};
use paceline_plan::{Present, Relaxed, Stored};

use crate::aws::PreflightError;
use crate::sdk::{self, Wire};
use crate::session::{Sessions, Target};
use crate::trouble::Trouble;

/// `GetParameters` takes so many names at once (Systems Manager API reference, `GetParameters`).
const NAMES: usize = 10;

/// What was found.
#[derive(Debug, Default)]
pub struct Presence {
    /// The pairs of stacks for which every parameter is there.
    pub present: Present,
    /// What could not be looked at. It counts as not there: the order is kept.
    pub warnings: Vec<String>,
}

/// Looks for the parameters of every relaxed edge, with the lookup role of the stack that reads them.
pub async fn present(
    wire: &Wire,
    assembly: &Assembly,
    relaxed: &[Relaxed],
) -> Result<Presence, PreflightError> {
    let sessions = Sessions::new(sdk::base(wire, "us-east-1").await?);
    let mut presence = Presence::default();
    for it in relaxed {
        let Some(stack) = assembly.stack(&it.from) else { continue };
        match all_there(&sessions, stack, &it.parameters).await {
            Ok(true) => drop(presence.present.insert((it.from.clone(), it.to.clone()))),
            Ok(false) => {}
            Err(trouble) => presence.warnings.push(format!(
                "{} waits for {}: the parameters that it reads cannot be looked at: {}",
                it.from, it.to, trouble.message
            )),
        }
    }
    Ok(presence)
}

async fn all_there(sessions: &Sessions, stack: &Stack, parameters: &[Stored]) -> Result<bool, Trouble> {
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
        let role = stack.lookup_role.as_ref().filter(|_| place.account == home.account);
        let client = Client::new(&config(sessions, role, &place).await?);
        let names: Vec<&str> = names.into_iter().collect();
        for names in names.chunks(NAMES) {
            let wanted = Some(names.iter().map(|name| (*name).to_owned()).collect());
            let answer = client.get_parameters().set_names(wanted).send().await;
            let answer = answer.map_err(|error| Trouble::of("GetParameters", &error))?;
            if !answer.invalid_parameters().is_empty() || answer.parameters().len() < names.len() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The lookup role may read everything; without it, ours is tried.
async fn config(
    sessions: &Sessions,
    role: Option<&paceline_assembly::Role>,
    place: &Target,
) -> Result<SdkConfig, Trouble> {
    match sessions.assume(role, place).await {
        Err(_) if role.is_some() => sessions.assume(None, place).await,
        config => config,
    }
}

//! The image repositories that stacks name and that no stack of the app creates.

use std::collections::{BTreeMap, BTreeSet};

use paceline_assembly::{Assembly, Environment, Stack};
use paceline_config::{Prewarm, RepositoryName};

use super::providers::{Lookup, Providers};
use crate::build::inspect::Inspection;
use crate::model::Reason;

/// A repository in an account and a region. Each is `None` if only the run knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
}

/// The repositories to create at the start of a run.
#[derive(Debug, Default)]
pub(crate) struct Repositories {
    /// Each with the ids of the stacks that name it or publish to it.
    pub(crate) named: BTreeMap<Repository, BTreeSet<String>>,
    /// The names of the configuration that nothing in the app names or creates.
    pub(crate) unnamed: Vec<String>,
}

/// Finds the repositories that the configuration asks for.
pub(crate) fn repositories(
    assembly: &Assembly,
    config: &Prewarm,
    inspections: &[Inspection<'_>],
) -> Repositories {
    let mut found = Repositories::default();
    if !config.is_set() {
        return found;
    }
    let providers = Providers::new(assembly, inspections);
    // The images of AWS and of other companies are in their accounts.
    let accounts: BTreeSet<&Option<String>> =
        assembly.stacks.iter().map(|stack| &stack.environment.account).collect();
    let is_asked = |name: &str| config.ecr.iter().any(|asked| asked.as_str() == name);
    let mut created: BTreeSet<String> = BTreeSet::new();
    for (stack, inspection) in assembly.stacks.iter().zip(inspections) {
        let own = &stack.environment;
        let read = inspection.uses.read.iter().filter(|read| read.reason == Reason::Image);
        let read = read.filter_map(|read| {
            let lookup = Lookup::new(read, own);
            // A text that is not known may be any account.
            let unknown = |is_known: bool, own: &Option<String>| !is_known && own.is_some();
            let is_elsewhere = unknown(lookup.account.is_some(), &own.account)
                || unknown(lookup.region.is_some(), &own.region);
            (!is_elsewhere).then_some(lookup)
        });
        for lookup in read.chain(destinations(stack)) {
            let Some(name) = lookup.name.clone() else { continue };
            if !(config.from_templates || is_asked(&name)) || !accounts.contains(&lookup.account) {
                continue;
            }
            if providers.may_provide(&lookup) {
                created.insert(name);
                continue;
            }
            let repository =
                Repository { name, account: lookup.account.clone(), region: lookup.region.clone() };
            found.named.entry(repository).or_default().insert(stack.id.clone());
        }
    }
    let is_created = |name: &str| {
        created.contains(name) || providers.may_provide(&Lookup::of_repository(name, &Environment::default()))
    };
    let is_named = |name: &str| found.named.keys().any(|repository| repository.name == name);
    let unnamed =
        config.ecr.iter().map(RepositoryName::as_str).filter(|name| !is_created(name) && !is_named(name));
    let unnamed: BTreeSet<String> = unnamed.map(str::to_owned).collect();
    found.unnamed = unnamed.into_iter().collect();
    found
}

/// The repositories to which images of a stack are published, without that of the bootstrap.
fn destinations(stack: &Stack) -> impl Iterator<Item = Lookup> {
    let all = stack.assets.images.values().flat_map(|image| image.destinations.values());
    let own = all.filter(|to| !to.repository.contains("${") && !to.repository.contains("container-assets-"));
    own.map(|to| {
        let region = to.region.clone().filter(|region| !region.contains("${"));
        let place = Environment {
            account: stack.environment.account.clone(),
            region: region.or_else(|| stack.environment.region.clone()),
        };
        Lookup::of_repository(&to.repository, &place)
    })
}

//! Repositories of container images, and their images.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{AccountRegion, World};
use crate::options::Images;

/// A repository: the tags that were pushed to it, with the times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    pub(crate) tags: BTreeMap<String, Timestamp>,
}

/// Whether a repository exists.
pub(crate) fn is_there(world: &World, place: &AccountRegion, name: &str) -> bool {
    world.region(place).is_some_and(|region| region.repositories.contains_key(name))
        || (is_of_bootstrap(place, name) && world.is_bootstrapped(place))
}

fn is_of_bootstrap(place: &AccountRegion, name: &str) -> bool {
    name.starts_with("cdk-")
        && name.ends_with(&format!("-container-assets-{}-{}", place.account, place.region))
}

/// Whether a repository has an image with this tag.
pub(crate) fn holds(world: &World, place: &AccountRegion, repository: &str, tag: &str) -> bool {
    (world.options.images == Images::Present
        && is_of_bootstrap(place, repository)
        && world.is_bootstrapped(place))
        || pushed(world, place, repository).any(|pushed| pushed == tag)
}

/// The tags that were pushed to a repository.
pub(crate) fn pushed<'a>(
    world: &'a World,
    place: &AccountRegion,
    repository: &str,
) -> impl Iterator<Item = &'a String> {
    let repository = world.region(place).and_then(|region| region.repositories.get(repository));
    repository.into_iter().flat_map(|repository| repository.tags.keys())
}

/// Creates a repository. Returns false if it exists.
pub(crate) fn create(world: &mut World, place: &AccountRegion, name: &str) -> bool {
    if is_there(world, place, name) {
        return false;
    }
    world.region_mut(place).repositories.insert(name.to_owned(), Repository::default());
    true
}

/// Records an image.
pub(crate) fn push(world: &mut World, place: &AccountRegion, repository: &str, tag: &str) {
    let now = world.now;
    let repository = world.region_mut(place).repositories.entry(repository.to_owned()).or_default();
    repository.tags.insert(tag.to_owned(), now);
}

//! Names that must be unique: a resource takes the name that its template gives it, and releases it at its end.

use std::sync::Arc;

use serde_json::Value;

use super::effects;
use super::run::Run;
use crate::resources::{Unique, given_name, uniqueness};
use crate::world::{AccountRegion, Resource};

/// Whether two sets of properties of a resource name it differently.
pub(super) fn is_renamed(kind: &str, old: &Value, new: &Value) -> bool {
    given_name(kind, old) != given_name(kind, new)
}

/// The place in which a unique name is registered.
fn registry(place: &AccountRegion, kind: &str) -> Option<AccountRegion> {
    Some(match uniqueness(kind)? {
        Unique::Region => place.clone(),
        Unique::Account => AccountRegion::new(&place.account, ""),
        Unique::Global => AccountRegion::new("", ""),
    })
}

/// Takes the name that the template gives a resource, unless another resource has it.
pub(super) fn take_name(run: &mut Run<'_>, resource: &Resource) -> Result<(), String> {
    let Some(name) = given_name(&resource.kind, &resource.properties) else { return Ok(()) };
    let place = &run.stack.key.place;
    let Some(registry) = registry(place, &resource.kind) else { return Ok(()) };
    let taken = &mut run.world.region_mut(&registry).taken;
    let entry = (resource.kind.clone(), name.to_owned());
    if taken.contains_key(&entry) || effects::exists(run.world, place, &resource.kind, name) {
        let token = run.draws(&["request", &run.stack.key.arn, &resource.id]).uuid();
        return Err(format!(
            "Resource handler returned message: \"Resource of type '{}' with identifier '{name}' already exists.\" (RequestToken: {token}, HandlerErrorCode: AlreadyExists)",
            resource.kind
        ));
    }
    let owner = owner(run, resource);
    run.world.region_mut(&registry).taken.insert(entry, owner);
    Ok(())
}

/// Releases the name of a resource whose creation did not complete.
pub(super) fn release_name(run: &mut Run<'_>, id: &str) {
    if let Some(resource) = run.stack.resources.get(id).filter(|resource| !resource.applied).cloned() {
        give_name_back(run, &resource);
    }
}

pub(super) fn give_name_back(run: &mut Run<'_>, resource: &Resource) {
    let Some(name) = given_name(&resource.kind, &resource.properties) else { return };
    let Some(registry) = registry(&run.stack.key.place, &resource.kind) else { return };
    let owner = owner(run, resource);
    let taken = &mut run.world.region_mut(&registry).taken;
    let entry = (resource.kind.clone(), name.to_owned());
    if taken.get(&entry).is_some_and(|taker| *taker == owner) {
        taken.remove(&entry);
    }
}

fn owner(run: &Run<'_>, resource: &Resource) -> Arc<str> {
    format!("{} {}", run.stack.key.arn, resource.id).into()
}

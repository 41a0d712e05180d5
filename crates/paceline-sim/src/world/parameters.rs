//! The parameters of Parameter Store: written ones, and those that exist from the start.

use std::sync::Arc;

use jiff::Timestamp;

use super::known::{Known, text_of};
use super::{AccountRegion, World, forms};
use crate::options::Bootstrap;

#[derive(Debug, Clone)]
pub(crate) struct StoredParameter {
    pub(crate) value: Arc<str>,
    pub(crate) kind: String,
    pub(crate) version: u64,
    pub(crate) modified: Timestamp,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

impl StoredParameter {
    pub(crate) fn known(&self) -> Known {
        Known { value: (*self.value).into(), made_up: self.made_up }
    }
}

/// A parameter by its name, which may end with a colon and a version.
pub(crate) fn read(world: &World, place: &AccountRegion, name: &str) -> Option<StoredParameter> {
    let (plain, version) = match name.rsplit_once(':') {
        Some((plain, version)) if version.bytes().all(|b| b.is_ascii_digit()) => {
            (plain, version.parse().ok())
        }
        _ => (name, None),
    };
    let stored = world.region(place).and_then(|region| region.parameters.get(plain)).cloned();
    let found = stored.or_else(|| {
        built_in(world, place, plain).map(|(value, made_up)| StoredParameter {
            value: value.into(),
            made_up,
            kind: "String".to_owned(),
            version: 1,
            modified: Timestamp::UNIX_EPOCH,
        })
    })?;
    version.is_none_or(|version: u64| version == found.version).then_some(found)
}

/// A parameter that no stack wrote, and whether its value is made up: the bootstrap version, somebody else's
/// parameters, and those that AWS publishes.
fn built_in(world: &World, place: &AccountRegion, name: &str) -> Option<(String, bool)> {
    if name.starts_with("/cdk-bootstrap/") && name.ends_with("/version") {
        return match world.options.bootstrap_of(&place.account, &place.region) {
            Bootstrap::Version(version) => Some((version.to_string(), false)),
            Bootstrap::Missing => None,
        };
    }
    match world.options.foreign_parameters.get(name) {
        Some(Some(value)) => return Some((value.clone(), false)),
        Some(None) => {
            let mut draws = world.draws(&["foreign", &place.account, &place.region, name]);
            let value = forms::by_name(place, name, &mut draws);
            return Some((value.unwrap_or_else(|| "pretended".to_owned()), true));
        }
        None => {}
    }
    let published = name.strip_prefix("/aws/service/")?;
    let mut draws = world.draws(&["published", &place.region, published]);
    let is_image = published.contains("ami") || published.contains("image_id");
    Some((if is_image { format!("ami-0{}", draws.hex(16)) } else { draws.hex(12) }, true))
}

/// Writes a parameter, and returns its version.
pub(crate) fn write(world: &mut World, place: &AccountRegion, name: &str, value: &Known, kind: &str) -> u64 {
    let now = world.now;
    let parameters = &mut world.region_mut(place).parameters;
    let version = parameters.get(name).map_or(1, |old| old.version + 1);
    let Known { value, made_up } = value;
    let value = text_of(value).into();
    let parameter =
        StoredParameter { value, kind: kind.to_owned(), version, modified: now, made_up: *made_up };
    parameters.insert(name.to_owned(), parameter);
    version
}

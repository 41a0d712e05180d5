//! SSM Parameter Store.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::{Fault, Outcome};
use crate::forms;
use crate::options::Bootstrap;
use crate::request::Request;
use crate::simulator::unknown_operation;
use crate::template::{Known, text_of};
use crate::world::{Place, World, epoch};

/// A stored parameter.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) value: Arc<str>,
    pub(crate) kind: String,
    pub(crate) version: u64,
    pub(crate) modified: Timestamp,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

impl Parameter {
    pub(crate) fn known(&self) -> Known {
        Known { value: (*self.value).into(), made_up: self.made_up }
    }
}

pub(crate) fn perform(world: &mut World, request: &Request) -> Outcome {
    let place = &request.place;
    match request.operation.as_str() {
        "GetParameter" => {
            let name = text(&request.json, "Name")?;
            read(world, place, name)
                .map(|parameter| json!({"Parameter": described(place, name, &parameter)}))
                // AWS sends no message with this one.
                .ok_or_else(|| Fault::bad("ParameterNotFound", ""))
        }
        "GetParameters" => {
            let names: Vec<&str> = strings(&request.json, "Names");
            if names.is_empty() || names.len() > 10 {
                return Err(Fault::bad(
                    "ValidationException",
                    "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length between 1 and 10",
                ));
            }
            let (mut found, mut invalid) = (Vec::new(), Vec::new());
            for name in names {
                match read(world, place, name) {
                    Some(parameter) => found.push(described(place, name, &parameter)),
                    None => invalid.push(name),
                }
            }
            Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
        }
        "PutParameter" => {
            let name = text(&request.json, "Name")?;
            let value = text(&request.json, "Value")?;
            let kind = request.json["Type"].as_str().unwrap_or("String");
            let exists = world.region(place).is_some_and(|region| region.parameters.contains_key(name));
            if exists && request.json["Overwrite"].as_bool() != Some(true) {
                return Err(Fault::bad(
                    "ParameterAlreadyExists",
                    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
                ));
            }
            let version = write(world, place, name, &Known::said(value), kind);
            Ok(json!({"Version": version, "Tier": "Standard"}))
        }
        "DeleteParameter" => {
            let name = text(&request.json, "Name")?;
            match world.region_mut(place).parameters.remove(name) {
                Some(_) => Ok(json!({})),
                None => Err(Fault::bad("ParameterNotFound", "")),
            }
        }
        _ => Err(unknown_operation(request)),
    }
}

fn described(place: &Place, name: &str, parameter: &Parameter) -> Value {
    let plain = name.split(':').next().unwrap_or(name);
    json!({
        "Name": plain,
        "Type": parameter.kind,
        "Value": &*parameter.value,
        "Version": parameter.version,
        "LastModifiedDate": epoch(parameter.modified),
        "ARN": place.arn("ssm", &format!("parameter/{}", plain.trim_start_matches('/'))),
        "DataType": "text",
    })
}

/// A parameter by its name, with an optional version after a colon.
pub(crate) fn read(world: &World, place: &Place, name: &str) -> Option<Parameter> {
    let (plain, version) = match name.rsplit_once(':') {
        Some((plain, version)) if version.bytes().all(|b| b.is_ascii_digit()) => {
            (plain, version.parse().ok())
        }
        _ => (name, None),
    };
    let stored = world.region(place).and_then(|region| region.parameters.get(plain)).cloned();
    let found = stored.or_else(|| {
        built_in(world, place, plain).map(|(value, made_up)| Parameter {
            value: value.into(),
            made_up,
            kind: "String".to_owned(),
            version: 1,
            modified: Timestamp::UNIX_EPOCH,
        })
    })?;
    version.is_none_or(|version: u64| version == found.version).then_some(found)
}

/// Parameters that no stack wrote: the bootstrap version, those of somebody else, and those that AWS publishes; and
/// whether the value is made up.
fn built_in(world: &World, place: &Place, name: &str) -> Option<(String, bool)> {
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

/// Writes a parameter and tells its version.
pub(crate) fn write(world: &mut World, place: &Place, name: &str, value: &Known, kind: &str) -> u64 {
    let now = world.now;
    let parameters = &mut world.region_mut(place).parameters;
    let version = parameters.get(name).map_or(1, |old| old.version + 1);
    let Known { value, made_up } = value;
    let value = text_of(value).into();
    let parameter = Parameter { value, kind: kind.to_owned(), version, modified: now, made_up: *made_up };
    parameters.insert(name.to_owned(), parameter);
    version
}

/// A member that must be there and be text.
pub(crate) fn text<'a>(json: &'a Value, key: &str) -> Result<&'a str, Fault> {
    json[key].as_str().ok_or_else(|| {
        Fault::bad(
            "ValidationException",
            format!("1 validation error detected: Value null at '{key}' failed to satisfy constraint: Member must not be null"),
        )
    })
}

/// A member that is a list of texts.
pub(crate) fn strings<'a>(json: &'a Value, key: &str) -> Vec<&'a str> {
    json[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

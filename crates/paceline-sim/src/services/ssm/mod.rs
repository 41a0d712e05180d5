//! SSM Parameter Store.

use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, strings, text};
use crate::world::parameters::{StoredParameter, read, write};
use crate::world::{AccountRegion, Known, World, epoch};

/// Parameter Store.
pub(super) struct Ssm;

impl Service for Ssm {
    fn name(&self) -> &'static str {
        "ssm"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
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

fn described(place: &AccountRegion, name: &str, parameter: &StoredParameter) -> Value {
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

//! The custom resources with which CDK apps reach into other regions.
//!
//! Their Lambda functions do not run: this module does their work instead. Other custom resources succeed,
//! and have every attribute that a template asks for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::resources::{READER, SDK_CALL, STRING_READER, SdkCall, WRITER};
use crate::world::{AccountRegion, Known, Resource, Stack, World, parameters, text_of};

/// Does the work of the custom resource's function on creation and update.
pub(super) fn apply(world: &mut World, stack: &Stack, resource: &mut Resource) -> Result<(), String> {
    let place = &stack.key.place;
    match resource.kind.as_str() {
        SDK_CALL => sdk_call(world, stack, resource),
        WRITER => {
            let (region, exports) = exports(resource);
            let target = AccountRegion::new(&place.account, &region);
            let before = resource.previous.as_ref().map(|previous| exports_of(previous)).unwrap_or_default();
            for name in before.keys().filter(|name| !exports.contains_key(*name)) {
                world.region_mut(&target).parameters.remove(name);
            }
            for (name, value) in &exports {
                let value = resource.known("WriterProps", &text_of(value));
                parameters::write(world, &target, name, &value, "String");
            }
            Ok(())
        }
        READER => {
            let imports = resource.properties.get("ReaderProps").and_then(|props| props.get("imports"));
            let names: Vec<String> = imports
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect();
            for name in names {
                let parameter = parameters::read(world, place, &name)
                    .ok_or_else(|| failed(world, stack, resource, "UnknownError"))?;
                resource.attributes.insert(name, parameter.known());
            }
            Ok(())
        }
        STRING_READER => {
            let region = resource.property("Region").unwrap_or(&place.region).to_owned();
            let name = resource.property("ParameterName").unwrap_or_default().to_owned();
            let parameter = parameters::read(world, &AccountRegion::new(&place.account, &region), &name)
                .ok_or_else(|| failed(world, stack, resource, "UnknownError"))?;
            resource.attributes.insert("FunctionArn".to_owned(), parameter.known());
            Ok(())
        }
        // The function parses its one property and returns the structure.
        "Custom::AWSCDKCfnJson" => {
            let text = resource.property("Value").unwrap_or_default();
            let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            let value = Known { value, made_up: resource.made_up.contains("Value") };
            resource.attributes.insert("Value".to_owned(), value);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Does the work of the custom resource's function on deletion.
pub(super) fn undo(world: &mut World, stack: &Stack, resource: &Resource) {
    if resource.kind == WRITER {
        let (region, exports) = exports(resource);
        let target = AccountRegion::new(&stack.key.place.account, &region);
        for name in exports.keys() {
            world.region_mut(&target).parameters.remove(name);
        }
    }
}

fn exports(resource: &Resource) -> (String, Map<String, Value>) {
    let props = resource.properties.get("WriterProps");
    let region = props.and_then(|props| props.get("region")).and_then(Value::as_str).unwrap_or_default();
    (region.to_owned(), exports_of(resource))
}

fn exports_of(resource: &Resource) -> Map<String, Value> {
    let props = resource.properties.get("WriterProps");
    props.and_then(|props| props.get("exports")).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn sdk_call(world: &mut World, stack: &Stack, resource: &mut Resource) -> Result<(), String> {
    let event = if resource.applied { "Update" } else { "Create" };
    let Some(call) = SdkCall::read(resource, event) else { return Ok(()) };
    let account = stack.key.place.account.clone();
    let place = AccountRegion::new(&account, call.region.as_deref().unwrap_or(&stack.key.place.region));
    let parameter = |key: &str| call.parameters.get(key).map(text_of).unwrap_or_default();
    let mut answer = BTreeMap::new();
    if call.is("ssm", "getparameter") {
        let name = parameter("Name");
        match parameters::read(world, &place, &name) {
            Some(found) => {
                let arn = place.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')));
                answer.insert("Parameter.Value".to_owned(), found.known());
                answer.insert("Parameter.Type".to_owned(), Known::said(found.kind));
                answer.insert("Parameter.Version".to_owned(), Known::said(found.version.to_string()));
                answer.insert("Parameter.ARN".to_owned(), Known::said(arn));
                answer.insert("Parameter.Name".to_owned(), Known::said(name));
            }
            None if call.forgives => {}
            // SSM sends no message with this error, and the SDK replaces the missing message with
            // "UnknownError".
            None => return Err(failed(world, stack, resource, "ParameterNotFound: UnknownError")),
        }
    } else if call.is("ssm", "putparameter") {
        let value = resource.known(event, &parameter("Value"));
        parameters::write(world, &place, &parameter("Name"), &value, "String");
    } else if call.is("ec2", "describetransitgatewaypeeringattachments") {
        // The filter on the state is not applied: a deployment that has accepted its attachment must be able
        // to run again.
        let peerings = &world.account_mut(&account).peerings;
        let seen =
            peerings.iter().filter(|peering| peering.regions.iter().any(|region| **region == *place.region));
        for (index, peering) in seen.enumerate() {
            let state = if peering.accepted { "available" } else { "pendingAcceptance" };
            let prefix = format!("TransitGatewayPeeringAttachments.{index}");
            answer
                .insert(format!("{prefix}.TransitGatewayAttachmentId"), Known::made_up(peering.id.as_str()));
            answer.insert(format!("{prefix}.State"), Known::said(state));
        }
    } else if call.is("ec2", "accepttransitgatewaypeeringattachment") {
        let id = parameter("TransitGatewayAttachmentId");
        let peerings = &mut world.account_mut(&account).peerings;
        let Some(peering) = peerings.iter_mut().find(|peering| peering.id == id) else {
            let message = format!("The transitGatewayAttachment ID '{id}' does not exist.");
            return Err(failed(world, stack, resource, &message));
        };
        peering.accepted = true;
    }
    resource.attributes = answer;
    if let Some(physical) = call.physical {
        resource.physical = physical;
    }
    Ok(())
}

pub(super) fn failed(world: &World, stack: &Stack, resource: &Resource, message: &str) -> String {
    let request = world.draws(&["custom", &stack.key.arn, &resource.id]).uuid();
    format!(
        "Received response status [FAILED] from custom resource. Message returned: {message} (RequestId: {request})"
    )
}

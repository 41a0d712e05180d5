//! Custom resources whose answers follow from their properties.

use serde_json::Value;

use crate::world::Resource;

pub(crate) const SDK_CALL: &str = "Custom::AWS";
pub(crate) const WRITER: &str = "Custom::CrossRegionExportWriter";
pub(crate) const READER: &str = "Custom::CrossRegionExportReader";
pub(crate) const STRING_READER: &str = "Custom::CrossRegionStringParameterReader";

/// A call that an `AwsCustomResource` makes.
pub(crate) struct SdkCall {
    pub(crate) service: String,
    pub(crate) action: String,
    pub(crate) region: Option<String>,
    pub(crate) parameters: Value,
    pub(crate) physical: Option<String>,
    pub(crate) forgives: bool,
}

impl SdkCall {
    pub(crate) fn read(resource: &Resource, event: &str) -> Option<Self> {
        let property = resource.properties.get(event)?;
        // Old versions of the CDK write the call as an object instead of a string.
        let call: Value = match property {
            Value::String(text) => serde_json::from_str(text).ok()?,
            other => other.clone(),
        };
        let text = |key: &str| call.get(key).and_then(Value::as_str);
        let service = text("service")?.to_lowercase();
        let action = text("action")?;
        let action = action.strip_suffix("Command").unwrap_or(action).to_lowercase();
        let id = call.get("physicalResourceId").and_then(|id| id.get("id").or(Some(id)));
        Some(Self {
            service: service.strip_prefix("@aws-sdk/client-").unwrap_or(&service).to_owned(),
            action,
            region: text("region").map(str::to_owned),
            parameters: call.get("parameters").cloned().unwrap_or_default(),
            physical: id.and_then(Value::as_str).map(str::to_owned),
            forgives: call.get("ignoreErrorCodesMatching").is_some() || call.get("ignoreErrors").is_some(),
        })
    }

    pub(crate) fn is(&self, service: &str, action: &str) -> bool {
        self.service == service && self.action == action
    }
}

/// Whether all attributes of a custom resource are known, so that any other attribute is an error.
pub(super) fn answers_in_full(resource: &Resource) -> bool {
    match resource.kind.as_str() {
        SDK_CALL => {
            ["Update", "Create"].iter().filter_map(|event| SdkCall::read(resource, event)).any(|call| {
                call.is("ssm", "getparameter") || call.is("ec2", "describetransitgatewaypeeringattachments")
            })
        }
        READER | STRING_READER => true,
        _ => false,
    }
}

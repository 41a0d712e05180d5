//! Service Quotas: the quotas that a new account has.

use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, text};
use crate::world::World;

/// Service Quotas.
pub(super) struct ServiceQuotas;

/// The quotas with their defaults: "VPCs per Region", "EC2-VPC Elastic IPs" and "NAT gateways per Availability Zone" (Amazon
/// VPC User Guide, "Amazon VPC quotas"), "Clusters" (Amazon EKS User Guide, "Service quotas") and "Concurrent executions"
/// (AWS Lambda Developer Guide, "Lambda quotas").
const QUOTAS: [(&str, f64); 5] = [
    ("L-F678F1CE", 5.0),
    ("L-0263D0A3", 5.0),
    ("L-FE5A380F", 5.0),
    ("L-1194D53C", 100.0),
    ("L-B99A9384", 1000.0),
];

impl Service for ServiceQuotas {
    fn name(&self) -> &'static str {
        "servicequotas"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, _: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(request).map(Answer::Result)
    }
}

fn perform(request: &Request) -> Outcome {
    if request.operation != "GetServiceQuota" {
        return Err(unknown_operation(request));
    }
    let code = text(&request.json, "QuotaCode")?;
    match QUOTAS.iter().find(|(known, _)| *known == code) {
        Some((_, value)) => Ok(json!({"Quota": {"QuotaCode": code, "Value": value}})),
        None => Err(Fault::bad("NoSuchResourceException", "The specified resource does not exist.")),
    }
}

//! EC2: what there is in a region, for those who compare it with quotas.

use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::World;

/// Elastic Compute Cloud.
pub(super) struct Ec2;

impl Service for Ec2 {
    fn name(&self) -> &'static str {
        "ec2"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "http://ec2.amazonaws.com/doc/2016-11-15/" }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &World, request: &Request) -> Outcome {
    let ids = |kind: &str| -> Vec<String> {
        let stacks = world.region(&request.place).into_iter().flat_map(|region| region.stacks.values());
        let resources = stacks.flat_map(|stack| stack.resources.values());
        let live = resources.filter(|resource| resource.kind == kind && !resource.is_gone());
        live.map(|resource| resource.physical.clone()).collect()
    };
    let set = |name: &str, ids: Vec<String>| -> Vec<Value> {
        ids.into_iter().map(|id| json!({name: id})).collect()
    };
    match request.operation.as_str() {
        "DescribeVpcs" => {
            // Every region has a default VPC.
            let ids = std::iter::once("vpc-default".to_owned()).chain(ids("AWS::EC2::VPC")).collect();
            Ok(json!({"vpcSet": set("vpcId", ids)}))
        }
        "DescribeAddresses" => Ok(json!({"addressesSet": set("publicIp", ids("AWS::EC2::EIP"))})),
        _ => Err(unknown_operation(request)),
    }
}

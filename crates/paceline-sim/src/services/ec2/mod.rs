//! EC2: what there is in a region, for those who compare it with quotas.

use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::{Resource, World};

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
    let live = |kind| world.live(&request.place, kind);
    let ids = |kind| live(kind).map(|resource| resource.physical.clone());
    match request.operation.as_str() {
        "DescribeVpcs" => {
            // Every region has a default VPC.
            let ids = std::iter::once("vpc-default".to_owned()).chain(ids("AWS::EC2::VPC"));
            Ok(json!({"vpcSet": ids.map(|id| json!({"vpcId": id})).collect::<Vec<_>>()}))
        }
        "DescribeAddresses" => {
            let addresses = ids("AWS::EC2::EIP").map(|ip| json!({"publicIp": ip}));
            Ok(json!({"addressesSet": addresses.collect::<Vec<_>>()}))
        }
        "DescribeNatGateways" => {
            let gateway = |resource: &Resource| json!({"natGatewayId": resource.physical, "subnetId": resource.properties["SubnetId"]});
            Ok(json!({"natGatewaySet": live("AWS::EC2::NatGateway").map(gateway).collect::<Vec<_>>()}))
        }
        "DescribeSubnets" => {
            let wanted = filter(request, "availability-zone");
            let subnets = live("AWS::EC2::Subnet").filter_map(|resource| {
                let zone = &resource.properties["AvailabilityZone"];
                let is_wanted = wanted.is_none_or(|wanted| zone.as_str() == Some(wanted));
                is_wanted.then(|| json!({"subnetId": resource.physical, "availabilityZone": zone}))
            });
            Ok(json!({"subnetSet": subnets.collect::<Vec<_>>()}))
        }
        _ => Err(unknown_operation(request)),
    }
}

/// The first value of the first filter, if it has this name.
fn filter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.form.text("Filter.1.Name").filter(|given| *given == name)?;
    request.form.text("Filter.1.Value.1")
}

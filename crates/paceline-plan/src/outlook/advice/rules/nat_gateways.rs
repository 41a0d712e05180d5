//! NAT gateways on the longest chain of a stack.

use super::{Proposal, Scene};
use crate::show::{count, show_duration};

const GATEWAY: &str = "AWS::EC2::NatGateway";

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in scene.insides() {
        let gateways = inside.of_type(|kind| kind == GATEWAY);
        let chain = inside.resources.longest_chain();
        let Some(&first) = chain.iter().find(|number| gateways.contains(number)) else { continue };
        let one_would_do = if gateways.len() > 1 {
            "; where they are needed, one for all zones costs less, though it is there no sooner"
        } else {
            ""
        };
        let what = format!(
            "{} on the longest chain of the stack: {} to wait. Subnets that only reach AWS can do with VPC endpoints\
             {one_would_do}",
            count(gateways.len(), "NAT gateway"),
            show_duration(inside.time_of_one(first)),
        );
        let cost =
            "without a gateway there is no way to the rest of the internet; endpoints are paid by the hour"
                .to_owned();
        let time = inside.time_if_instant(&gateways);
        let id = inside.resources.ids[first];
        let proposal = scene.propose("nat-gateway", stack, Some(id), [what, cost], move |plan| {
            plan.set_expected(stack, time);
        });
        found.push(proposal.at_most());
    }
    found
}

//! NAT gateways on the longest chain of a stack.

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;

const GATEWAY: &str = "AWS::EC2::NatGateway";

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in input.insides() {
        let gateways = inside.of_type(|kind| kind == GATEWAY);
        let chain = inside.resources.longest_chain();
        let Some(&first) = chain.iter().find(|number| gateways.contains(number)) else { continue };
        let remedy = Remedy::AvoidNatGateways { count: gateways.len(), takes: inside.time_of_one(first) };
        let time = inside.time_if_instant(&gateways);
        let proposal = Proposal::about(input, stack, remedy, move |plan| plan.set_expected(stack, time));
        found.push(proposal.of_resource(inside.resources.ids[first]).at_most());
    }
    found
}

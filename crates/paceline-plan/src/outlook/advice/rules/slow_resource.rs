//! Resources of slow types on the longest chain of a stack.

use crate::outlook::advice::input::AdviceInput;
use crate::outlook::advice::proposal::Proposal;
use crate::outlook::advice::remedy::Remedy;

/// Types that are slow to create, and of which something is known that is quicker: the text for each is in
/// `show::advice`.
pub(crate) const SLOW: [&str; 11] = [
    "AWS::EKS::Cluster",
    "Custom::AWSCDK-EKS-Cluster",
    "AWS::RDS::DBInstance",
    "AWS::OpenSearchService::Domain",
    "AWS::Elasticsearch::Domain",
    "AWS::MSK::Cluster",
    "AWS::Redshift::Cluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::AmazonMQ::Broker",
    "AWS::Kendra::Index",
    "AWS::DirectoryService::MicrosoftAD",
];

pub(super) fn find<'s>(input: &'s AdviceInput<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in input.insides() {
        let chain = inside.resources.longest_chain();
        for slow in SLOW {
            let mut of_type = chain.iter().copied().filter(|&it| inside.resources.types[it] == slow);
            let Some(first) = of_type.next() else { continue };
            let all = inside.of_type(|kind| kind == slow);
            let remedy = Remedy::ReplaceSlowResource {
                resource_type: slow.to_owned(),
                takes: inside.time_of_one(first),
            };
            let without = inside.time_if_instant(&all);
            let proposal =
                Proposal::about(input, stack, remedy, move |plan| plan.set_expected(stack, without));
            found.push(proposal.of_resource(inside.resources.ids[first]).at_most());
        }
    }
    found
}

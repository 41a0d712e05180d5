//! Resources of slow types on the longest chain of a stack, and what can be done about each.

use super::{Proposal, Scene};
use crate::show::show_duration;

/// A type that is slow to create.
struct Slow {
    kind: &'static str,
    what: &'static str,
    cost: &'static str,
}

const SLOW: [Slow; 11] = [
    Slow {
        kind: "AWS::EKS::Cluster",
        what: "let the cluster start first, in a stack of its own with its network, and keep node groups, add-ons and \
               charts out of what others wait for",
        cost: "one stack more; a cluster that is kept between deployments takes no time at all, but is paid for",
    },
    Slow {
        kind: "Custom::AWSCDK-EKS-Cluster",
        what: "let the cluster start first, in a stack of its own with its network, and keep node groups, add-ons and \
               charts out of what others wait for",
        cost: "one stack more; a cluster that is kept between deployments takes no time at all, but is paid for",
    },
    Slow {
        kind: "AWS::RDS::DBInstance",
        what: "a current instance class in one zone is there sooner than one in several zones, one with provisioned \
               IOPS, or one that is restored; Aurora Serverless v2 instances are often quicker still",
        cost: "one zone has no failover",
    },
    Slow {
        kind: "AWS::OpenSearchService::Domain",
        what: "a domain without dedicated masters and in one zone is there sooner; start it first, in a stack of its own",
        cost: "one zone and no masters are for environments that may lose data",
    },
    Slow {
        kind: "AWS::Elasticsearch::Domain",
        what: "a domain without dedicated masters and in one zone is there sooner; start it first, in a stack of its own",
        cost: "one zone and no masters are for environments that may lose data",
    },
    Slow {
        kind: "AWS::MSK::Cluster",
        what: "MSK Serverless is there in a fraction of the time; else start the cluster first, in a stack of its own",
        cost: "serverless has other limits and another price",
    },
    Slow {
        kind: "AWS::Redshift::Cluster",
        what: "Redshift Serverless is there sooner; else start the cluster first, in a stack of its own",
        cost: "serverless is paid by use",
    },
    Slow {
        kind: "AWS::ElastiCache::ReplicationGroup",
        what: "a serverless cache, or a group without replicas, is there sooner",
        cost: "without replicas there is no failover",
    },
    Slow {
        kind: "AWS::AmazonMQ::Broker",
        what: "a single-instance broker is there sooner than an active/standby pair; start it first, in a stack of its own",
        cost: "a single instance has no failover",
    },
    Slow {
        kind: "AWS::Kendra::Index",
        what: "start the index first, in a stack of its own, or keep it between deployments",
        cost: "one stack more; an index that is kept is paid for",
    },
    Slow {
        kind: "AWS::DirectoryService::MicrosoftAD",
        what: "start the directory first, in a stack of its own, or keep it between deployments",
        cost: "a directory that is kept is paid for",
    },
];

pub(super) fn find<'s>(scene: &'s Scene<'_>) -> Vec<Proposal<'s>> {
    let mut found = Vec::new();
    for (stack, inside) in scene.insides() {
        let chain = inside.resources.longest_chain();
        for slow in &SLOW {
            let mut of_type = chain.iter().copied().filter(|&it| inside.resources.types[it] == slow.kind);
            let Some(first) = of_type.next() else { continue };
            let all = inside.of_type(|kind| kind == slow.kind);
            let time = show_duration(inside.time_of_one(first));
            let what = format!("{} takes {time} on the longest chain of the stack: {}", slow.kind, slow.what);
            let without = inside.time_if_instant(&all);
            let id = inside.resources.ids[first];
            let proposal =
                scene.propose("slow-resource", stack, Some(id), [what, slow.cost.to_owned()], move |plan| {
                    plan.set_expected(stack, without);
                });
            found.push(proposal.at_most());
        }
    }
    found
}

//! The sentences of advice: what to do, and what that costs or risks.

use std::fmt::Write as _;
use std::time::Duration;

use super::wording::{count, show_duration};
use crate::outlook::advice::{Advice, Limit, Remedy, ResourceList, StackPart};

const ONE_MORE_STACK: &str =
    "one more stack; resources that hold data move by `cdk import` or are created again";

impl Advice {
    /// What to do.
    pub fn what(&self) -> String {
        let mut what = self.remedy.what(self.stack.as_deref().unwrap_or("it"));
        if !self.also_in.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(what, " (and the same in {})", self.also_in.join(", "));
        }
        what
    }

    /// What that costs or risks.
    pub fn cost(&self) -> &'static str {
        self.remedy.cost()
    }
}

impl Remedy {
    fn what(&self, stack: &str) -> String {
        match self {
            Self::RemoveUnusedEdge { on } => format!(
                "remove its dependency on {on}: the app declares it (addDependency), and no template uses anything of \
                 {on}"
            ),
            Self::RemoveUnusedEdges { count } => {
                format!(
                    "remove all {count} dependencies that the app declares (addDependency) and no template uses"
                )
            }
            Self::MoveDistribution { takes } => format!(
                "move the CloudFront distribution ({}) to a stack of its own: the templates of the stacks that wait for \
                 {stack} do not use it",
                show_duration(*takes)
            ),
            Self::MoveReader { takes } => format!(
                "the reader is created after the writer and takes {} more: move it to a stack of its own that nothing \
                 waits for, or leave it out where one instance is enough",
                show_duration(*takes)
            ),
            Self::SplitProvider { early, needed_by, late, late_waits } => {
                let why = if *late_waits {
                    "the resources that others need are complete early"
                } else {
                    "its two parts do not refer to each other"
                };
                format!(
                    "split it, because {why}: {} for {needed_by}, and {}, which then delays nothing on this path",
                    part(early),
                    part(late)
                )
            }
            Self::SplitConsumer { waiting, needs, free } => format!(
                "split it: only {} need {}; {} could be created meanwhile",
                part(waiting),
                needs.join(", "),
                part(free)
            ),
            Self::AvoidNatGateways { count: number, takes } => {
                let one_would_do = if *number > 1 {
                    "; where they are needed, one for all zones costs less, but is not ready sooner"
                } else {
                    ""
                };
                format!(
                    "{} on the longest chain of the stack: {} to wait. Subnets that only reach AWS can use VPC \
                     endpoints instead{one_would_do}",
                    count(*number, "NAT gateway"),
                    show_duration(*takes)
                )
            }
            Self::ShortenCustomResources { resources, takes, of } => format!(
                "custom resources take {} of the {} on the longest chain ({}): look at what their functions wait for, \
                 and whether they have to run one after another",
                show_duration(*takes),
                show_duration(*of),
                list(resources)
            ),
            Self::ReplaceSlowResource { resource_type, takes } => slow(resource_type, *takes),
            Self::OrderByEdges { phase: None } => {
                "let only edges order the stacks: `strategy: graph`".to_owned()
            }
            Self::OrderByEdges { phase: Some(phase) } => {
                format!("make phase `{phase}` neither `barrier` nor `sequential`: edges are enough")
            }
            Self::NarrowGate { takes, all_roles } => {
                let all = if *all_roles { " Name the roles that others assume instead of `all`" } else { "" };
                format!(
                    "the gate after it takes {}: wait only for roles that the next stacks use at once.{all}",
                    show_duration(*takes)
                )
            }
            Self::CacheImages { stack, image, takes } => format!(
                "{stack} waits {} for {image} to be built and pushed: keep Docker layers between builds \
                 (`codebuild.cache`), or build the images before the deployment begins",
                show_duration(*takes)
            ),
            Self::RaiseLimit { limit, now, to } => {
                let key = limit.key();
                format!("allow {to} {key} at once instead of {now} (`concurrency: {{ {key}: {to} }}`)")
            }
        }
    }

    fn cost(&self) -> &'static str {
        match self {
            Self::RemoveUnusedEdge { .. } | Self::RemoveUnusedEdges { .. } => {
                "nothing, unless one needs the other at run time in a way that no template shows"
            }
            Self::MoveDistribution { .. } => "one more stack; its domain name changes if it is created again",
            Self::MoveReader { .. } => {
                "until the reader exists the cluster has one instance: no failover, and reads go to the writer"
            }
            Self::SplitProvider { .. } | Self::SplitConsumer { .. } => ONE_MORE_STACK,
            Self::AvoidNatGateways { .. } => {
                "without a gateway the rest of the internet cannot be reached; endpoints are paid by the hour"
            }
            Self::ShortenCustomResources { .. } => "work on the functions",
            Self::ReplaceSlowResource { resource_type, .. } => cost_of_quicker(resource_type),
            Self::OrderByEdges { .. } => {
                "nothing, if every dependency is an edge: one that no file shows has to be declared under `edges`"
            }
            Self::NarrowGate { .. } => "a stack that uses a role before it is usable fails",
            Self::CacheImages { .. } => "a build without the layers takes as long as before",
            Self::RaiseLimit { limit: Limit::Stacks, .. } => {
                "more calls at once, which stay within the documented rates; quotas of services may be reached"
            }
            Self::RaiseLimit { limit: Limit::Images, .. } => {
                "the build needs enough processors, memory and disk for it"
            }
        }
    }
}

/// What is quicker than a resource of a slow type.
fn slow(resource_type: &str, takes: Duration) -> String {
    let what = match resource_type {
        "AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster" => {
            "start the cluster first, in a stack of its own with its network, and move node groups, add-ons and charts \
             to stacks that nothing waits for"
        }
        "AWS::RDS::DBInstance" => {
            "a current instance class in one zone is ready sooner than one in several zones, one with provisioned IOPS, \
             or one that is restored; Aurora Serverless v2 instances are often quicker still"
        }
        "AWS::OpenSearchService::Domain" | "AWS::Elasticsearch::Domain" => {
            "a domain without dedicated masters and in one zone is ready sooner; start it first, in a stack of its own"
        }
        "AWS::MSK::Cluster" => {
            "MSK Serverless is ready in a fraction of the time; else start the cluster first, in a stack of its own"
        }
        "AWS::Redshift::Cluster" => {
            "Redshift Serverless is ready sooner; else start the cluster first, in a stack of its own"
        }
        "AWS::ElastiCache::ReplicationGroup" => {
            "a serverless cache, or a group without replicas, is ready sooner"
        }
        "AWS::AmazonMQ::Broker" => {
            "a single-instance broker is ready sooner than an active/standby pair; start it first, in a stack of its own"
        }
        "AWS::Kendra::Index" => {
            "start the index first, in a stack of its own, or keep it between deployments"
        }
        "AWS::DirectoryService::MicrosoftAD" => {
            "start the directory first, in a stack of its own, or keep it between deployments"
        }
        _ => "start it first, in a stack of its own",
    };
    format!("{resource_type} takes {} on the longest chain of the stack: {what}", show_duration(takes))
}

/// What that costs.
fn cost_of_quicker(resource_type: &str) -> &'static str {
    match resource_type {
        "AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster" => {
            "one more stack; a cluster that is kept between deployments takes no time at all, but is paid for"
        }
        "AWS::RDS::DBInstance" => "one zone has no failover",
        "AWS::OpenSearchService::Domain" | "AWS::Elasticsearch::Domain" => {
            "one zone and no masters are for environments that may lose data"
        }
        "AWS::MSK::Cluster" => "serverless has other limits and another price",
        "AWS::Redshift::Cluster" => "serverless is paid by use",
        "AWS::ElastiCache::ReplicationGroup" => "without replicas there is no failover",
        "AWS::AmazonMQ::Broker" => "a single instance has no failover",
        "AWS::Kendra::Index" => "one more stack; an index that is kept is paid for",
        "AWS::DirectoryService::MicrosoftAD" => "a directory that is kept is paid for",
        _ => "one more stack",
    }
}

/// `Cluster, Role and 3 more (12 min)`.
fn part(part: &StackPart) -> String {
    format!("{} ({})", list(&part.resources), show_duration(part.takes))
}

/// `Cluster, Role and 3 more`.
fn list(resources: &ResourceList) -> String {
    let names = resources.names.join(", ");
    match resources.more {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlook::advice::rules::slow_resource::SLOW;

    #[test]
    fn every_slow_type_has_a_text_of_its_own() {
        let [other, cost] =
            [slow("other", Duration::ZERO).replace("other", ""), cost_of_quicker("other").to_owned()];
        for slow_type in SLOW {
            assert_ne!(slow(slow_type, Duration::ZERO).replace(slow_type, ""), other, "{slow_type}");
            assert_ne!(cost_of_quicker(slow_type), cost, "{slow_type}");
        }
    }
}

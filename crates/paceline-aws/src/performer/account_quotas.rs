//! Compares what a plan creates with the quotas of an account and a region.
//!
//! Only `paceline doctor` asks: a run has no right to these calls. Stacks that exist are left out, since most of what they
//! create is there. Resources whose condition may be false are left out, too, so a finding is never too many.

mod usage;
mod wanted;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use futures_util::future::join_all;
use paceline_assembly::Stack;
use paceline_plan::Plan;
use paceline_text::{count, plural};
use serde_json::Value;

use self::usage::Usage;
use self::wanted::{Zone, wanted};
use super::Aws;
use crate::error::AwsError;
use crate::signed::{Protocol, Service, SignedCalls};
use crate::target::Target;

const QUOTAS: Service = Service {
    id: "Service Quotas",
    host: "servicequotas",
    signing_name: "servicequotas",
    protocol: Protocol::Json,
};
/// The time for which a call is tried.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The concurrent executions that functions without a reservation keep (AWS Lambda Developer Guide, "Configuring reserved
/// concurrency"). An account with a smaller limit keeps all of it.
const UNRESERVED: usize = 100;

/// A quota of Service Quotas, and what tells how much of it is used.
#[derive(Debug)]
struct Quota {
    resource_type: &'static str,
    noun: &'static str,
    service: &'static str,
    code: &'static str,
    usage: Usage,
}

/// The codes are those of the Service Quotas console: "VPCs per Region", "EC2-VPC Elastic IPs", "NAT gateways per
/// Availability Zone", "Clusters" of Amazon EKS and "Concurrent executions" of AWS Lambda.
const ALL: [Quota; 5] = [
    Quota {
        resource_type: "AWS::EC2::VPC",
        noun: "VPC",
        service: "vpc",
        code: "L-F678F1CE",
        usage: Usage::Described { call: "DescribeVpcs", element: "vpcId" },
    },
    Quota {
        resource_type: "AWS::EC2::EIP",
        noun: "elastic IP address",
        service: "ec2",
        code: "L-0263D0A3",
        usage: Usage::Described { call: "DescribeAddresses", element: "publicIp" },
    },
    Quota {
        resource_type: "AWS::EC2::NatGateway",
        noun: "NAT gateway",
        service: "vpc",
        code: "L-FE5A380F",
        usage: Usage::NatGateways,
    },
    Quota {
        resource_type: "AWS::EKS::Cluster",
        noun: "EKS cluster",
        service: "eks",
        code: "L-1194D53C",
        usage: Usage::Clusters,
    },
    Quota {
        resource_type: "AWS::Lambda::Function",
        noun: "reserved concurrent execution",
        service: "lambda",
        code: "L-B99A9384",
        usage: Usage::Reserved,
    },
];

/// What new stacks need of a quota.
#[derive(Debug, Clone, Copy)]
struct Needed<'a> {
    /// The first of them, whose lookup role reads the quota.
    stack: &'a Stack,
    number: usize,
}

/// Where a quota counts: in an account and region, or in one of its availability zones.
type Place = (Target, Zone);

impl Aws {
    /// The quotas that the plan would exceed, and notes about those that cannot be read.
    pub async fn account_quotas(&self, plan: &Plan) -> (Vec<AwsError>, Vec<String>) {
        let mut needed: BTreeMap<(Place, usize), Needed<'_>> = BTreeMap::new();
        for stack in self.deployed(plan) {
            let wanted = wanted(stack);
            if wanted.is_empty() || self.exists(stack).await {
                continue;
            }
            let Ok(target) = self.target(stack).await else { continue };
            for ((at, zone), number) in wanted {
                let first = Needed { stack, number: 0 };
                needed.entry(((target.clone(), zone), at)).or_insert(first).number += number;
            }
        }
        let looked = needed.into_iter().map(|((place, at), needed)| async move {
            let found = Box::pin(self.compare(&place, &ALL[at], needed)).await;
            (place, at, found)
        });
        let (mut errors, mut notes) = (Vec::new(), Vec::new());
        for ((target, _), at, found) in join_all(looked).await {
            match found {
                Ok(error) => errors.extend(error),
                Err(error) => {
                    let what = plural(ALL[at].noun);
                    notes.push(format!("how many {what} there may be in {target} is not known: {error}"));
                }
            }
        }
        // An environment has several availability zones.
        notes.dedup();
        (errors, notes)
    }

    /// Whether a stack exists, or cannot be looked up.
    pub(super) async fn exists(&self, stack: &Stack) -> bool {
        let Ok(environment) = self.environment(stack).await else { return true };
        environment.poller.glance(&stack.name).await.is_ok_and(|view| view.is_some())
    }

    async fn compare(
        &self,
        place: &Place,
        quota: &Quota,
        needed: Needed<'_>,
    ) -> Result<Option<AwsError>, AwsError> {
        let (target, zone) = place;
        let Needed { stack, number: more } = needed;
        let config = self.sessions.reading(stack.lookup_role.as_ref(), target).await?;
        if stack.lookup_role.is_none() && target.account != self.sessions.account().await? {
            return Err(AwsError::setup("it is another account than that of the credentials"));
        }
        let (limit, used) =
            tokio::try_join!(self.limit(&config, target, quota), self.used(&config, place, &quota.usage))?;
        // This part of the quota is for others.
        let kept = if quota.usage == Usage::Reserved { UNRESERVED.min(limit) } else { 0 };
        if used + more <= limit - kept {
            return Ok(None);
        }
        let Quota { noun, service, code, .. } = quota;
        let message = format!(
            "aws://{target} may have {}{}: {used} {} there, and the plan creates {more} more",
            count(limit - kept, noun),
            zone.shown(),
            if used == 1 { "is" } else { "are" }
        );
        let hint = format!(
            "delete what is not needed, or ask for more: aws service-quotas request-service-quota-increase \
             --service-code {service} --quota-code {code} --region {} --desired-value {}",
            target.region,
            used + more + if quota.usage == Usage::Reserved { UNRESERVED } else { 0 }
        );
        Ok(Some(AwsError::setup(message).hint(hint)))
    }

    async fn limit(&self, config: &SdkConfig, target: &Target, quota: &Quota) -> Result<usize, AwsError> {
        let calls = SignedCalls::new(&QUOTAS, config, Some(&target.region));
        let get = calls.operation("GetServiceQuota", Some("ServiceQuotasV20190624.GetServiceQuota"))?;
        let body = serde_json::json!({"ServiceCode": quota.service, "QuotaCode": quota.code}).to_string();
        let caller = self.sessions.caller(target).within(PATIENCE);
        let answer = caller.call("GetServiceQuota", || get.invoke(body.clone())).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let value = answer["Quota"]["Value"].as_f64().filter(|value| (0.0..1e9).contains(value));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in that range")]
        let limit = value.map(|value| value as usize);
        limit.ok_or_else(|| AwsError::setup("GetServiceQuota does not tell the quota"))
    }
}

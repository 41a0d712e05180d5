//! Compares what a plan creates with the quotas of an account and a region.
//!
//! Only `paceline doctor` asks: a run has no right to these calls. Stacks that exist are left out, since most of what they
//! create is there. Resources whose condition may be false are left out, too, so a finding is never too many.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use futures_util::future::join_all;
use paceline_assembly::{Stack, Template};
use paceline_plan::Plan;
use paceline_text::count;
use serde_json::Value;

use super::Aws;
use crate::error::AwsError;
use crate::signed::{Form, Protocol, Service, SignedCalls};
use crate::target::Target;

const EC2: Service = Service { id: "EC2", host: "ec2", signing_name: "ec2", protocol: Protocol::Query };
const EC2_VERSION: &str = "2016-11-15";
const QUOTAS: Service = Service {
    id: "Service Quotas",
    host: "servicequotas",
    signing_name: "servicequotas",
    protocol: Protocol::Json,
};
/// The time for which a call is tried.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A quota of Service Quotas, and the call that tells how much of it is used.
#[derive(Debug)]
struct Quota {
    resource_type: &'static str,
    noun: &'static str,
    service: &'static str,
    code: &'static str,
    call: &'static str,
    /// The element that the answer has once for each of them.
    element: &'static str,
}

/// The codes are those of the Service Quotas console: "VPCs per Region" and "EC2-VPC Elastic IPs".
const ALL: [Quota; 2] = [
    Quota {
        resource_type: "AWS::EC2::VPC",
        noun: "VPC",
        service: "vpc",
        code: "L-F678F1CE",
        call: "DescribeVpcs",
        element: "<vpcId>",
    },
    Quota {
        resource_type: "AWS::EC2::EIP",
        noun: "elastic IP address",
        service: "ec2",
        code: "L-0263D0A3",
        call: "DescribeAddresses",
        element: "<publicIp>",
    },
];

/// What new stacks need of a quota in an environment.
#[derive(Debug, Clone, Copy)]
struct Needed<'a> {
    /// The first of them, whose lookup role reads the quota.
    stack: &'a Stack,
    number: usize,
}

impl Aws {
    /// The quotas that the plan would exceed, and notes about those that cannot be read.
    pub async fn account_quotas(&self, plan: &Plan) -> (Vec<AwsError>, Vec<String>) {
        let mut needed: BTreeMap<(Target, usize), Needed<'_>> = BTreeMap::new();
        for stack in self.deployed(plan) {
            let wanted = wanted(stack);
            if wanted.iter().all(|number| *number == 0) || self.exists(stack).await {
                continue;
            }
            let Ok(target) = self.target(stack).await else { continue };
            for (at, number) in wanted.into_iter().enumerate().filter(|(_, number)| *number > 0) {
                let first = Needed { stack, number: 0 };
                needed.entry((target.clone(), at)).or_insert(first).number += number;
            }
        }
        let looked = needed.into_iter().map(|((target, at), needed)| async move {
            let found = Box::pin(self.compare(&target, &ALL[at], needed)).await;
            (target, at, found)
        });
        let (mut errors, mut notes) = (Vec::new(), Vec::new());
        for (target, at, found) in join_all(looked).await {
            match found {
                Ok(error) => errors.extend(error),
                Err(error) => {
                    let what = paceline_text::plural(ALL[at].noun);
                    notes.push(format!("how many {what} there may be in {target} is not known: {error}"));
                }
            }
        }
        (errors, notes)
    }

    /// Whether a stack exists, or cannot be looked up.
    pub(super) async fn exists(&self, stack: &Stack) -> bool {
        let Ok(environment) = self.environment(stack).await else { return true };
        environment.poller.glance(&stack.name).await.is_ok_and(|view| view.is_some())
    }

    async fn compare(
        &self,
        target: &Target,
        quota: &Quota,
        needed: Needed<'_>,
    ) -> Result<Option<AwsError>, AwsError> {
        let Needed { stack, number: more } = needed;
        let config = self.sessions.reading(stack.lookup_role.as_ref(), target).await?;
        if stack.lookup_role.is_none() && target.account != self.sessions.account().await? {
            return Err(AwsError::setup("it is another account than that of the credentials"));
        }
        let (limit, used) =
            tokio::try_join!(self.limit(&config, target, quota), self.used(&config, target, quota))?;
        if used + more <= limit {
            return Ok(None);
        }
        let Quota { noun, service, code, .. } = quota;
        let message = format!(
            "aws://{target} may have {}: {used} {} there, and the plan creates {more} more",
            count(limit, noun),
            if used == 1 { "is" } else { "are" }
        );
        let hint = format!(
            "delete what is not needed, or ask for more: aws service-quotas request-service-quota-increase \
             --service-code {service} --quota-code {code} --region {} --desired-value {}",
            target.region,
            used + more
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

    async fn used(&self, config: &SdkConfig, target: &Target, quota: &Quota) -> Result<usize, AwsError> {
        let calls = SignedCalls::new(&EC2, config, Some(&target.region));
        let describe = calls.operation(quota.call, None)?;
        let body = Form::new(quota.call, EC2_VERSION).into_body();
        let caller = self.sessions.caller(target).within(PATIENCE);
        let answer = caller.call(quota.call, || describe.invoke(body.clone())).await?;
        Ok(answer.matches(quota.element).count())
    }
}

/// How many resources with each quota a stack certainly creates, nested stacks included.
fn wanted(stack: &Stack) -> [usize; ALL.len()] {
    let nested = stack.nested_that_may_be_made().map(|nested| &nested.template);
    let templates: Vec<&Template> = std::iter::once(&stack.template).chain(nested).collect();
    std::array::from_fn(|at| {
        let of = |template: &&Template| {
            let resolver = template.resolver();
            let resources = template.resources();
            let own = resources.filter(|(_, resource)| resource.resource_type == ALL[at].resource_type);
            let holds = |condition| resolver.condition(condition) == Some(true);
            own.filter(|(_, resource)| resource.condition.is_none_or(holds)).count()
        };
        templates.iter().map(of).sum()
    })
}

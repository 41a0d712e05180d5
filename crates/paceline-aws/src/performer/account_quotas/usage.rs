//! What there is of the things that a quota limits.

use aws_config::SdkConfig;
use paceline_text::in_url;
use serde_json::Value;

use super::wanted::Zone;
use super::{PATIENCE, Place};
use crate::error::AwsError;
use crate::performer::Aws;
use crate::signed::{Form, Protocol, Service, SignedCalls, elements};
use crate::target::Target;

const EC2: Service = Service { id: "EC2", host: "ec2", signing_name: "ec2", protocol: Protocol::Query };
const EC2_VERSION: &str = "2016-11-15";
const EKS: Service = Service { id: "EKS", host: "eks", signing_name: "eks", protocol: Protocol::RestJson };
const LAMBDA: Service =
    Service { id: "Lambda", host: "lambda", signing_name: "lambda", protocol: Protocol::RestJson };

/// What tells how much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// The answer of a call of EC2 has this element once for each of them.
    Described { call: &'static str, element: &'static str },
    /// The NAT gateways of an availability zone. Those that come and go count, too.
    NatGateways,
    /// The clusters of EKS.
    Clusters,
    /// The concurrent executions that functions have reserved.
    Reserved,
}

impl Aws {
    pub(super) async fn used(
        &self,
        config: &SdkConfig,
        place: &Place,
        usage: &Usage,
    ) -> Result<usize, AwsError> {
        let (target, zone) = place;
        match usage {
            Usage::Described { call, element } => {
                let answer = self.ask_ec2(config, target, call, Form::new(call, EC2_VERSION)).await?;
                Ok(elements(&answer, element).count())
            }
            Usage::NatGateways => self.nat_gateways(config, target, zone).await,
            Usage::Clusters => self.clusters(config, target).await,
            Usage::Reserved => self.reserved(config, target).await,
        }
    }

    /// The NAT gateways in the subnets of a zone.
    async fn nat_gateways(
        &self,
        config: &SdkConfig,
        target: &Target,
        zone: &Zone,
    ) -> Result<usize, AwsError> {
        // Which zone of the account this is becomes known in the deployment.
        let Zone::Named(zone) = zone else { return Ok(0) };
        let (gateways, subnets) = ("DescribeNatGateways", "DescribeSubnets");
        let mut living = Form::new(gateways, EC2_VERSION);
        living.add("Filter.1.Name", "state");
        for (at, state) in ["pending", "available", "deleting"].into_iter().enumerate() {
            living.add(&format!("Filter.1.Value.{}", at + 1), state);
        }
        let mut there = Form::new(subnets, EC2_VERSION);
        there.add("Filter.1.Name", "availability-zone");
        there.add("Filter.1.Value.1", zone);
        let (living, there) = tokio::try_join!(
            self.ask_ec2(config, target, gateways, living),
            self.ask_ec2(config, target, subnets, there)
        )?;
        let subnets: Vec<String> = elements(&there, "subnetId").collect();
        Ok(elements(&living, "subnetId").filter(|subnet| subnets.contains(subnet)).count())
    }

    async fn clusters(&self, config: &SdkConfig, target: &Target) -> Result<usize, AwsError> {
        let (mut path, mut number) = ("/clusters?maxResults=100".to_owned(), 0);
        loop {
            let answer = self.get(&EKS, config, target, "ListClusters", &path).await?;
            let clusters = answer["clusters"].as_array();
            number += clusters.ok_or_else(|| unclear("ListClusters"))?.len();
            let Some(next) = answer["nextToken"].as_str() else { return Ok(number) };
            path = format!("/clusters?maxResults=100&nextToken={}", in_url(next));
        }
    }

    async fn reserved(&self, config: &SdkConfig, target: &Target) -> Result<usize, AwsError> {
        let call = "GetAccountSettings";
        let answer = self.get(&LAMBDA, config, target, call, "/2016-08-19/account-settings").await?;
        let of = |name: &str| answer["AccountLimit"][name].as_u64().and_then(|it| usize::try_from(it).ok());
        let (all, free) = (of("ConcurrentExecutions"), of("UnreservedConcurrentExecutions"));
        all.zip(free).map(|(all, free)| all.saturating_sub(free)).ok_or_else(|| unclear(call))
    }

    async fn ask_ec2(
        &self,
        config: &SdkConfig,
        target: &Target,
        call: &'static str,
        form: Form,
    ) -> Result<String, AwsError> {
        let operation = SignedCalls::new(&EC2, config, Some(&target.region)).operation(call, None)?;
        let body = form.into_body();
        let caller = self.sessions.caller(target).within(PATIENCE);
        caller.call(call, || operation.invoke(body.clone())).await
    }

    async fn get(
        &self,
        service: &'static Service,
        config: &SdkConfig,
        target: &Target,
        call: &'static str,
        path: &str,
    ) -> Result<Value, AwsError> {
        let operation = SignedCalls::new(service, config, Some(&target.region)).operation(call, None)?;
        let caller = self.sessions.caller(target).within(PATIENCE);
        let answer = caller.call(call, || operation.invoke(path.to_owned())).await?;
        serde_json::from_str(&answer).map_err(|_| unclear(call))
    }
}

fn unclear(call: &str) -> AwsError {
    AwsError::setup(format!("the answer of {call} cannot be read"))
}

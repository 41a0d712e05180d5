//! What `Fn::GetAtt` returns.
//!
//! Real types have too many attributes to list them all. Those whose form matters to other resources
//! or to CDK templates are computed; any other gets a plausible value that always stays the same.

use serde_json::{Value, json};

use super::Resource;
use crate::world::{Place, World};

/// An attribute of a resource.
pub(crate) fn attribute(
    world: &World,
    place: &Place,
    stack: &str,
    resource: &Resource,
    name: &str,
) -> Result<Value, String> {
    if let Some(known) = resource.attributes.get(name) {
        return Ok(known.clone());
    }
    if resource.kind == "AWS::CloudFormation::Stack" {
        return Err(match name.strip_prefix("Outputs.") {
            Some(output) => {
                format!("Template error: Output '{output}' not found in stack '{}'", resource.physical)
            }
            None => {
                format!("Requested attribute {name} does not exist in schema for AWS::CloudFormation::Stack")
            }
        });
    }
    if is_custom(&resource.kind) {
        return custom(world, place, stack, resource, name);
    }
    Ok(Value::String(computed(world, place, stack, resource, name)))
}

pub(super) fn is_custom(kind: &str) -> bool {
    kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

fn custom(
    world: &World,
    place: &Place,
    stack: &str,
    resource: &Resource,
    name: &str,
) -> Result<Value, String> {
    // Their answers are known in full, so that an attribute which is not there is an error.
    let known = super::custom::answers_in_full(resource);
    if known {
        return Err(format!(
            "CustomResource attribute error: Vendor response doesn't contain {name} key in object arn:{}:cloudformation:{}:{}:stack/{stack}|{}|{} in S3 bucket cloudformation-custom-resource-storage-{}",
            place.partition(),
            place.region,
            place.account,
            resource.id,
            world.draws(&["vendor", stack, &resource.id]).uuid(),
            place.region.replace('-', ""),
        ));
    }
    Ok(Value::String(computed(world, place, stack, resource, name)))
}

fn computed(world: &World, place: &Place, stack: &str, resource: &Resource, name: &str) -> String {
    let mut draws = world.draws(&["attribute", &place.account, &place.region, stack, &resource.id, name]);
    let physical = resource.physical.as_str();
    let last = physical.rsplit(['/', ':']).next().unwrap_or(physical);
    let (region, suffix) = (&place.region, place.url_suffix());
    match (resource.kind.as_str(), name) {
        (_, "Arn" | "TopicArn" | "Id") if physical.starts_with("arn:") => physical.to_owned(),
        ("AWS::EKS::Nodegroup", "Arn") => place.arn("eks", &format!("nodegroup/{physical}/{}", draws.uuid())),
        (kind, "Arn") => arn(place, kind, resource, last),
        ("AWS::EC2::VPC" | "AWS::EC2::Subnet", "CidrBlock") => {
            resource.property("CidrBlock").unwrap_or("10.0.0.0/16").to_owned()
        }
        ("AWS::EC2::TransitGateway", "Id")
        | ("AWS::EC2::SecurityGroup", "GroupId")
        | ("AWS::EC2::Subnet", "SubnetId")
        | ("AWS::EC2::VPC", "VpcId") => physical.to_owned(),
        ("AWS::EC2::EIP", "AllocationId") => format!("eipalloc-0{}", draws.hex(16)),
        ("AWS::EC2::LaunchTemplate", "LatestVersionNumber" | "DefaultVersionNumber") => "1".to_owned(),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "DNSName") => {
            format!("{last}-{}.{region}.elb.{suffix}", draws.text(b"0123456789", 10))
        }
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerFullName") => {
            physical.split_once("loadbalancer/").map_or(physical, |(_, full)| full).to_owned()
        }
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupFullName") => {
            physical.rsplit(':').next().unwrap_or(physical).to_owned()
        }
        ("AWS::RDS::DBCluster" | "AWS::RDS::DBInstance", "Endpoint.Address" | "ReadEndpoint.Address") => {
            format!("{physical}.{}.{region}.rds.{suffix}", draws.hex(12))
        }
        ("AWS::RDS::DBCluster" | "AWS::RDS::DBInstance", "Endpoint.Port") => "3306".to_owned(),
        ("AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster", "OpenIdConnectIssuerUrl") => {
            format!("https://oidc.eks.{region}.{suffix}/id/{}", draws.upper(32))
        }
        ("AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster", "Endpoint") => {
            format!("https://{}.gr7.{region}.eks.{suffix}", draws.upper(32))
        }
        (_, "DefaultSecurityGroup" | "ClusterSecurityGroupId" | "SecurityGroupId") => {
            format!("sg-0{}", draws.hex(16))
        }
        ("AWS::S3::Bucket", "DomainName") => format!("{physical}.s3.{suffix}"),
        ("AWS::S3::Bucket", "RegionalDomainName") => format!("{physical}.s3.{region}.{suffix}"),
        ("AWS::S3::Bucket", "WebsiteURL") => format!("http://{physical}.s3-website-{region}.{suffix}"),
        ("AWS::EKS::Nodegroup", "NodegroupName")
        | ("AWS::SQS::Queue", "QueueName")
        | ("AWS::SNS::Topic", "TopicName")
        | ("AWS::ECS::Service", "Name") => last.to_owned(),
        ("AWS::ECR::Repository", "RepositoryUri") => {
            format!("{}.dkr.ecr.{region}.{suffix}/{physical}", place.account)
        }
        ("AWS::SSM::Parameter", "Value" | "Type") => resource.property(name).unwrap_or_default().to_owned(),
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", "StreamArn") => {
            format!("{}/stream/2026-01-01T00:00:00.000", arn(place, &resource.kind, resource, last))
        }
        ("AWS::IAM::Role", "RoleId") => format!("AROA{}", draws.upper(17)),
        ("AWS::CloudFront::Distribution", "DomainName") => format!("d{}.cloudfront.net", draws.hex(13)),
        (kind, _) if name.ends_with("Arn") => {
            let service = kind.split("::").nth(1).unwrap_or("aws").to_lowercase();
            place.arn(&service, &format!("{}/{last}", name.trim_end_matches("Arn").to_lowercase()))
        }
        _ if name.ends_with("Id") => draws.hex(10),
        _ => format!("{last}-{name}"),
    }
}

/// The ARN of a resource whose physical id is a name.
fn arn(place: &Place, kind: &str, resource: &Resource, name: &str) -> String {
    let partition = place.partition();
    let physical = resource.physical.as_str();
    match kind {
        "AWS::S3::Bucket" => return format!("arn:{partition}:s3:::{physical}"),
        "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::InstanceProfile" | "AWS::IAM::Group" => {
            let what = match kind {
                "AWS::IAM::InstanceProfile" => "instance-profile".to_owned(),
                other => other.rsplit("::").next().unwrap_or_default().to_lowercase(),
            };
            let path = resource.property("Path").unwrap_or("/");
            return format!("arn:{partition}:iam::{}:{what}{path}{name}", place.account);
        }
        _ => {}
    }
    let (service, before) = match kind {
        "AWS::Lambda::Function" => ("lambda", "function:"),
        "AWS::Logs::LogGroup" => return place.arn("logs", &format!("log-group:{physical}:*")),
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => ("dynamodb", "table/"),
        "AWS::SQS::Queue" => ("sqs", ""),
        "AWS::ECR::Repository" => ("ecr", "repository/"),
        "AWS::ECS::Cluster" => ("ecs", "cluster/"),
        "AWS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster" => ("eks", "cluster/"),
        "AWS::KMS::Key" => ("kms", "key/"),
        "AWS::Events::Rule" => ("events", "rule/"),
        "AWS::RDS::DBCluster" => ("rds", "cluster:"),
        "AWS::RDS::DBInstance" => ("rds", "db:"),
        "AWS::SSM::Parameter" => {
            return place.arn("ssm", &format!("parameter/{}", physical.trim_start_matches('/')));
        }
        _ => {
            let service = kind.split("::").nth(1).unwrap_or("aws").to_lowercase();
            let what = kind.rsplit("::").next().unwrap_or_default().to_lowercase();
            return place.arn(&service, &format!("{what}/{name}"));
        }
    };
    // Names of repositories and of log groups may hold slashes.
    let name = if service == "ecr" { physical } else { name };
    place.arn(service, &format!("{before}{name}"))
}

/// The outputs of a nested stack as attributes of the resource that it is in its parent.
pub(super) fn outputs_as_attributes(outputs: &[super::Output]) -> std::collections::BTreeMap<String, Value> {
    outputs.iter().map(|output| (format!("Outputs.{}", output.key), json!(output.value))).collect()
}

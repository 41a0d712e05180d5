//! The values that `Fn::GetAtt` returns.
//!
//! Real types have too many attributes to list them all. Attributes whose form matters to other resources or
//! to CDK templates are computed. Any other attribute gets a plausible value that stays the same.

use paceline_assembly::is_custom;
use serde_json::Value;

use crate::random::Random;
use crate::world::forms::{self, Form};
use crate::world::{AccountRegion, Known, Output, Resource, World};

pub(crate) fn attribute(
    world: &World,
    place: &AccountRegion,
    stack: &str,
    resource: &Resource,
    name: &str,
) -> Result<Known, String> {
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
    Ok(computed(world, place, stack, resource, name))
}

/// Whether the physical id of a resource is made up, because the template gives the resource no name.
pub(crate) fn is_made_up(resource: &Resource) -> bool {
    super::names::given_name(&resource.kind, &resource.properties) != Some(resource.physical.as_str())
}

fn custom(
    world: &World,
    place: &AccountRegion,
    stack: &str,
    resource: &Resource,
    name: &str,
) -> Result<Known, String> {
    // The attributes of these custom resources are all known, so an unknown attribute is an error.
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
    // These functions of the CDK return a property that they received.
    let property = match (resource.kind.as_str(), name) {
        ("Custom::CDKBucketDeployment", "SourceObjectKeys") => Some("SourceObjectKeys"),
        ("Custom::LogRetention", "LogGroupName") => Some("LogGroupName"),
        _ => None,
    };
    if let Some((property, value)) = property.and_then(|it| Some((it, resource.properties.get(it)?))) {
        return Ok(Known { value: value.clone(), made_up: resource.made_up.contains(property) });
    }
    Ok(computed(world, place, stack, resource, name))
}

/// A made-up value in the form of the attribute.
fn computed(world: &World, place: &AccountRegion, stack: &str, resource: &Resource, name: &str) -> Known {
    if let ("AWS::SSM::Parameter", "Value" | "Type") = (resource.kind.as_str(), name) {
        return resource.known(name, resource.property(name).unwrap_or_default());
    }
    if let ("AWS::EC2::VPC" | "AWS::EC2::Subnet", "CidrBlock") = (resource.kind.as_str(), name)
        && let Some(block) = resource.property(name)
    {
        return resource.known(name, block);
    }
    let mut draws = world.draws(&["list", &place.account, &place.region, stack, &resource.id, name]);
    if forms::of(&resource.kind).is_some_and(|form| form.is_list(name)) {
        let items = list(place, resource, name, &mut draws).into_iter().map(Value::String);
        return Known::made_up(items.collect::<Vec<Value>>());
    }
    Known::made_up(text(world, place, stack, resource, name))
}

/// The items of an attribute that is a list.
fn list(place: &AccountRegion, resource: &Resource, name: &str, draws: &mut Random) -> Vec<String> {
    let (region, suffix) = (&place.region, place.url_suffix());
    let service = service(&resource.kind);
    match name {
        "Ipv6CidrBlocks" => vec![forms::ipv6_block(draws)],
        // The zone comes before the name: "Z7HUB22UULQXV:vpce-….ec2.us-east-1.vpce.amazonaws.com".
        "DnsEntries" => {
            let id = format!("{}-{}", resource.physical, draws.mixed(8).to_lowercase());
            let zone = draws.upper(13);
            let of = |id: &str| format!("Z{zone}:{id}.service.{region}.vpce.{suffix}");
            vec![of(&id), of(&format!("{id}-{region}a"))]
        }
        "NetworkInterfaceIds" => (0..2).map(|_| format!("eni-0{}", draws.hex(16))).collect(),
        "CidrBlockAssociations" => vec![format!("vpc-cidr-assoc-0{}", draws.hex(16))],
        "NameServers" => {
            (0..4).map(|n| format!("ns-{n}.awsdns-0{n}.{}", ["com", "net", "org", "co.uk"][n])).collect()
        }
        "IngestEndpointUrls" => vec![format!("{}.{region}.{service}.{suffix}", resource.physical)],
        "Ipv6Addresses" => (0..2).map(|_| format!("2600:9000:a{}::1", draws.hex(3))).collect(),
        _ if name.ends_with("Addresses") || name.ends_with("Ips") => {
            (0..2).map(|_| format!("10.0.0.{}", draws.next() % 254 + 1)).collect()
        }
        // A broker has an address for each of its protocols.
        _ if name.ends_with("Endpoints") && service == "amazonmq" => {
            let protocol = name.trim_end_matches("Endpoints").to_lowercase();
            vec![format!("{protocol}+ssl://b-{}-1.mq.{region}.{suffix}:5671", draws.uuid())]
        }
        _ => {
            let singular = name.strip_suffix('s').unwrap_or(name);
            let item = forms::by_name(place, singular, draws);
            vec![item.unwrap_or_else(|| format!("{}-{singular}", resource.id))]
        }
    }
}

/// The service of a resource type, in the spelling of ARNs and host names.
fn service(kind: &str) -> String {
    kind.split("::").nth(1).unwrap_or("aws").to_lowercase()
}

fn text(world: &World, place: &AccountRegion, stack: &str, resource: &Resource, name: &str) -> String {
    let mut draws = world.draws(&["attribute", &place.account, &place.region, stack, &resource.id, name]);
    let physical = resource.physical.as_str();
    let last = physical.rsplit(['/', ':']).next().unwrap_or(physical);
    let (region, suffix) = (&place.region, place.url_suffix());
    match (resource.kind.as_str(), name) {
        (_, "Arn" | "ARN" | "TopicArn" | "Id") if physical.starts_with("arn:") => physical.to_owned(),
        ("AWS::EKS::Nodegroup", "Arn") => place.arn("eks", &format!("nodegroup/{physical}/{}", draws.uuid())),
        (kind, "Arn" | "ARN") => arn(place, kind, resource, last, &mut draws),
        ("AWS::EC2::VPC" | "AWS::EC2::Subnet", "CidrBlock") => {
            resource.property("CidrBlock").unwrap_or("10.0.0.0/16").to_owned()
        }
        ("AWS::EC2::TransitGateway", "Id")
        | ("AWS::EC2::SecurityGroup", "GroupId")
        | ("AWS::EC2::Subnet", "SubnetId")
        | ("AWS::EC2::VPC", "VpcId") => physical.to_owned(),
        ("AWS::EC2::EIP", "AllocationId") => format!("eipalloc-0{}", draws.hex(16)),
        ("AWS::EC2::LaunchTemplate", "LatestVersionNumber" | "DefaultVersionNumber")
        | ("AWS::Lambda::Alias" | "AWS::Lambda::Version", "Version") => "1".to_owned(),
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
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", "StreamArn") => {
            let table = arn(place, &resource.kind, resource, last, &mut draws);
            format!("{table}/stream/2026-01-01T00:00:00.000")
        }
        ("AWS::IAM::Role", "RoleId") => format!("AROA{}", draws.upper(17)),
        ("AWS::CloudFront::Distribution", "DomainName") => format!("d{}.cloudfront.net", draws.hex(13)),
        ("Custom::CDKBucketDeployment", "DestinationBucketArn") => {
            let bucket = resource.property("DestinationBucketName").unwrap_or(last);
            format!("arn:{}:s3:::{bucket}", place.partition())
        }
        ("AWS::Lambda::Url", "FunctionUrl") => {
            format!("https://{}.lambda-url.{region}.on.aws/", draws.hex(32))
        }
        ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => {
            format!("https://{physical}.execute-api.{region}.{suffix}")
        }
        ("AWS::Cognito::UserPool", "ProviderName") => format!("cognito-idp.{region}.{suffix}/{physical}"),
        ("AWS::Cognito::UserPool", "ProviderURL") => {
            format!("https://cognito-idp.{region}.{suffix}/{physical}")
        }
        (kind, _) if kind.starts_with("AWS::") && (name.ends_with("Arn") || name.ends_with("ARN")) => {
            let what = name.trim_end_matches("Arn").trim_end_matches("ARN").to_lowercase();
            place.arn(&service(kind), &format!("{what}/{last}"))
        }
        (kind, _) if name.ends_with("Url") || name.ends_with("URL") => {
            format!("https://{}.{}.{region}.{suffix}/", draws.hex(10), service(kind))
        }
        _ => match forms::by_name(place, name, &mut draws) {
            Some(value) => value,
            None if name.ends_with("Id") => draws.hex(10),
            None => format!("{last}-{name}"),
        },
    }
}

/// The ARN of a resource whose physical id is a name.
fn arn(place: &AccountRegion, kind: &str, resource: &Resource, name: &str, draws: &mut Random) -> String {
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
            let form =
                forms::of(kind).and_then(|form: &Form| form.arn(place, name, &resource.properties, draws));
            return form.unwrap_or_else(|| {
                let what = kind.rsplit("::").next().unwrap_or_default().to_lowercase();
                place.arn(&service(kind), &format!("{what}/{name}"))
            });
        }
    };
    // The name of a repository may contain slashes.
    let name = if service == "ecr" { physical } else { name };
    place.arn(service, &format!("{before}{name}"))
}

/// The outputs of a nested stack, as attributes of its resource in the parent stack.
pub(crate) fn outputs_as_attributes(outputs: &[Output]) -> std::collections::BTreeMap<String, Known> {
    let known = |output: &Output| Known { value: output.value.as_str().into(), made_up: output.made_up };
    outputs.iter().map(|output| (format!("Outputs.{}", output.key), known(output))).collect()
}

//! Physical ids of resources.

use paceline_assembly::is_custom;
use serde_json::Value;

use crate::random::Random;
use crate::world::{AccountRegion, forms};

/// The form of the physical ids of a type.
enum Shape {
    /// `Stack-LogicalId-RANDOM`.
    Name,
    /// `stack-logicalid-random`, in lower case.
    Lower,
    /// A prefix and 17 hexadecimal digits.
    Prefixed(&'static str),
    /// An ARN, with the service and the text before the name.
    Arn(&'static str, &'static str),
    /// This many hexadecimal digits.
    Hex(usize),
    Uuid,
    QueueUrl,
    Address,
    /// `cluster/name`.
    Nodegroup,
    /// The cluster that a custom resource creates.
    CustomCluster,
    /// The ARN of the OIDC provider, whose URL is in a property.
    OidcProvider,
    /// The ARN of another resource, which is in a property, with the kind replaced by this one.
    Below(&'static str, [&'static str; 2]),
    /// The ARN of a function, followed by a suffix.
    OfFunction(&'static str, &'static str),
    /// `region_RANDOM`.
    UserPool,
    /// A letter, and this many others in upper case.
    Upper(&'static str, usize),
}

/// The property in which a template may name a resource of this type. `None` if it cannot.
///
/// CloudFormation User Guide, "Name type", and the template reference of each type.
pub(crate) fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::IAM::Role" => "RoleName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::IAM::InstanceProfile" => "InstanceProfileName",
        "AWS::IAM::User" => "UserName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => "TableName",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::ECR::Repository" => "RepositoryName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::ECS::Cluster" => "ClusterName",
        "AWS::ECS::Service" => "ServiceName",
        "AWS::CloudWatch::Alarm" => "AlarmName",
        "AWS::StepFunctions::StateMachine" => "StateMachineName",
        "AWS::RDS::DBCluster" => "DBClusterIdentifier",
        "AWS::RDS::DBInstance" => "DBInstanceIdentifier",
        "AWS::RDS::DBSubnetGroup" => "DBSubnetGroupName",
        "AWS::KMS::Alias" => "AliasName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        "AWS::EC2::LaunchTemplate" => "LaunchTemplateName",
        "AWS::AutoScaling::AutoScalingGroup" => "AutoScalingGroupName",
        "AWS::SSM::Parameter"
        | "AWS::SSM::Document"
        | "AWS::EKS::Cluster"
        | "AWS::Events::Rule"
        | "AWS::SecretsManager::Secret"
        | "AWS::ElasticLoadBalancingV2::LoadBalancer"
        | "AWS::ElasticLoadBalancingV2::TargetGroup"
        | "AWS::CodeBuild::Project"
        | "AWS::ECS::CapacityProvider"
        | "AWS::RUM::AppMonitor" => "Name",
        _ => return None,
    })
}

/// The scope in which a given name must be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    Region,
    Account,
    /// The whole partition.
    Global,
}

/// The scope in which names of a type must be unique. `None` if two resources may have the same name.
pub(crate) fn uniqueness(kind: &str) -> Option<Unique> {
    match kind {
        // A dashboard of the same name is overwritten (PutDashboard).
        "AWS::CloudWatch::Dashboard" => None,
        "AWS::S3::Bucket" => Some(Unique::Global),
        _ if kind.starts_with("AWS::IAM::") => Some(Unique::Account),
        _ => Some(Unique::Region),
    }
}

/// The name that the template gives a resource.
pub(crate) fn given_name<'a>(kind: &str, properties: &'a Value) -> Option<&'a str> {
    properties.get(name_property(kind)?)?.as_str().filter(|name| !name.is_empty())
}

/// Makes the physical id of a new resource.
pub(crate) fn physical(
    place: &AccountRegion,
    stack: &str,
    id: &str,
    kind: &str,
    properties: &Value,
    mut draws: Random,
) -> String {
    let given = given_name(kind, properties);
    let long = format!("{}-{}-{}", clip(stack, 24), clip(id, 24), draws.upper(12));
    let name = given.map_or(long, str::to_owned);
    match shape(kind) {
        Shape::Name => name,
        Shape::Lower => name.to_lowercase(),
        Shape::Prefixed(prefix) => format!("{prefix}0{}", draws.hex(16)),
        Shape::Arn("iam", before) => {
            format!("arn:{}:iam::{}:{before}{name}", place.partition(), place.account)
        }
        Shape::Arn("elasticloadbalancing", before) => {
            let network = properties.get("Type").and_then(Value::as_str) == Some("network");
            let before = if network { before.replace("/app/", "/net/") } else { before.to_owned() };
            let name = if given.is_some() {
                name
            } else {
                format!("{}-{}-{}", clip(stack, 6), clip(id, 6), draws.upper(12))
            };
            place.arn("elasticloadbalancing", &format!("{before}{name}/{}", draws.hex(16)))
        }
        Shape::Arn("secretsmanager", before) => {
            place.arn("secretsmanager", &format!("{before}{name}-{}", draws.mixed(6)))
        }
        Shape::Arn("ecs", before) if kind == "AWS::ECS::TaskDefinition" => {
            let family = properties.get("Family").and_then(Value::as_str).unwrap_or(&name);
            place.arn("ecs", &format!("{before}{family}:1"))
        }
        Shape::Nodegroup => {
            let text = |key: &str| properties.get(key).and_then(Value::as_str);
            format!("{}/{}", text("ClusterName").unwrap_or("cluster"), text("NodegroupName").unwrap_or(&name))
        }
        Shape::CustomCluster => {
            let given = properties.get("Config").and_then(|config| config.get("name")?.as_str());
            given.map_or(name, str::to_owned)
        }
        Shape::OidcProvider => {
            let url = properties.get("Url").and_then(Value::as_str).unwrap_or(&name);
            let host = url.split_once("://").map_or(url, |(_, host)| host);
            format!("arn:{}:iam::{}:oidc-provider/{host}", place.partition(), place.account)
        }
        Shape::Below(property, [kind, own]) => {
            let above = properties.get(property).and_then(Value::as_str).filter(|arn| arn.contains(kind));
            let above = above.map(|arn| arn.replacen(kind, own, 1));
            let above = above.unwrap_or_else(|| {
                place.arn("elasticloadbalancing", &format!("{own}app/{}/{}", clip(&name, 32), draws.hex(16)))
            });
            format!("{above}/{}", draws.hex(16))
        }
        Shape::OfFunction(property, after) => {
            let function = properties.get(property).and_then(Value::as_str).unwrap_or(&name);
            let function = if function.starts_with("arn:") {
                function.to_owned()
            } else {
                place.arn("lambda", &format!("function:{function}"))
            };
            let alias = properties.get("Name").and_then(Value::as_str).unwrap_or_default();
            format!("{function}{}", after.replace("NAME", alias))
        }
        Shape::UserPool => format!("{}_{}", place.region, draws.mixed(9)),
        Shape::Upper(letter, length) => format!("{letter}{}", draws.upper(length)),
        Shape::Arn("ecs", before) if kind == "AWS::ECS::Service" => {
            let cluster = properties.get("Cluster").and_then(Value::as_str).unwrap_or("default");
            let cluster = cluster.rsplit('/').next().unwrap_or(cluster);
            place.arn("ecs", &format!("{before}{cluster}/{name}"))
        }
        Shape::Arn("connect", _) => {
            let instance = properties.get("InstanceArn").and_then(Value::as_str).map(str::to_owned);
            let instance =
                instance.unwrap_or_else(|| place.arn("connect", &format!("instance/{}", draws.uuid())));
            format!("{instance}/{}/{}", kebab(kind), draws.uuid())
        }
        Shape::Arn("", _) => {
            let form = forms::of(kind).and_then(|form| form.arn(place, &name, properties, &mut draws));
            let service = kind.split("::").nth(1).unwrap_or("aws").to_lowercase();
            form.unwrap_or_else(|| place.arn(&service, &format!("{}/{name}", kebab(kind))))
        }
        Shape::Arn(service, before) => place.arn(service, &format!("{before}{name}")),
        Shape::Hex(length) => draws.hex(length),
        Shape::Uuid => draws.uuid(),
        Shape::QueueUrl => {
            format!("https://sqs.{}.{}/{}/{name}", place.region, place.url_suffix(), place.account)
        }
        Shape::Address => {
            let byte = |draws: &mut Random| draws.next() % 254 + 1;
            format!("{}.{}.{}.{}", 52, byte(&mut draws), byte(&mut draws), byte(&mut draws))
        }
    }
}

/// The last part of a resource type in the spelling of ARNs: `contact-flow`.
fn kebab(kind: &str) -> String {
    let mut out = String::new();
    for c in kind.rsplit("::").next().unwrap_or_default().chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn clip(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text)
}

fn shape(kind: &str) -> Shape {
    match kind {
        "AWS::S3::Bucket"
        | "AWS::ECR::Repository"
        | "AWS::RDS::DBCluster"
        | "AWS::RDS::DBInstance"
        | "AWS::RDS::DBSubnetGroup" => Shape::Lower,
        "AWS::EC2::VPC" => Shape::Prefixed("vpc-"),
        "AWS::EC2::Subnet" => Shape::Prefixed("subnet-"),
        "AWS::EC2::SecurityGroup" => Shape::Prefixed("sg-"),
        "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => Shape::Prefixed("sgr-"),
        "AWS::EC2::InternetGateway" => Shape::Prefixed("igw-"),
        "AWS::EC2::NatGateway" => Shape::Prefixed("nat-"),
        "AWS::EC2::RouteTable" => Shape::Prefixed("rtb-"),
        "AWS::EC2::SubnetRouteTableAssociation" => Shape::Prefixed("rtbassoc-"),
        "AWS::EC2::Instance" => Shape::Prefixed("i-"),
        "AWS::EC2::LaunchTemplate" => Shape::Prefixed("lt-"),
        "AWS::EC2::TransitGateway" => Shape::Prefixed("tgw-"),
        "AWS::EC2::TransitGatewayAttachment"
        | "AWS::EC2::TransitGatewayPeeringAttachment"
        | "AWS::EC2::TransitGatewayVpcAttachment" => Shape::Prefixed("tgw-attach-"),
        "AWS::EC2::TransitGatewayRouteTable" => Shape::Prefixed("tgw-rtb-"),
        "AWS::EC2::VPCPeeringConnection" => Shape::Prefixed("pcx-"),
        "AWS::EC2::VPCEndpoint" => Shape::Prefixed("vpce-"),
        "AWS::EC2::FlowLog" => Shape::Prefixed("fl-"),
        "AWS::EC2::NetworkInterface" => Shape::Prefixed("eni-"),
        "AWS::EC2::NetworkAcl" => Shape::Prefixed("acl-"),
        "AWS::EC2::EgressOnlyInternetGateway" => Shape::Prefixed("eigw-"),
        "AWS::EC2::VPNGateway" => Shape::Prefixed("vgw-"),
        "AWS::EC2::CustomerGateway" => Shape::Prefixed("cgw-"),
        "AWS::EC2::VPNConnection" => Shape::Prefixed("vpn-"),
        "AWS::EC2::PrefixList" => Shape::Prefixed("pl-"),
        "AWS::EC2::Volume" => Shape::Prefixed("vol-"),
        "AWS::EC2::VPCCidrBlock" => Shape::Prefixed("vpc-cidr-assoc-"),
        "AWS::EFS::FileSystem" => Shape::Prefixed("fs-"),
        "AWS::EFS::AccessPoint" => Shape::Prefixed("fsap-"),
        "AWS::EC2::EIP" => Shape::Address,
        "AWS::IAM::ManagedPolicy" => Shape::Arn("iam", "policy/"),
        "AWS::SNS::Topic" => Shape::Arn("sns", ""),
        "AWS::StepFunctions::StateMachine" => Shape::Arn("states", "stateMachine:"),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            Shape::Arn("elasticloadbalancing", "loadbalancer/app/")
        }
        "AWS::ElasticLoadBalancingV2::TargetGroup" => Shape::Arn("elasticloadbalancing", "targetgroup/"),
        "AWS::ElasticLoadBalancingV2::Listener" => {
            Shape::Below("LoadBalancerArn", ["loadbalancer/", "listener/"])
        }
        "AWS::ElasticLoadBalancingV2::ListenerRule" => {
            Shape::Below("ListenerArn", ["listener/", "listener-rule/"])
        }
        "AWS::IAM::OIDCProvider" | "Custom::AWSCDKOpenIdConnectProvider" => Shape::OidcProvider,
        "AWS::Lambda::Url" => Shape::OfFunction("TargetFunctionArn", ""),
        "AWS::Lambda::Version" => Shape::OfFunction("FunctionName", ":1"),
        "AWS::Lambda::Alias" => Shape::OfFunction("FunctionName", ":NAME"),
        "AWS::Cognito::UserPool" => Shape::UserPool,
        "AWS::Route53::HostedZone" => Shape::Upper("Z", 20),
        "AWS::CloudFront::Distribution" => Shape::Upper("E", 13),
        "AWS::ECS::TaskDefinition" => Shape::Arn("ecs", "task-definition/"),
        "AWS::ECS::Service" => Shape::Arn("ecs", "service/"),
        "AWS::SecretsManager::Secret" => Shape::Arn("secretsmanager", "secret:"),
        "AWS::CertificateManager::Certificate" => Shape::Arn("acm", "certificate/"),
        // In the ARN of a layer version, the layer comes first and the version last.
        "AWS::Lambda::LayerVersion" => Shape::Arn("lambda", "layer:"),
        _ if kind.starts_with("AWS::Connect::") && kind != "AWS::Connect::Instance" => {
            Shape::Arn("connect", "")
        }
        "AWS::EKS::Nodegroup" => Shape::Nodegroup,
        "Custom::AWSCDK-EKS-Cluster" => Shape::CustomCluster,
        "AWS::SQS::Queue" => Shape::QueueUrl,
        "AWS::KMS::Key" | "AWS::Lambda::EventSourceMapping" => Shape::Uuid,
        "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => Shape::Hex(10),
        "AWS::ApiGateway::Resource" | "AWS::ApiGateway::Deployment" => Shape::Hex(6),
        _ if is_custom(kind) => Shape::Uuid,
        _ if forms::of(kind).is_some_and(|form| form.is_arn) => Shape::Arn("", ""),
        _ => Shape::Name,
    }
}

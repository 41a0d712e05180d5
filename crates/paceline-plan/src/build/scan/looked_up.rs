//! What stacks make that the CDK can look up while it synthesizes an app.

use paceline_assembly::{Resolver, Text};
use serde_json::Value;

use crate::build::context_key::{HOSTED_ZONE, KEY_ALIAS, LOAD_BALANCER, SECURITY_GROUP, VPC};

/// The names by which a resource can be looked up, each with the property that gives it. Parameters are not among them:
/// they are read in other ways as well.
pub(super) fn made(kind: &str, properties: &Value, resolver: &Resolver<'_>) -> Vec<(&'static str, Text)> {
    let (what, property) = match kind {
        "AWS::Route53::HostedZone" => (HOSTED_ZONE, "Name"),
        "AWS::KMS::Alias" => (KEY_ALIAS, "AliasName"),
        "AWS::EC2::SecurityGroup" => (SECURITY_GROUP, "GroupName"),
        "AWS::EC2::VPC" => (VPC, "Tags"),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => (LOAD_BALANCER, "Tags"),
        _ => return Vec::new(),
    };
    let name = |text: &str| (property, Text::from_raw(&format!("{what} {}", text.trim_end_matches('.'))));
    match &properties[property] {
        Value::Null => Vec::new(),
        Value::Array(tags) => {
            let tag = |tag: &Value| {
                let [key, value] = ["Key", "Value"].map(|part| resolver.resolve(&tag[part]));
                name(&format!("{}={}", key.raw(), value.raw()))
            };
            tags.iter().map(tag).collect()
        }
        given => vec![name(resolver.resolve(given).raw())],
    }
}

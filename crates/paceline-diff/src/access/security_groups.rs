//! The traffic that security groups newly let in.

use paceline_assembly::Resource;
use serde_json::Value;

use super::addresses::has_all;
use crate::model::Access;
use crate::rendered::rendered;

/// All protocols.
const ALL: &str = "-1";
/// The properties that say where traffic comes from.
const SOURCES: [&str; 5] =
    ["CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourceSecurityGroupName", "SourcePrefixListId"];

/// A rule that lets traffic in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    protocol: String,
    /// The first and the last port.
    ports: Option<(String, String)>,
    from: String,
}

pub(super) fn widened(before: Option<&Resource<'_>>, after: &Resource<'_>) -> Vec<Access> {
    let had = before.map(rules).unwrap_or_default();
    let group = match after.resource_type {
        "AWS::EC2::SecurityGroupIngress" => {
            let group = |name: &str| after.properties?.get(name).map(rendered);
            group("GroupId").or_else(|| group("GroupName"))
        }
        _ => None,
    };
    let new = rules(after).into_iter().filter(|rule| !had.iter().any(|it| it.has(rule)));
    new.map(|Rule { protocol, ports, from }| Access::Ingress { group: group.clone(), protocol, ports, from })
        .collect()
}

fn rules(resource: &Resource<'_>) -> Vec<Rule> {
    let Some(properties) = resource.properties else { return Vec::new() };
    let mut found = Vec::new();
    match resource.resource_type {
        "AWS::EC2::SecurityGroup" => {
            if let Some(ingress) = properties.get("SecurityGroupIngress") {
                collect(ingress, &mut found);
            }
        }
        "AWS::EC2::SecurityGroupIngress" => collect(properties, &mut found),
        _ => {}
    }
    found
}

/// Collects the rules in a value, also those that a function chooses between.
fn collect(value: &Value, found: &mut Vec<Rule>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) if fields.contains_key("IpProtocol") => {
            let text = |name: &str| fields.get(name).map(rendered);
            let protocol = text("IpProtocol").unwrap_or_default();
            let ports = text("FromPort").map(|first| {
                let last = text("ToPort").unwrap_or_else(|| first.clone());
                (first, last)
            });
            let ports = ports.filter(|_| protocol != ALL);
            let sources = SOURCES.iter().filter_map(|name| text(name));
            found.extend(sources.map(|from| Rule { protocol: protocol.clone(), ports: ports.clone(), from }));
        }
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        _ => {}
    }
}

impl Rule {
    /// Whether this rule lets in all traffic that another one does.
    fn has(&self, other: &Rule) -> bool {
        let is_same_protocol = self.protocol == ALL || self.protocol == other.protocol;
        is_same_protocol && self.has_ports(other) && has_all(&self.from, &other.from)
    }

    fn has_ports(&self, other: &Rule) -> bool {
        if self.protocol == ALL || self.ports == other.ports {
            return true;
        }
        let number = |text: &str| text.parse::<i64>().ok();
        let range = |ports: &Option<(String, String)>| {
            let (first, last) = ports.as_ref()?;
            Some((number(first)?, number(last)?))
        };
        match (range(&self.ports), range(&other.ports)) {
            (Some((first, last)), Some((other_first, other_last))) => {
                first <= other_first && other_last <= last
            }
            _ => false,
        }
    }
}

//! The keys of a context: `PROVIDER:PROPERTY=VALUE:…`.

use std::collections::BTreeMap;

/// A key of the context: what is looked up, and where.
#[derive(Debug, Default)]
pub(super) struct ContextKey {
    provider: String,
    /// Properties of inner objects and lists have their path as name, as in `filter.tag:Name`.
    properties: BTreeMap<String, String>,
}

// The kinds of things that stacks can create and the CDK can look up, besides parameters. The words fit into a sentence
// before the name.
pub(crate) const HOSTED_ZONE: &str = "hosted zone";
pub(crate) const KEY_ALIAS: &str = "key";
pub(crate) const SECURITY_GROUP: &str = "security group";
pub(crate) const VPC: &str = "VPC";
pub(crate) const LOAD_BALANCER: &str = "load balancer";

impl ContextKey {
    /// Reads a key. The CDK puts `$` before a `$` or a `:` in a value, and nothing before one in the name of a
    /// property (`colonQuote` and `propsToArray` of aws-cdk-lib, core/lib/context-provider).
    pub(super) fn parse(key: &str) -> Self {
        let mut parts = unquoted(key).into_iter();
        let mut read = Self { provider: parts.next().unwrap_or_default(), ..Self::default() };
        let mut name = String::new();
        for part in parts {
            match part.split_once('=') {
                Some((end, value)) => {
                    read.properties.insert(std::mem::take(&mut name) + end, value.to_owned());
                }
                // A tag's name follows a colon of its own.
                None => name = format!("{name}{part}:"),
            }
        }
        read
    }

    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str)
    }

    pub(super) fn is_of_vpc(&self) -> bool {
        self.provider == "vpc-provider"
    }

    /// Whether it is looked up in all regions at once.
    pub(super) fn is_global(&self) -> bool {
        self.provider == "hosted-zone"
    }

    /// The name of the thing that is looked up, if a stack can create it. A parameter is its name alone.
    pub(super) fn subject(&self) -> Option<String> {
        let by = |what: &str, property: &str| {
            Some(format!("{what} {}", self.property(property)?.trim_end_matches('.')))
        };
        match self.provider.as_str() {
            "ssm" => self.property("parameterName").map(str::to_owned),
            "hosted-zone" => by(HOSTED_ZONE, "domainName"),
            "key-provider" => by(KEY_ALIAS, "aliasName"),
            "security-group" => by(SECURITY_GROUP, "securityGroupName"),
            "vpc-provider" => {
                let all = || self.properties.iter();
                let tags = || all().filter_map(|(it, value)| Some((it.strip_prefix("filter.tag:")?, value)));
                // Of several tags, the one that names it.
                let (tag, value) = tags().find(|(tag, _)| *tag == "Name").or_else(|| tags().next())?;
                Some(format!("{VPC} {tag}={value}"))
            }
            "load-balancer" => {
                let tag = |part: &str| self.property(&format!("loadBalancerTags.0.{part}"));
                Some(format!("{LOAD_BALANCER} {}={}", tag("key")?, tag("value")?))
            }
            _ => None,
        }
    }

    /// Whether a text is one of those that the lookup was given.
    pub(super) fn has(&self, text: &str) -> bool {
        self.properties.values().any(|value| value == text)
    }
}

/// The parts of a key between colons.
fn unquoted(key: &str) -> Vec<String> {
    let (mut parts, mut part, mut characters) = (Vec::new(), String::new(), key.chars());
    while let Some(c) = characters.next() {
        match c {
            '$' => part.extend(characters.next()),
            ':' => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stacks_can_make_is_known_by_its_name() {
        for (key, expected) in [
            ("ssm:account=1:parameterName=/a$:b$$c:region=r", Some("/a:b$c")),
            (
                "hosted-zone:account=1:domainName=shop.example.com.:region=r",
                Some("hosted zone shop.example.com"),
            ),
            ("key-provider:account=1:aliasName=alias/shop:region=r", Some("key alias/shop")),
            (
                "security-group:account=1:region=r:securityGroupName=web:vpcId=vpc-1",
                Some("security group web"),
            ),
            ("security-group:account=1:region=r:securityGroupId=sg-1", None),
            ("vpc-provider:account=1:filter.tag:Name=shop:filter.tag:a=b:region=r", Some("VPC Name=shop")),
            ("vpc-provider:account=1:filter.tag:team=a:region=r", Some("VPC team=a")),
            ("vpc-provider:account=1:filter.vpc-id=vpc-1:region=r", None),
            (
                "load-balancer:account=1:loadBalancerTags.0.key=a:loadBalancerTags.0.value=b:region=r",
                Some("load balancer a=b"),
            ),
            ("availability-zones:account=1:region=r", None),
            ("ssm:region=r", None),
            ("@aws-cdk/core:x", None),
            ("", None),
            ("$", None),
        ] {
            assert_eq!(ContextKey::parse(key).subject().as_deref(), expected, "{key}");
        }
    }
}

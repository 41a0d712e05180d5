//! What a new stack certainly needs of the quotas.

use std::collections::BTreeMap;

use paceline_assembly::{Stack, Template};
use serde_json::Value;

use super::ALL;
use super::usage::Usage;

/// The part of a region in which a quota counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Zone {
    /// The whole region.
    Region,
    /// An availability zone.
    Named(String),
    /// The availability zone at this position of the account's list.
    At(u64),
}

impl Zone {
    /// For behind the number of things: ` in the availability zone us-east-1a`, or nothing.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Region => String::new(),
            Self::Named(name) => format!(" in the availability zone {name}"),
            Self::At(_) => " in one availability zone".to_owned(),
        }
    }
}

/// How much a stack certainly needs of each quota, by the position of the quota and the zone. Nested stacks count, too.
pub(super) fn wanted(stack: &Stack) -> BTreeMap<(usize, Zone), usize> {
    let nested = stack.nested_that_may_be_made().map(|nested| &nested.template);
    let mut wanted = BTreeMap::new();
    for template in std::iter::once(&stack.template).chain(nested) {
        let resolver = template.resolver();
        for (_, resource) in template.resources() {
            let is_certain = resource.condition.is_none_or(|it| resolver.condition(it) == Some(true));
            let quota = ALL.iter().position(|quota| quota.resource_type == resource.resource_type);
            let (Some(quota), true) = (quota, is_certain) else { continue };
            let property = |name: &str| resource.properties.and_then(|properties| properties.get(name));
            let (zone, number) = match ALL[quota].usage {
                Usage::Described { .. } | Usage::Clusters => (Some(Zone::Region), Some(1)),
                Usage::NatGateways => (property("SubnetId").and_then(|id| zone_of(template, id)), Some(1)),
                Usage::Reserved => {
                    let reserved = property("ReservedConcurrentExecutions");
                    let number = reserved.and_then(|it| resolver.resolve(it).known()?.parse().ok());
                    (Some(Zone::Region), number)
                }
            };
            if let (Some(zone), Some(number @ 1..)) = (zone, number) {
                *wanted.entry((quota, zone)).or_default() += number;
            }
        }
    }
    wanted
}

/// The availability zone of a subnet of the same template. `None` if the template does not tell.
fn zone_of(template: &Template, subnet: &Value) -> Option<Zone> {
    let subnet = template.resource(subnet.get("Ref")?.as_str()?)?;
    let zone = subnet.properties?.get("AvailabilityZone")?;
    let named = template.resolver().resolve(zone).known().map(Zone::Named);
    let select = || {
        let [position, list] = zone.get("Fn::Select")?.as_array()?.as_slice() else { return None };
        list.get("Fn::GetAZs")?;
        let text = position.as_str().and_then(|position| position.parse().ok());
        position.as_u64().or(text).map(Zone::At)
    };
    named.or_else(select)
}

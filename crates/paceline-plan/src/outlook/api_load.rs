//! How long an operation on a stack occupies the APIs of services whose rates are low.
//!
//! Two stacks that create resources of such a service at the same time throttle each other. The engine lets one
//! of them wait, if that does not make the run longer.
//!
//! The table is `api_load.csv`, in this folder. Its head names the source of each figure.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use std::time::Duration;

use paceline_assembly::{Resource, Stack, Template};

use crate::model::{ApiLoads, StepOperation, ThrottledService};

/// A shorter load is left out: the requests of a stack spread over the time of its operation.
const LEAST: Duration = Duration::from_secs(1);
/// The row of a REST API that is not edge-optimized.
const REGIONAL: &str = "AWS::ApiGateway::RestApi/REGIONAL";

/// The embedded table by resource type, read once.
static TABLE: LazyLock<HashMap<&'static str, Row>> = LazyLock::new(|| {
    parse(include_str!("api_load.csv")).expect("the embedded table is valid: a test parses it")
});

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    service: ThrottledService,
    create: Duration,
    delete: Duration,
}

/// The loads of the next operation on a stack, nested stacks included. Those of an update are not known.
pub(crate) fn loads(stack: &Stack, operation: StepOperation) -> ApiLoads {
    let time = match operation {
        StepOperation::Create => |row: &Row| row.create,
        StepOperation::Delete => |row: &Row| row.delete,
        StepOperation::Update | StepOperation::Unchanged | StepOperation::Done => return ApiLoads::new(),
    };
    let mut loads: BTreeMap<ThrottledService, Duration> = BTreeMap::new();
    let nested = stack.nested_that_may_be_made().map(|nested| &nested.template);
    for template in std::iter::once(&stack.template).chain(nested) {
        for row in rows(template) {
            *loads.entry(row.service).or_default() += time(row);
        }
    }
    loads.retain(|_, load| *load >= LEAST);
    loads
}

fn rows(template: &Template) -> impl Iterator<Item = &'static Row> {
    let resolver = template.resolver();
    let made = template.resources().filter(move |(_, resource)| !resolver.is_left_out(resource.body));
    made.filter_map(|(_, resource)| row(&resource))
}

fn row(resource: &Resource<'_>) -> Option<&'static Row> {
    let kind = resource.resource_type;
    if kind == "AWS::ApiGateway::RestApi" && !is_edge_optimized(resource) {
        return TABLE.get(REGIONAL);
    }
    TABLE.get(kind).or_else(|| {
        let (service, _) = kind.rsplit_once("::")?;
        TABLE.get(format!("{service}::*").as_str())
    })
}

/// Whether a REST API has an edge-optimized endpoint. Without a word about its endpoints, it has one.
fn is_edge_optimized(resource: &Resource<'_>) -> bool {
    let types = resource.properties.and_then(|it| it.get("EndpointConfiguration")?.get("Types")?.as_array());
    types.is_none_or(|types| types.iter().any(|it| it == "EDGE"))
}

fn parse(text: &'static str) -> Option<HashMap<&'static str, Row>> {
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("type,"));
    rows.map(|line| {
        let [kind, service, scope, create, delete, _source] = line.split(',').collect::<Vec<_>>()[..] else {
            return None;
        };
        let service = ThrottledService::named(service).filter(|it| it.is_global() == (scope == "account"))?;
        let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
        Some((kind, Row { service, create: seconds(create)?, delete: seconds(delete)? }))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_source_of_every_figure() {
        let sources = ["apigateway", "lambda", "route53", "estimate"];
        let rows = include_str!("api_load.csv").lines().filter(|line| line.starts_with("AWS::"));
        for row in rows {
            assert!(sources.iter().any(|source| row.ends_with(&format!(",{source}"))), "{row}");
        }
        assert_eq!(TABLE["AWS::ApiGateway::Deployment"].create, Duration::from_secs(5));
    }
}

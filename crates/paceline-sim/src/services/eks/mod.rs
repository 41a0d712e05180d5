//! EKS: the clusters of a region, for those who compare their number with the quota.

use http::Method;
use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Protocol, Request};
use crate::world::World;

/// Elastic Kubernetes Service.
pub(super) struct Eks;

impl Service for Eks {
    fn name(&self) -> &'static str {
        "eks"
    }

    fn protocol(&self) -> Protocol {
        Protocol::RestJson
    }

    fn recognise(&self, request: &mut Request) {
        if request.method == Method::GET && request.path == "/clusters" {
            "ListClusters".clone_into(&mut request.operation);
        }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        if request.operation != "ListClusters" {
            return Err(unknown_operation(request));
        }
        let names: Vec<&String> =
            world.live(&request.place, "AWS::EKS::Cluster").map(|it| &it.physical).collect();
        // The token of a page is the number of clusters before it.
        let number = |name: &str| request.query.text(name).and_then(|text| text.parse::<usize>().ok());
        let (from, most) = (number("nextToken").unwrap_or(0), number("maxResults").unwrap_or(100));
        let page: Vec<&String> = names.iter().skip(from).take(most).copied().collect();
        let next = (from + page.len() < names.len()).then(|| (from + page.len()).to_string());
        Ok(Answer::Result(json!({"clusters": page, "nextToken": next})))
    }
}

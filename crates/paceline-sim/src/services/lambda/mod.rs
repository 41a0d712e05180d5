//! Lambda: what functions have reserved of the concurrency of a region.

use http::Method;
use serde_json::json;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Protocol, Request};
use crate::world::World;

/// The concurrent executions of an account in a region (AWS Lambda Developer Guide, "Lambda quotas").
const CONCURRENCY: u64 = 1000;

/// Lambda.
pub(super) struct Lambda;

impl Service for Lambda {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn protocol(&self) -> Protocol {
        Protocol::RestJson
    }

    fn recognise(&self, request: &mut Request) {
        if request.method == Method::GET
            && request.path.trim_end_matches('/') == "/2016-08-19/account-settings"
        {
            "GetAccountSettings".clone_into(&mut request.operation);
        }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        if request.operation != "GetAccountSettings" {
            return Err(unknown_operation(request));
        }
        let functions = world.live(&request.place, "AWS::Lambda::Function");
        let reserved: u64 =
            functions.filter_map(|it| it.properties["ReservedConcurrentExecutions"].as_u64()).sum();
        let free = CONCURRENCY.saturating_sub(reserved);
        let limit = json!({"ConcurrentExecutions": CONCURRENCY, "UnreservedConcurrentExecutions": free});
        Ok(Answer::Result(json!({"AccountLimit": limit})))
    }
}

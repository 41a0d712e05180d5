//! The interface of a service, and the errors that all services share.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use crate::wire::{Fault, Protocol, Request};
use crate::world::World;

pub(crate) trait Service: Sync {
    /// The name of the service, as in the credential scope of a signature.
    fn name(&self) -> &'static str;

    fn protocol(&self) -> Protocol;

    /// The protocol in which a client of this project calls an operation.
    fn protocol_of(&self, _operation: &str) -> Protocol {
        self.protocol()
    }

    /// Names the operation that a request asks for, if neither a header nor the form of the request names it.
    fn recognise(&self, _request: &mut Request) {}

    /// The documented limit of an operation, in requests per second.
    fn rate(&self, _operation: &str) -> Option<f64> {
        None
    }

    /// Carries out a request.
    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault>;
}

#[derive(Debug)]
pub(crate) enum Answer {
    /// The result of the operation, which is written in the protocol of the service.
    Result(Value),
    /// The same, for lists in XML whose entries have names of their own: `{"Events": {"Event": […]}}`.
    FlatLists(Value),
    /// A complete response.
    Response(Response<Bytes>),
}

/// Whether callers are denied an operation.
pub(crate) fn is_denied(world: &World, service: &str, operation: &str) -> bool {
    world.options.faults.denied.iter().any(|(s, o)| s == service && o == operation)
}

pub(crate) fn denied(request: &Request) -> Fault {
    let (account, partition) = (&request.place.account, request.place.partition());
    let message = format!(
        "User: arn:{partition}:sts::{account}:assumed-role/simulated/session is not authorized to perform: {}:{}",
        request.service, request.operation
    );
    match request.protocol {
        Protocol::Json => Fault::bad("AccessDeniedException", message),
        Protocol::RestJson => Fault::new(403, "AccessDeniedException", message),
        Protocol::Rest => Fault::new(403, "AccessDenied", "Access Denied"),
        Protocol::Query { .. } => Fault::new(403, "AccessDenied", message),
    }
}

/// The error for an operation that the service does not have, or that is not simulated.
pub(crate) fn unknown_operation(request: &Request) -> Fault {
    let (service, operation) = (&request.service, &request.operation);
    match request.protocol {
        Protocol::Query { .. } => Fault::bad(
            "InvalidAction",
            format!("Could not find operation {operation} of {service}: it is not simulated"),
        ),
        Protocol::Json | Protocol::RestJson => Fault::bad(
            "UnknownOperationException",
            format!("operation {operation} of {service} is not simulated"),
        ),
        Protocol::Rest => Fault::new(
            501,
            "NotImplemented",
            format!(
                "A header or operation you provided implies functionality that is not simulated: {operation}"
            ),
        ),
    }
}

/// One page of a list. The token is the position of the next page. It carries a mark, so that a token from
/// elsewhere is recognised.
pub(crate) fn page<T>(items: Vec<T>, token: Option<&str>, size: usize) -> Result<(Vec<T>, Value), Fault> {
    let start = match token {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|position| position.parse().ok())
            .ok_or_else(|| Fault::validation("The specified NextToken is invalid"))?,
    };
    let size = size.max(1);
    let more = items.len() > usize::saturating_add(start, size);
    let next = if more { json!(format!("page-{}", start + size)) } else { Value::Null };
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

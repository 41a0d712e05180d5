//! Relational Database Service: the events of the databases of stacks.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request};
use crate::world::{Attempt, World, written};

/// Relational Database Service.
pub(super) struct Rds;

/// The minutes before now whose events are returned, and the most events in an answer, if the request does not say
/// (API reference, `DescribeEvents`).
const MINUTES: i64 = 60;
const MOST: usize = 100;

impl Service for Rds {
    fn name(&self) -> &'static str {
        "rds"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "http://rds.amazonaws.com/doc/2014-10-31/" }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::FlatLists)
    }
}

fn perform(world: &World, request: &Request) -> Outcome {
    if request.operation != "DescribeEvents" {
        return Err(unknown_operation(request));
    }
    let form = &request.form;
    let (source, kind) = (form.required("SourceIdentifier")?, form.required("SourceType")?);
    let number = |name: &str| form.text(name).and_then(|text| text.parse::<i64>().ok());
    let since = world.now - SignedDuration::from_mins(number("Duration").unwrap_or(MINUTES));
    let most = number("MaxRecords").and_then(|most| usize::try_from(most).ok()).unwrap_or(MOST);
    let hung = world.region(&request.place).and_then(|region| region.hung.get(source));
    let failed = hung.map(|hung| hung.failed(world.now)).unwrap_or_default();
    let event = |attempt: Attempt| -> Value {
        json!({
            "SourceIdentifier": source,
            "SourceType": kind,
            "Message": attempt.reason,
            "EventCategories": {"EventCategory": ["failure"]},
            "Date": written(attempt.ended),
        })
    };
    // The oldest comes first.
    let new = failed.into_iter().rev().filter(|attempt| attempt.ended >= since);
    let events: Vec<Value> = new.take(most).map(event).collect();
    Ok(json!({"Events": {"Event": events}}))
}

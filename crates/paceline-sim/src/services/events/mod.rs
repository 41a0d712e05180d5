//! EventBridge: events are stored, for tests to look at. Every bus is there. Rules on the status of stacks start builds.

mod rules;

use serde_json::{Value, json};

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Outcome, Protocol, Request, text};
use crate::world::{Message, World};

pub(super) use self::rules::deliver;
pub(crate) use self::rules::put_rule;

/// EventBridge.
pub(super) struct Events;

/// The most events in one request (API reference, `PutEvents`).
const MOST_EVENTS: usize = 10;

impl Service for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        perform(world, request).map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    match request.operation.as_str() {
        "PutEvents" => put_events(world, request),
        "PutRule" => rules::put(world, request),
        "PutTargets" => rules::put_targets(world, request),
        "ListTargetsByRule" => rules::list_targets(world, request),
        "EnableRule" => rules::switch(world, request, true),
        "DisableRule" => rules::switch(world, request, false),
        "DescribeRule" => rules::describe(world, request),
        _ => Err(unknown_operation(request)),
    }
}

fn put_events(world: &mut World, request: &Request) -> Outcome {
    let entries = request.json["Entries"].as_array().cloned().unwrap_or_default();
    if entries.is_empty() || entries.len() > MOST_EVENTS {
        let message = "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and 10";
        return Err(Fault::bad("ValidationException", message));
    }
    let mut answers = Vec::new();
    let mut failed = 0;
    for entry in &entries {
        let (_, kind, detail) = (text(entry, "Source")?, text(entry, "DetailType")?, text(entry, "Detail")?);
        if !serde_json::from_str::<Value>(detail).is_ok_and(|detail| detail.is_object()) {
            failed += 1;
            answers.push(json!({ "ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed." }));
            continue;
        }
        let to = entry["EventBusName"].as_str().unwrap_or("default").to_owned();
        let message = Message { to, subject: kind.to_owned(), body: detail.to_owned() };
        world.region_mut(&request.place).messages.push(message);
        answers.push(json!({ "EventId": world.random.uuid() }));
    }
    Ok(json!({ "FailedEntryCount": failed, "Entries": answers }))
}

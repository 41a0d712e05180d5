//! Rules of EventBridge: what starts a build when a stack has another status.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Region, Stack};

/// A rule that matches changes of the status of stacks.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) arn: String,
    /// The request of `PutRule`.
    pub(crate) request: Value,
    /// The pattern, read.
    pub(crate) pattern: Value,
    pub(crate) targets: Vec<Value>,
    /// Since when it matches events. `None` while it is disabled.
    pub(crate) enabled: Option<Timestamp>,
    /// The events until this time have been delivered.
    pub(crate) delivered: Timestamp,
}

impl Rule {
    /// The events that the rule matches and that were not delivered yet, as EventBridge has them, in the order of their
    /// times.
    pub(crate) fn undelivered(&self, region: &Region, now: Timestamp) -> Vec<(Timestamp, Value)> {
        let Some(enabled) = self.enabled else { return Vec::new() };
        let since = enabled.max(self.delivered);
        let mut events: Vec<_> =
            region.stacks.values().flat_map(|stack| changes(stack, since, now)).collect();
        events.retain(|(_, event)| matches(&self.pattern, event));
        events.sort_by_key(|(at, _)| *at);
        events
    }
}

/// The changes of a stack's own status in a time (CloudFormation User Guide, "Stack Status Change event detail").
fn changes(stack: &Stack, since: Timestamp, now: Timestamp) -> Vec<(Timestamp, Value)> {
    let of_stack = stack.events.iter().filter(|event| event.physical == *stack.key.arn);
    let in_time = of_stack.filter(|event| since < event.at && event.at <= now);
    let event = |at, status: String| {
        let detail = json!({ "stack-id": &*stack.key.arn, "status-details": { "status": status } });
        let kind = "CloudFormation Stack Status Change";
        (at, json!({ "source": "aws.cloudformation", "detail-type": kind, "detail": detail }))
    };
    in_time.map(|change| event(change.at, change.status.to_string())).collect()
}

/// Whether an event matches a pattern: for each field, one of the listed values, or the beginning of the value (EventBridge
/// User Guide, "Event patterns").
fn matches(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, pattern)| matches(pattern, &event[name])),
        Value::Array(any) => any.iter().any(|one| match one["prefix"].as_str() {
            Some(prefix) => event.as_str().is_some_and(|text| text.starts_with(prefix)),
            None => one == event,
        }),
        _ => false,
    }
}

//! Spans in the JSON encoding of OTLP (OpenTelemetry specification, "OTLP/HTTP": JSON Protobuf Encoding).
//!
//! Ids are hexadecimal, enums are numbers, and whole numbers of 64 bits are texts.

use jiff::Timestamp;
use paceline_text::cut;
use serde_json::{Value, json};

use super::spans::{Attribute, RunSpan, SpanEvent, SpanStatus};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u32 = 1;
/// `STATUS_CODE_OK` and `STATUS_CODE_ERROR`.
const OK: u32 = 1;
const ERROR: u32 = 2;

/// The most characters of a text. Collectors refuse requests that are too large.
const LONGEST: usize = 2_000;

/// Who sends the spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name of the service.
    pub name: String,
    /// The version of Paceline.
    pub version: String,
}

/// The body of a request with these spans.
pub fn request(spans: &[RunSpan], service: &Service) -> String {
    let resource = json!({ "attributes": [
        text("service.name", &service.name),
        text("service.version", &service.version),
        text("telemetry.sdk.name", "paceline"),
    ] });
    let scope = json!({ "name": "paceline", "version": service.version });
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }] })
        .to_string()
}

fn span(span: &RunSpan) -> Value {
    let link = |(id, step): &(super::ids::SpanId, String)| {
        json!({
            "traceId": span.trace.to_string(),
            "spanId": id.to_string(),
            "attributes": [text("paceline.step", step)],
        })
    };
    let mut json = json!({
        "traceId": span.trace.to_string(),
        "spanId": span.id.to_string(),
        "name": cut(&span.name, LONGEST),
        "kind": INTERNAL,
        "startTimeUnixNano": nanos(span.started),
        "endTimeUnixNano": nanos(span.ended),
        "attributes": attributes(&span.attributes),
        "events": span.events.iter().map(event).collect::<Vec<_>>(),
        "droppedEventsCount": span.dropped_events,
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "droppedLinksCount": span.dropped_links,
        "status": match &span.status {
            SpanStatus::Unset => json!({}),
            SpanStatus::Fine => json!({ "code": OK }),
            SpanStatus::Error(message) => json!({ "code": ERROR, "message": cut(message, LONGEST) }),
        },
    });
    if let Some(parent) = span.parent {
        json["parentSpanId"] = parent.to_string().into();
    }
    json
}

fn event(event: &SpanEvent) -> Value {
    json!({ "timeUnixNano": nanos(event.at), "name": event.name, "attributes": attributes(&event.attributes) })
}

fn attributes(all: &[(&'static str, Attribute)]) -> Vec<Value> {
    let value = |value: &Attribute| match value {
        Attribute::Text(text) => json!({ "stringValue": cut(text, LONGEST) }),
        Attribute::Number(number) => json!({ "intValue": number.to_string() }),
        Attribute::Seconds(seconds) => json!({ "doubleValue": seconds }),
        Attribute::Flag(flag) => json!({ "boolValue": flag }),
    };
    all.iter().map(|(key, it)| json!({ "key": key, "value": value(it) })).collect()
}

fn text(key: &str, text: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": cut(text, LONGEST) } })
}

fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().max(0).to_string()
}

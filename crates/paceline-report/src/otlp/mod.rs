//! The run as an OpenTelemetry trace, in the JSON encoding of OTLP.
//!
//! The run is the root span, and each step that was performed is a span below it. A resumed run continues its trace: the ids
//! come from the id of the run and the ids of its steps. Times are those of the calendar.

mod encode;
mod ids;
mod spans;

use paceline_engine::event::Event;

pub use encode::{Service, request};
pub use spans::{RunSpan, RunSpans};

/// The whole run as the body of one request to `/v1/traces`.
pub fn otlp<'e>(events: impl IntoIterator<Item = &'e Event>, service: &Service) -> String {
    let mut spans = RunSpans::default();
    let mut ended: Vec<RunSpan> = events.into_iter().flat_map(|event| spans.apply(event)).collect();
    ended.extend(spans.left());
    request(&ended, service) + "\n"
}

//! The run as an OpenTelemetry trace, in the JSON encoding of OTLP.
//!
//! The first part of the run is the root span. The later parts of a resumed run, and the steps that were performed, are spans
//! below it. All parts are in one trace: ids are digests of the ids of the run and of its steps. Times are wall-clock times.

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

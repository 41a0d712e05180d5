//! The resources of the stacks, as data for the script of the page.

use std::collections::BTreeMap;

use paceline_text::one_line;
use serde::Serialize;

use super::rows::extent;
use crate::record::{Record, StepRecord};

/// What the script needs to draw the resources of a row. The fields of a struct have an order; those of a JSON value may
/// not, and the same events must give the same bytes.
#[derive(Debug, Default, Serialize)]
pub(super) struct Data {
    /// The start of the chart, in pixels.
    pub(super) left: f64,
    /// Pixels per second.
    pub(super) scale: f64,
    /// The names of the regions, in the order of their numbers.
    pub(super) regions: Vec<String>,
    /// The resources of each row that has some, by the number of the row.
    pub(super) resources: BTreeMap<usize, Vec<Resource>>,
}

/// A logical id, a type, a status, and the start and the end in seconds.
pub(super) type Resource = (String, String, String, f64, f64);

/// The resources of a step. A resource that has not ended has the end of its step.
pub(super) fn of_step(record: &Record, step: &StepRecord) -> Vec<Resource> {
    let end = step.spans.last().map_or(record.elapsed, |span| extent(span, record.elapsed).1);
    let resources = step.resources.iter().map(|resource| {
        let finished = resource.finished.unwrap_or(end).max(resource.started);
        (
            resource.logical_id.clone(),
            resource.resource_type.clone(),
            one_line(resource.status.as_str()),
            tenths(resource.started.as_secs_f64()),
            tenths(finished.as_secs_f64()),
        )
    });
    resources.collect()
}

/// Seconds to a tenth: a pixel is more than that.
fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

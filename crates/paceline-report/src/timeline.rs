//! The timeline of a run as an SVG drawing: a row for each stack, grouped by phase, on the run's own clock.
//!
//! The same drawing is in the HTML page and in `timeline.svg`. The page's script folds and filters its rows; the
//! attributes that start with `data-` are for that script.

mod axis;
mod chart;
mod resources;
mod rows;
mod story;

use std::time::Duration;

use paceline_engine::event::{Outcome, StepKind};

use self::chart::Chart;
use self::rows::rows;
use crate::critical_path::critical_path;
use crate::record::Record;

/// The colours, light and dark.
pub(crate) const PALETTE: &str = include_str!("timeline/palette.css");
/// How the parts of the drawing look.
pub(crate) const STYLE: &str = include_str!("timeline/drawing.css");

/// The height of a row.
const ROW: f64 = 20.0;
/// The height of a bar.
const BAR: f64 = 13.0;
/// The height of a line of packed assets.
const THIN: f64 = 5.0;
/// The space above the rows, for the axis.
const TOP: f64 = 24.0;
/// A bar is at least this wide, so that short steps are visible.
const LEAST: f64 = 1.5;

/// The measures of a drawing, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// The width of the names to the left of the chart.
    pub(crate) labels: f64,
    /// The width of the chart, from the start to the end of the run.
    pub(crate) chart: f64,
    /// The space for the text to the right of a bar that ends last.
    pub(crate) right: f64,
    /// The approximate width of a character.
    pub(crate) character: f64,
}

impl Layout {
    /// For a page as wide as a screen.
    pub(crate) const PAGE: Self = Self { labels: 290.0, chart: 860.0, right: 90.0, character: 6.0 };
    /// For the column of a README, with larger letters.
    pub(crate) const PICTURE: Self = Self { labels: 275.0, chart: 535.0, right: 90.0, character: 6.9 };

    /// The whole width.
    pub(crate) fn width(&self) -> f64 {
        self.labels + self.chart + self.right
    }
}

/// A drawing, without the `svg` element around it.
#[derive(Debug)]
pub(crate) struct Drawing {
    /// The elements.
    pub(crate) elements: String,
    /// The height of the axis and all rows.
    pub(crate) height: f64,
    /// What the page's script needs to show the resources of a row, as JSON.
    pub(crate) data: String,
    /// Whether there are rows in more than one region.
    pub(crate) has_regions: bool,
    /// Whether there are headings of phases.
    pub(crate) has_phases: bool,
}

/// Draws a run. `None` if no step was ever started.
pub(crate) fn draw(record: &Record, layout: Layout) -> Option<Drawing> {
    if record.steps.iter().all(|step| step.spans.is_empty()) {
        return None;
    }
    let links = critical_path(record);
    let scale = layout.chart / record.elapsed.as_secs_f64().max(0.001);
    let mut chart = Chart::new(record, layout, scale, &links);
    // Writing to a string does not fail.
    let _ = chart.write(&rows(record), &links);
    Some(chart.finish())
}

/// An entry of the legend: the class of its sample, and its text.
pub(crate) type Entry = (&'static str, &'static str);

/// The entries of the legend that the drawing of this run needs.
pub(crate) fn legend(record: &Record) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (outcome, word) in [
        (Outcome::Deployed, "deployed"),
        (Outcome::Deleted, "deleted"),
        (Outcome::Unchanged, "unchanged"),
        (Outcome::Prepared, "prepared"),
        (Outcome::Failed, "failed"),
        (Outcome::RolledBack, "rolled back"),
        (Outcome::Interrupted, "interrupted"),
    ] {
        let is_drawn = record.steps.iter().any(|step| {
            let is_by_outcome = !matches!(step.step.kind, StepKind::Publish | StepKind::Gate);
            (is_by_outcome || step.failed()) && step.spans.iter().any(|span| span.outcome == Some(outcome))
        });
        if is_drawn {
            entries.push((outcome.as_str(), word));
        }
    }
    if record.steps.iter().any(|step| step.spans.iter().any(|span| span.finished.is_none())) {
        entries.push(("running", "not ended"));
    }
    for (kind, class, word) in [(StepKind::Publish, "publish", "asset"), (StepKind::Gate, "gate", "gate")] {
        if record.of_kind(kind).any(|step| !step.spans.is_empty()) {
            entries.push((class, word));
        }
    }
    let waits = |waits: fn(&crate::record::Span) -> bool| {
        let own_row = record.steps.iter().filter(|step| step.step.kind != StepKind::Publish);
        own_row.into_iter().any(|step| step.spans.first().is_some_and(waits))
    };
    if waits(|span| span.ready.is_some_and(|ready| ready >= SHORT_WAIT)) {
        entries.push(("needs", "waits for other steps"));
    }
    if record.steps.iter().any(|step| step.step.kind != StepKind::Publish && step.queued() >= SHORT_WAIT) {
        entries.push(("room", "waits for the concurrency limit"));
    }
    if record.steps.iter().any(|step| step.retries.iter().any(|retry| retry.wait >= SHORT_WAIT)) {
        entries.push(("backoff", "waits before it tries again"));
    }
    entries.push(("decided", "decided when the run finished"));
    entries
}

/// Shorter waits are not drawn.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// A length that a layout gives a number of items.
fn times(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

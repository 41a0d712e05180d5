//! Turns the events of a run into reports for people and machines.
//!
//! Every report is a function of the events alone: it reads no clock and calls no service. So each report can be made
//! again from a journal, and the same events give the same bytes. A journal may be incomplete, have several parts, or
//! come from another version, so no report relies on an event being there.
//!
//! During a run, each event is given to the [`Report`]s: [`Console`], [`JsonLines`], [`Outputs`] and [`ReportDir`]. At its
//! end, [`summary`], [`ending`], [`junit`], [`markdown`], [`html`], [`svg`],
//! [`json()`] and [`trace`] are made from the [`Record`] of all events, and [`otlp`] from the events themselves. A [`frame`] is made from the record at any
//! time, which is given to it, and the [`metrics`](metrics()) from the record and from [`Counts`].

use std::io;

use paceline_engine::event::Event;

mod build_phases;
mod comparison;
mod console;
mod console_link;
mod critical_path;
mod directory;
mod ending;
mod figures;
mod forecast_check;
mod gate_times;
mod history;
mod html;
mod json;
mod json_lines;
mod junit;
mod live;
mod markdown;
mod markup;
mod metrics;
mod notice;
mod otlp;
mod outputs;
mod past_runs;
mod prepared;
mod record;
mod summary;
mod svg;
mod timeline;
mod trace;
mod why_waiting;

pub use build_phases::{build_phases, log_line, phase_title};
pub use comparison::{Comparison, PhaseTimes};
pub use console::{Console, ConsoleOptions, Detail};
pub use critical_path::{Link, Shortening, critical_path, what_to_shorten};
pub use directory::ReportDir;
pub use ending::{Kept, cut_short, ending};
pub use history::{HistoryEntries, add_history, read_history};
pub use html::html;
pub use json::{json, json_schema};
pub use json_lines::JsonLines;
pub use junit::{Document, junit};
pub use live::{Focus, Live, Move, Screen, cause_of_stack, frame, state_of_stack};
pub use markdown::markdown;
pub use metrics::{Counts, Metric, MetricKind, Unit, emf, metrics};
pub use notice::{notice_detail, notice_of_end, notice_of_failure, notice_of_start};
pub use otlp::{RunSpan, RunSpans, Service, otlp, request};
pub use outputs::Outputs;
pub use paceline_text::Style;
pub use past_runs::{
    LoneStep, PastRun, RunComparison, StepChange, Usual, comparison_schema, list_json, list_schema, list_text,
};
pub use prepared::{findings, prepared};
pub use record::{
    KeptResources, OngoingOperation, Part, Phase, Record, Resource, ResourceSpan, Retry, Span, Status,
    StepRecord, WentWrong,
};
pub use summary::summary;
pub use svg::svg;
pub use trace::trace;
pub use why_waiting::{UnknownStack, WhyWaiting, why_waiting_schema};

/// A report that is updated with each event of a run.
pub trait Report {
    /// Takes the next event of the run.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Completes the report after the last event.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

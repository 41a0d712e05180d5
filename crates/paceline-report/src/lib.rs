//! Turns the events of a run into reports: what people and machines see of it.
//!
//! Nothing here decides anything, reads a clock or asks anyone: every report is a function of the events
//! alone, so any of them can be made again later from a journal, and the same events give the same bytes.
//! A journal may be cut off, be of several parts, or come from another version, so no report relies on
//! events that ought to be there.
//!
//! While a run goes on, events are given to [`Report`]s: [`Console`], [`JsonLines`], [`Outputs`] and
//! [`ReportDir`]. At its end, [`summary`], [`ending`], [`junit`], [`markdown`]
//! and [`html`] are made from the [`Record`] that the events add up to.

use std::io;

use paceline_engine::event::Event;

mod build;
mod comparison;
mod console;
mod directory;
mod ending;
mod figures;
mod forecast;
mod history;
mod html;
mod json_lines;
mod junit;
mod link;
mod markdown;
mod outputs;
mod path;
mod record;
mod summary;
mod wait;

pub use build::{build_phases, log_line, phase_title};
pub use comparison::{Comparison, PhaseTimes};
pub use console::{Console, ConsoleOptions};
pub use directory::ReportDir;
pub use ending::{Kept, cut_short, ending};
pub use history::{HistoryEntries, add_history, read_history};
pub use html::html;
pub use json_lines::JsonLines;
pub use junit::{Document, junit};
pub use markdown::markdown;
pub use outputs::Outputs;
pub use paceline_text::Style;
pub use path::{Link, Shortening, critical_path, what_to_shorten};
pub use record::{InAws, Part, Phase, Record, Resource, Retry, Span, Status, StepRecord, WentWrong};
pub use summary::summary;

/// Something that is kept up to date while a run goes on.
pub trait Report {
    /// Takes the next event of the run.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// There are no more events.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

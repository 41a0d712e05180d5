//! Several reports at once.

use std::fmt;
use std::io;

use paceline_engine::event::Event;

use crate::Report;

/// Gives each event to several reports, in the order they were added.
///
/// A full disk must not stop a deployment: a report that fails gets no more events, the others go on, and
/// [`finish`](Report::finish) returns the first error.
#[derive(Default)]
pub struct Reports {
    reports: Vec<Box<dyn Report + Send>>,
    first_error: Option<io::Error>,
}

impl Reports {
    /// Adds a report.
    pub fn add(&mut self, report: impl Report + Send + 'static) {
        self.reports.push(Box::new(report));
    }

    fn each(&mut self, mut give: impl FnMut(&mut dyn Report) -> io::Result<()>) {
        let first_error = &mut self.first_error;
        self.reports.retain_mut(|report| match give(report.as_mut()) {
            Ok(()) => true,
            Err(error) => {
                first_error.get_or_insert(error);
                false
            }
        });
    }
}

impl Report for Reports {
    /// Never fails.
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.each(|report| report.event(event));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.each(|report| report.finish());
        self.first_error.take().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports")
            .field("reports", &self.reports.len())
            .field("first_error", &self.first_error)
            .finish()
    }
}

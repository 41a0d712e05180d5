//! What a person sees of a run while it goes on: lines, and on a terminal a live part below them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use paceline_engine::Event;
use paceline_report::{Console, ConsoleOptions, Detail, Record, Report as _, frame};

use crate::terminal::{self, LivePart, Painted};

/// Shows the running steps of a record on a terminal. `at_once` is the most stack operations at a time, if it is known. A
/// simulated run has a clock of its own: the time of its last event.
pub(crate) fn live_part(record: &Arc<Mutex<Record>>, at_once: Option<usize>) -> Option<LivePart> {
    let record = Arc::clone(record);
    terminal::live_part(move |screen| {
        let record = locked(&record);
        let now = record.at.filter(|_| record.simulated).unwrap_or_else(Timestamp::now);
        frame(&record, now, at_once, screen)
    })
}

fn locked(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows what others do: it keeps nothing.
#[derive(Debug)]
pub(crate) struct Display {
    record: Arc<Mutex<Record>>,
    console: Console<Painted>,
    live: Option<LivePart>,
}

impl Display {
    pub(crate) fn open(detail: Detail) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let live = live_part(&record, None);
        let style = terminal::stderr_style();
        let options = ConsoleOptions { style, detail, is_live: live.is_some(), ..Default::default() };
        Self { record, console: Console::new(Painted::default(), options), live }
    }

    /// The record of all events so far.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }

    /// Takes an event of which no line is shown.
    pub(crate) fn replay(&mut self, event: &Event) {
        self.record().apply(event);
        self.console.replay(event);
    }

    /// Shows an event. A terminal that is gone is no error.
    pub(crate) fn event(&mut self, event: &Event) {
        self.record().apply(event);
        let _: io::Result<()> = self.console.event(event);
    }

    /// Erases the live part.
    pub(crate) fn end(&mut self) {
        self.live = None;
    }
}

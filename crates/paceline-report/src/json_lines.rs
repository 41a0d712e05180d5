//! Writes the events for programs: one JSON object per line.

use std::io::{self, Write};

use paceline_engine::event::Event;

use crate::Report;

/// Writes each event as a line of JSON and flushes it. So a program that follows the file sees the event at once, and a
/// killed process leaves only whole lines.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Report for JsonLines<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

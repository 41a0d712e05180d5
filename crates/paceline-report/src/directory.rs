//! `--report DIR`: a folder of reports that is updated during the run, so that a build that is killed leaves them behind.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use paceline_engine::event::{Event, Fact};
use paceline_engine::private;

use crate::comparison::Comparison;
use crate::record::Record;
use crate::{Report, html, json, junit, markdown, svg};

/// The shortest time between two updates, by the run's own clock.
const AT_MOST_EVERY: Duration = Duration::from_secs(15);

/// Keeps `junit.xml`, `summary.md`, `timeline.html`, `timeline.svg` and `report.json` in a folder.
#[derive(Debug)]
pub struct ReportDir {
    dir: PathBuf,
    record: Record,
    comparison: Option<Comparison>,
    written: Option<Duration>,
}

impl ReportDir {
    /// Creates the folder if it is missing, and checks that files can be written there.
    pub fn new(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        private::create_dir(&dir)?;
        for name in ["summary.md", "timeline.html", "timeline.svg", "report.json", "junit.xml"] {
            let path = dir.join(name);
            if path.is_dir() {
                let message = format!("{} is a folder", path.display());
                return Err(io::Error::new(io::ErrorKind::IsADirectory, message));
            }
        }
        let probe = dir.join(".writable");
        private::create(&probe)?;
        fs_err::remove_file(&probe)?;
        Ok(Self { dir, record: Record::default(), comparison: None, written: None })
    }

    /// Takes an event of an earlier part of the run, without writing anything.
    pub fn replay(&mut self, event: &Event) {
        self.record.apply(event);
    }

    /// Adds the other schedules to compare with. Call it before [`finish`](Report::finish).
    pub fn compare(&mut self, comparison: Comparison) {
        self.comparison = Some(comparison);
    }

    /// The record of all events so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    fn write(&mut self) -> io::Result<()> {
        self.written = Some(self.record.elapsed);
        for document in junit(&self.record)? {
            private::replace(&self.dir.join(document.name), document.contents.as_bytes())?;
        }
        let comparison = self.comparison.as_ref();
        private::replace(&self.dir.join("summary.md"), markdown(&self.record, comparison).as_bytes())?;
        private::replace(&self.dir.join("timeline.html"), html(&self.record, comparison).as_bytes())?;
        private::replace(&self.dir.join("timeline.svg"), svg(&self.record).as_bytes())?;
        private::replace(&self.dir.join("report.json"), json(&self.record).as_bytes())
    }
}

impl Report for ReportDir {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.record.apply(event);
        let due = match &event.fact {
            Fact::RunStarted(_) | Fact::RunFinished(_) | Fact::RunStopping { .. } => true,
            Fact::StepFinished(_) => {
                self.written.is_none_or(|last| self.record.elapsed.saturating_sub(last) >= AT_MOST_EVERY)
            }
            _ => false,
        };
        if due { self.write() } else { Ok(()) }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()
    }
}

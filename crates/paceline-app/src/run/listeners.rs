//! Who hears of a run's events: the journal first, then the reports.
//!
//! The run relies on its journal, and ends when that cannot be written. It relies on no report: one that cannot be
//! written is told of once and given up, and how the run ends stays as it is.

use std::io::{self, BufWriter, Stderr, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use fs_err::File;
use paceline_engine::{Event, Journal, private, schedule};
use paceline_plan::Plan;
use paceline_report::{
    Comparison, Console, ConsoleOptions, HistoryEntries, JsonLines, Kept as KeptFiles, Outputs, PhaseTimes,
    Record, Report, ReportDir, Status, cut_short, ending, summary,
};

use super::history;
use crate::failure::Failure;
use crate::settings::RunSettings;
use crate::{interrupt, terminal};

/// Who hears of a run's events.
pub(super) struct Listeners {
    journal: Option<Journal>,
    console: Kept<Console<Stderr>>,
    events: Kept<JsonLines<BufWriter<File>>>,
    outputs: Kept<Outputs>,
    folder: Kept<ReportDir>,
    /// Also read where the process is ended at once.
    record: Arc<Mutex<Record>>,
    history: HistoryEntries,
    quiet: bool,
    /// Whether it was said how the run ended.
    ended: Arc<AtomicBool>,
}

/// A report as long as it can be written.
struct Kept<R> {
    report: Option<R>,
    /// What it is, for the warning that it is written no more.
    name: String,
    path: Option<String>,
}

impl<R: Report> Kept<R> {
    fn new(report: Option<R>, what: &str, path: Option<&Utf8Path>) -> Self {
        let name = path.map_or_else(|| what.to_owned(), |path| format!("{what} {path}"));
        Self { report, name, path: path.map(Utf8Path::to_string) }
    }

    fn give(&mut self, give: impl FnOnce(&mut R) -> io::Result<()>) {
        if let Some(Err(error)) = self.report.as_mut().map(give) {
            self.report = None;
            let name = &self.name;
            terminal::warn(&format!("{name} cannot be written, and is given up: {error}"));
        }
    }
}

/// What the arguments ask to be written.
struct Opened {
    events: Option<File>,
    folder: Option<ReportDir>,
    written: Option<Outputs>,
}

impl Opened {
    fn of(settings: &RunSettings, outputs: Option<&Utf8Path>, earlier: &[Event]) -> Result<Self, Failure> {
        Ok(Self {
            events: open("--events", settings.events.as_deref(), |path| events_file(path, earlier))?,
            folder: open("--report", settings.report.as_deref(), |path| ReportDir::new(path))?,
            written: open("--outputs", outputs, |path| Outputs::new(path, earlier))?,
        })
    }
}

impl Listeners {
    /// Opens what the arguments ask for; `earlier` are the events of an interrupted part of the run.
    pub(super) fn open(
        settings: &RunSettings,
        outputs: Option<&Utf8Path>,
        journal: Option<Journal>,
        earlier: &[Event],
    ) -> Result<Self, Failure> {
        let options = ConsoleOptions {
            style: terminal::stderr_style(),
            quiet: settings.quiet,
            signals_are_told: true,
            ..Default::default()
        };
        let mut console = Console::new(io::stderr(), options);
        let opened = Opened::of(settings, outputs, earlier);
        let Opened { events, mut folder, written } = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                if let Some(journal) = journal {
                    journal.discard_if_empty();
                }
                return Err(failure);
            }
        };
        let (mut record, mut history) = (Record::default(), HistoryEntries::default());
        for event in earlier {
            console.replay(event);
            record.apply(event);
            history.apply(event);
            if let Some(folder) = &mut folder {
                folder.replay(event);
            }
        }
        let events = events.map(|file| JsonLines::new(BufWriter::new(file)));
        let (record, ended) = (Arc::new(Mutex::new(record)), Arc::new(AtomicBool::new(false)));
        if let Some(journal) = &journal {
            let (record, journal) = (Arc::clone(&record), Some(journal.path.to_string()));
            let kept = KeptFiles { reports: None, journal };
            let ended = Arc::clone(&ended);
            interrupt::left_behind(move || {
                if ended.load(Ordering::Relaxed) {
                    return String::new();
                }
                // Held for the moment of one event.
                let record = record.lock().unwrap_or_else(PoisonError::into_inner);
                cut_short(&record, &kept, terminal::stderr_style())
            });
        }
        Ok(Self {
            journal,
            console: Kept::new(Some(console), "what is said here", None),
            events: Kept::new(events, "the file of events", settings.events.as_deref()),
            outputs: Kept::new(written, "the file of outputs", outputs),
            folder: Kept::new(folder, "the folder of reports", settings.report.as_deref()),
            record,
            history,
            quiet: settings.quiet,
            ended,
        })
    }

    /// Tells everyone. Only the journal may stop the run: it is what a later part of the run relies on.
    pub(super) fn event(&mut self, event: &Event) -> io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.append(event)?;
        }
        self.record.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
        self.history.apply(event);
        self.console.give(|report| report.event(event));
        self.events.give(|report| report.event(event));
        self.outputs.give(|report| report.event(event));
        self.folder.give(|report| report.event(event));
        Ok(())
    }

    /// The run did not start: nothing is left of it.
    pub(super) fn discard(self) {
        if let Some(journal) = self.journal {
            journal.discard_if_empty();
        }
    }

    /// Finishes the reports and says the summary. `phased` is the plan with every phase a barrier.
    pub(super) fn finish(mut self, phased: Option<&Plan>) -> Record {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let comparison = phased.and_then(|phased| compare(&record, phased));
        if let (Some(folder), Some(comparison)) = (&mut self.folder.report, &comparison) {
            folder.compare(comparison.clone());
        }
        self.console.give(Report::finish);
        self.events.give(Report::finish);
        self.outputs.give(Report::finish);
        self.folder.give(Report::finish);
        let style = terminal::stderr_style();
        let mut said = String::new();
        if !self.quiet {
            said += &summary(&record, comparison.as_ref(), style);
        }
        if !self.quiet || record.status() != Status::Done {
            said += &ending(&record, &self.kept(), style);
        }
        if !said.is_empty() {
            terminal::say_painted(said.trim_end());
        }
        self.ended.store(true, Ordering::Relaxed);
        history::add(self.history.entries());
        record
    }
}

impl Listeners {
    /// Where a person reads more of the run.
    fn kept(&self) -> KeptFiles {
        let reports = self.folder.report.as_ref().and_then(|_| self.folder.path.clone());
        KeptFiles { reports, journal: self.journal.as_ref().map(|journal| journal.path.to_string()) }
    }
}

/// The file of events, with those of an interrupted part of the run in it: it holds every event of the run, and
/// nothing that a run before it has left.
fn events_file(path: &Path, earlier: &[Event]) -> io::Result<File> {
    let mut lines = Vec::new();
    for event in earlier {
        serde_json::to_writer(&mut lines, event)?;
        lines.push(b'\n');
    }
    let is_file = path.metadata().map_or(true, |metadata| metadata.is_file());
    if is_file && !lines.is_empty() {
        // At once, so that a kill in between leaves what was there.
        private::replace(path, &lines)?;
        return private::options().append(true).open(path);
    }
    let mut file = private::create(path)?;
    file.write_all(&lines)?;
    Ok(file)
}

/// The same stacks with the durations they had, one after another and with phases as barriers.
fn compare(record: &Record, phased: &Plan) -> Option<Comparison> {
    let measured = |step: &paceline_plan::Step| {
        record.step(&step.id).map_or(step.expected, paceline_report::StepRecord::duration)
    };
    let phased = phased.clone().with_durations(measured);
    let schedule = schedule(&phased).ok()?;
    let span = |id: &str| {
        let index = phased.steps.iter().position(|step| step.id == id)?;
        Some(schedule.steps[index])
    };
    Some(Comparison {
        sequential: PhaseTimes::one_after_another(record),
        phased: PhaseTimes::scheduled(record, schedule.total, span),
    })
}

fn open<T>(
    option: &str,
    path: Option<&Utf8Path>,
    open: impl FnOnce(&std::path::Path) -> io::Result<T>,
) -> Result<Option<T>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
    let made = parent.map_or(Ok(()), fs_err::create_dir_all);
    made.and_then(|()| open(path.as_std_path())).map(Some).map_err(|error| {
        let message = format!("cannot write {option} {path}: {error}");
        Failure::usage(message, format!("give {option} a path that can be written"))
    })
}

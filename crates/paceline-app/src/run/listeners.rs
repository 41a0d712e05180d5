//! The receivers of a run's events: the journal first, then the reports.
//!
//! If the journal cannot be written, the run ends, since only the journal allows to continue it. If a report cannot be
//! written, a warning says so once, the report ends there, and the run continues.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use fs_err::File;
use paceline_engine::{Event, Journal, private, schedule};
use paceline_plan::Plan;
use paceline_report::{
    Comparison, Console, ConsoleOptions, Counts, Detail, HistoryEntries, JsonLines, Kept as KeptFiles,
    Outputs, PhaseTimes, Record, Report, ReportDir, Status, cut_short, ending, summary,
};

use super::history;
use crate::display::live_part;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Format, RunSettings};
use crate::terminal::{self, LivePart};

/// The journal and the reports of one run.
pub(super) struct Listeners {
    journal: Option<Journal>,
    console: OpenReport<Console<terminal::Painted>>,
    /// The running steps below the console's lines, on a terminal.
    live: Option<LivePart>,
    /// The events on stdout.
    stdout: OpenReport<JsonLines<terminal::Data>>,
    events: OpenReport<JsonLines<BufWriter<File>>>,
    outputs: OpenReport<Outputs>,
    folder: OpenReport<ReportDir>,
    /// Shared with the message that is written if the process ends before the run.
    record: Arc<Mutex<Record>>,
    history: HistoryEntries,
    counts: Counts,
    quiet: bool,
    /// Whether the end of the run is on the console.
    ended: Arc<AtomicBool>,
}

/// A report, until it cannot be written any more.
struct OpenReport<R> {
    report: Option<R>,
    /// The name of the report, for the warning about it.
    name: String,
    path: Option<String>,
}

impl<R: Report> OpenReport<R> {
    fn new(report: Option<R>, what: &str, path: Option<&Utf8Path>) -> Self {
        let name = path.map_or_else(|| what.to_owned(), |path| format!("{what} {path}"));
        Self { report, name, path: path.map(Utf8Path::to_string) }
    }

    fn give(&mut self, give: impl FnOnce(&mut R) -> io::Result<()>) {
        if let Some(Err(error)) = self.report.as_mut().map(give) {
            self.report = None;
            let name = &self.name;
            terminal::warn(&format!("{name} cannot be written any more, and stays incomplete: {error}"));
        }
    }
}

/// The files that the arguments ask for, opened.
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
    /// Opens the reports that the arguments ask for. `earlier` has the events of the run before its interruption.
    pub(super) fn open(
        settings: &RunSettings,
        outputs: Option<&Utf8Path>,
        plan: &Plan,
        journal: Option<Journal>,
        earlier: &[Event],
    ) -> Result<Self, Failure> {
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
        let (record, ended) = (Arc::new(Mutex::new(Record::of(earlier))), Arc::new(AtomicBool::new(false)));
        let live = live_part(&record, Some(plan.concurrency.stacks.get()));
        let detail = match (settings.quiet, settings.verbose) {
            (true, _) => Detail::Problems,
            (false, true) => Detail::Resources,
            (false, false) => Detail::Steps,
        };
        let options = terminal::console_options(detail, live.is_some());
        let options = ConsoleOptions { signals_are_announced: true, ..options };
        let mut console = Console::new(terminal::Painted::default(), options);
        let wants_json = settings.format == Format::Json;
        let mut stdout = wants_json.then(|| JsonLines::new(terminal::Data::default()));
        let (mut history, mut counts) = (HistoryEntries::default(), Counts::default());
        for event in earlier {
            console.replay(event);
            if let Some(stdout) = &mut stdout {
                // What cannot be printed is an error of the command.
                let _ = stdout.event(event);
            }
            history.apply(event);
            counts.apply(event);
            if let Some(folder) = &mut folder {
                folder.replay(event);
            }
        }
        let events = events.map(|file| JsonLines::new(BufWriter::new(file)));
        if let Some(journal) = &journal {
            let (record, journal) = (Arc::clone(&record), Some(journal.path.to_string()));
            let kept = KeptFiles { reports: None, journal };
            let ended = Arc::clone(&ended);
            interrupt::left_behind(move || {
                if ended.load(Ordering::Relaxed) {
                    return String::new();
                }
                // The lock is held for one event only.
                let record = record.lock().unwrap_or_else(PoisonError::into_inner);
                cut_short(&record, &kept, terminal::stderr_style())
            });
        }
        Ok(Self {
            journal,
            console: OpenReport::new(Some(console), "the console", None),
            live,
            stdout: OpenReport::new(stdout, "stdout", None),
            events: OpenReport::new(events, "the file of events", settings.events.as_deref()),
            outputs: OpenReport::new(written, "the file of outputs", outputs),
            folder: OpenReport::new(folder, "the folder of reports", settings.report.as_deref()),
            record,
            history,
            counts,
            quiet: settings.quiet,
            ended,
        })
    }

    /// Writes an event to the journal and to every report. Only an error of the journal stops the run.
    pub(super) fn event(&mut self, event: &Event) -> io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.append(event)?;
        }
        self.record.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
        self.history.apply(event);
        self.counts.apply(event);
        self.console.give(|report| report.event(event));
        self.stdout.give(|report| report.event(event));
        self.events.give(|report| report.event(event));
        self.outputs.give(|report| report.event(event));
        self.folder.give(|report| report.event(event));
        Ok(())
    }

    /// The record of the run so far, and what was counted in this process.
    pub(super) fn figures(&self) -> (Record, Counts) {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (record, self.counts.clone())
    }

    /// The durations of the run so far, as lines of a history.
    pub(super) fn history(&self) -> String {
        self.history.entries().iter().map(|entry| entry.line() + "\n").collect()
    }

    /// Removes the journal of a run that did not start.
    pub(super) fn discard(self) {
        if let Some(journal) = self.journal {
            journal.discard_if_empty();
        }
    }

    /// Finishes the reports and writes the summary. `phased` is the plan with every phase as a barrier.
    pub(super) fn finish(mut self, phased: Option<&Plan>) -> Record {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let comparison = phased.and_then(|phased| compare(&record, phased));
        if let (Some(folder), Some(comparison)) = (&mut self.folder.report, &comparison) {
            folder.compare(comparison.clone());
        }
        self.live = None;
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
    /// The files in which a person can read more about the run.
    fn kept(&self) -> KeptFiles {
        let reports = self.folder.report.as_ref().and_then(|_| self.folder.path.clone());
        KeptFiles { reports, journal: self.journal.as_ref().map(|journal| journal.path.to_string()) }
    }
}

/// Opens the file of events and writes the events before an interruption to it. So the file has every event of this run,
/// and no event of another run.
fn events_file(path: &Path, earlier: &[Event]) -> io::Result<File> {
    let mut lines = Vec::new();
    for event in earlier {
        serde_json::to_writer(&mut lines, event)?;
        lines.push(b'\n');
    }
    let is_file = path.metadata().map_or(true, |metadata| metadata.is_file());
    if is_file && !lines.is_empty() {
        // Replaced in one step: if the process is killed, the old file is still complete.
        private::replace(path, &lines)?;
        return private::options().append(true).open(path);
    }
    let mut file = private::create(path)?;
    file.write_all(&lines)?;
    Ok(file)
}

/// Compares the run with two other orders of the same stacks and durations: one after another, and phases as barriers.
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

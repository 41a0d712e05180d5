//! Who hears of a run's events: the journal first, then the reports.

use std::fs::File;
use std::io::{self, BufWriter, Stderr};

use camino::Utf8Path;
use paceline_engine::{Event, Journal, schedule};
use paceline_plan::Plan;
use paceline_report::{
    Comparison, Console, ConsoleOptions, HistoryEntries, JsonLines, Outputs, PhaseTimes, Record, Report,
    ReportDir, summary,
};

use crate::cli::RunArgs;
use crate::failure::Failure;
use crate::{history, terminal};

/// Who hears of a run's events.
pub(crate) struct Listeners {
    journal: Option<Journal>,
    console: Console<Stderr>,
    events: Option<JsonLines<BufWriter<File>>>,
    outputs: Option<Outputs>,
    folder: Option<ReportDir>,
    record: Record,
    history: HistoryEntries,
    /// Each report that could not be written, once.
    troubles: Vec<String>,
}

impl Listeners {
    /// Opens what the arguments ask for; `earlier` are the events of an interrupted part of the run.
    pub(crate) fn open(
        args: &RunArgs,
        outputs: Option<&Utf8Path>,
        journal: Option<Journal>,
        earlier: &[Event],
    ) -> Result<Self, Failure> {
        let options =
            ConsoleOptions { style: terminal::stderr_style(), quiet: args.quiet, ..Default::default() };
        let mut listeners = Self {
            journal,
            console: Console::new(io::stderr(), options),
            events: open(args.events.as_deref(), |path| File::create(path))?
                .map(|file| JsonLines::new(BufWriter::new(file))),
            outputs: open(outputs, |path| Outputs::new(path))?,
            folder: open(args.report.as_deref(), |path| ReportDir::new(path))?,
            record: Record::default(),
            history: HistoryEntries::default(),
            troubles: Vec::new(),
        };
        for event in earlier {
            listeners.console.replay(event);
            listeners.record.apply(event);
            listeners.history.apply(event);
            if let Some(folder) = &mut listeners.folder {
                folder.replay(event);
            }
            if let Some(outputs) = &mut listeners.outputs {
                listeners.troubles.extend(outputs.event(event).err().map(|error| error.to_string()));
            }
        }
        Ok(listeners)
    }

    /// Tells everyone. Only the journal may stop the run: it is what a later part of the run relies on.
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.append(event)?;
        }
        self.record.apply(event);
        self.history.apply(event);
        let told = [
            Some(self.console.event(event)),
            self.events.as_mut().map(|report| report.event(event)),
            self.outputs.as_mut().map(|report| report.event(event)),
            self.folder.as_mut().map(|report| report.event(event)),
        ];
        for error in told.into_iter().flatten().filter_map(Result::err) {
            let error = error.to_string();
            if !self.troubles.contains(&error) {
                terminal::say(&format!("warning: a report cannot be written: {error}"));
                self.troubles.push(error);
            }
        }
        Ok(())
    }

    /// The run did not start: nothing is left of it.
    pub(crate) fn discard(self) {
        if let Some(journal) = self.journal {
            journal.discard_if_empty();
        }
    }

    /// Finishes the reports and says the summary. `phased` is the plan with every phase a barrier.
    pub(crate) fn finish(mut self, phased: Option<&Plan>) -> Result<Record, Failure> {
        let comparison = phased.and_then(|phased| compare(&self.record, phased));
        if let (Some(folder), Some(comparison)) = (&mut self.folder, &comparison) {
            folder.compare(comparison.clone());
        }
        let finished = [
            Some(self.console.finish()),
            self.events.as_mut().map(Report::finish),
            self.outputs.as_mut().map(Report::finish),
            self.folder.as_mut().map(Report::finish),
        ];
        terminal::say(&summary(&self.record, comparison.as_ref(), terminal::stderr_style()));
        history::add(self.history.entries());
        let error = finished.into_iter().flatten().filter_map(Result::err).map(|error| error.to_string());
        match self.troubles.into_iter().chain(error).next() {
            None => Ok(self.record),
            Some(error) => Err(Failure::usage(
                format!("a report could not be written: {error}"),
                "the run itself has ended as said above; `paceline report` makes reports from its journal",
            )),
        }
    }
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
    path: Option<&Utf8Path>,
    open: impl FnOnce(&std::path::Path) -> io::Result<T>,
) -> Result<Option<T>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
    let made = parent.map_or(Ok(()), fs_err::create_dir_all);
    made.and_then(|()| open(path.as_std_path())).map(Some).map_err(|error| {
        Failure::usage(format!("cannot write {path}: {error}"), "give a path that can be written")
    })
}

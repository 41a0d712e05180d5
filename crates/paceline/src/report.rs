//! `paceline report`: makes a report from the events of an earlier run.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_app::{Failure, RUNS, terminal};
use paceline_engine::{ExitCode, read_events};
use paceline_report::{HistoryEntries, Kept, Record, ending, html, junit, markdown, summary};

use crate::cli::{ReportArgs, ReportFormat};

pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let file = Utf8PathBuf::from(&args.run);
    let journal = Utf8Path::new(RUNS).join(&args.run).join("journal.jsonl");
    let path = [file, journal].into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Failure::usage(
            format!("there is no run and no file called {}", args.run),
            format!("the runs of this folder are in {RUNS}"),
        )
    })?;
    let events = read_events(&path)?;
    let record = Record::of(&events);
    terminal::data(&match args.format {
        ReportFormat::Summary => {
            let style = terminal::stdout_style();
            terminal::print(&summary(&record, None, style));
            terminal::print(&ending(&record, &Kept::default(), style));
            return Ok(ExitCode::Done);
        }
        ReportFormat::Markdown => markdown(&record, None),
        ReportFormat::Html => html(&record, None),
        ReportFormat::History => {
            let mut entries = HistoryEntries::default();
            for event in &events {
                entries.apply(event);
            }
            entries.entries().iter().map(|entry| entry.line() + "\n").collect()
        }
        ReportFormat::Junit => {
            let documents = junit(&record);
            let documents = documents.map_err(|error| {
                Failure::usage(format!("the report cannot be made: {error}"), "the events may be damaged")
            })?;
            documents.into_iter().map(|document| document.contents).collect()
        }
    });
    Ok(ExitCode::Done)
}

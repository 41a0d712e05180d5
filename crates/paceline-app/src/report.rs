//! `paceline report`: makes a report from the events of an earlier run.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use paceline_engine::{Event, ExitCode, journal_path, private, read_events, runs_in};
use paceline_report::{
    HistoryEntries, Kept, Record, Service, Style, ending, html, json, junit, markdown, otlp, summary, svg,
    trace,
};

use crate::failure::Failure;
use crate::run::{CopiedJournal, RUNS};
use crate::settings::{AppPaths, LAST};
use crate::{interrupt, terminal};

/// The arguments of `paceline report`.
#[derive(Debug, Args)]
pub struct ReportSettings {
    /// The name of a run, `last` for the newest one, or a file of events
    run: String,
    /// The kind of report
    #[arg(long, value_enum, default_value = "summary")]
    format: ReportFormat,
    /// Write the report to this file, and replace the file if it exists
    #[arg(long, value_name = "FILE")]
    out: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// As at the end of a run
    Summary,
    /// For a pull request or a chat
    Markdown,
    /// The timeline as a page
    Html,
    /// The timeline as a picture
    Svg,
    /// For the reports of CodeBuild
    Junit,
    /// For programs; `paceline schema report` prints its schema
    Json,
    /// For Perfetto, and the trace viewer of Chrome
    Trace,
    /// An OpenTelemetry trace, as OTLP in JSON
    Otlp,
    /// The run's lines for .paceline/history.jsonl
    History,
}

/// Makes a report of an earlier run: prints it, or writes it to files.
pub fn report(settings: &ReportSettings) -> Result<ExitCode, Failure> {
    let events = events(&settings.run)?;
    let record = Record::of(&events);
    if settings.format == ReportFormat::Summary && settings.out.is_none() {
        terminal::print(&text(&record, terminal::stdout_style()));
        return Ok(ExitCode::Done);
    }
    let documents = documents(settings.format, &events, &record)?;
    match (&settings.out, &documents[..]) {
        (Some(out), _) => write(out, &documents)?,
        (None, [document]) => terminal::data(document),
        (None, documents) => {
            return Err(Failure::usage(
                format!(
                    "this report needs {} files, because CodeBuild limits the test cases in a file",
                    documents.len()
                ),
                "write them with: --out junit.xml",
            ));
        }
    }
    Ok(ExitCode::Done)
}

/// The events of a run, or those of a file.
pub(crate) fn events(run: &str) -> Result<Vec<Event>, Failure> {
    let runs = Utf8Path::new(RUNS);
    let newest = if run == LAST { runs_in(runs)?.into_iter().next() } else { None };
    let name = newest.as_deref().unwrap_or(run);
    let journal = journal_path(runs, name);
    let candidates = if run == LAST { vec![journal] } else { vec![Utf8PathBuf::from(name), journal] };
    if let Some(file) = candidates.into_iter().find(|path| path.is_file()) {
        return Ok(read_events(&file)?);
    }
    let copied = async {
        let found = Box::pin(CopiedJournal::find(name, &AppPaths::default())).await?;
        match found {
            Some(mut found) => found.events().await.map(Some),
            None => Ok(None),
        }
    };
    if let Some(events) = interrupt::until_stopped("the staging bucket was being read", copied)?? {
        return Ok(events);
    }
    Err(if run == LAST {
        Failure::usage(
            "there is no run in this folder yet",
            "`paceline deploy` starts one; a simulated run leaves no journal, but --events FILE writes its events",
        )
    } else {
        Failure::usage(
            format!("there is no run and no file called {name}"),
            format!("the runs of this folder are in {RUNS}; `paceline report last` reports the newest one"),
        )
    })
}

/// Writes the documents to files: one to `out`, several to files with a number before the extension.
fn write(out: &Utf8Path, documents: &[String]) -> Result<(), Failure> {
    let (stem, extension) = (out.file_stem().unwrap_or("report"), out.extension().unwrap_or("xml"));
    for (number, contents) in (1..).zip(documents) {
        let path = match documents.len() {
            1 => out.to_owned(),
            _ => out.with_file_name(format!("{stem}-{number}.{extension}")),
        };
        private::replace(path.as_std_path(), contents.as_bytes()).map_err(|error| {
            Failure::usage(
                format!("cannot write {path}: {error}"),
                "name a file in a folder that can be written to",
            )
        })?;
        terminal::say(&format!("{path} is written"));
    }
    Ok(())
}

/// The documents of a report: one, except for JUnit.
fn documents(format: ReportFormat, events: &[Event], record: &Record) -> Result<Vec<String>, Failure> {
    let text = match format {
        ReportFormat::Summary => text(record, Style::default()),
        ReportFormat::Markdown => markdown(record, None),
        ReportFormat::Html => html(record, None),
        ReportFormat::Svg => svg(record),
        ReportFormat::Json => json(record),
        ReportFormat::Trace => trace(record),
        ReportFormat::Otlp => otlp(events, &service()),
        ReportFormat::History => {
            let mut entries = HistoryEntries::default();
            for event in events {
                entries.apply(event);
            }
            entries.entries().iter().map(|entry| entry.line() + "\n").collect()
        }
        ReportFormat::Junit => {
            let documents = junit(record).map_err(|error| {
                Failure::usage(format!("the report cannot be made: {error}"), "the events may be damaged")
            })?;
            return Ok(documents.into_iter().map(|document| document.contents).collect());
        }
    };
    Ok(vec![text])
}

/// The service of a trace that is made later: the name that the environment gives, or that of the program.
fn service() -> Service {
    let name = std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or_else(|| "paceline".to_owned());
    Service { name, version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn text(record: &Record, style: Style) -> String {
    summary(record, None, style) + &ending(record, &Kept::default(), style)
}

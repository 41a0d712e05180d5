//! `paceline report`: makes a report from the events of an earlier run.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_app::{Failure, RUNS, terminal};
use paceline_engine::{Event, ExitCode, private, read_events, runs_in};
use paceline_report::{
    HistoryEntries, Kept, Record, Style, ending, html, json, junit, markdown, summary, svg, trace,
};

use crate::cli::{ReportArgs, ReportFormat};

/// The name that stands for the run that was started last.
const LAST: &str = "last";

pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let events = read_events(&events_file(&args.run)?)?;
    let record = Record::of(&events);
    if args.format == ReportFormat::Summary && args.out.is_none() {
        terminal::print(&text(&record, terminal::stdout_style()));
        return Ok(ExitCode::Done);
    }
    let documents = report(args.format, &events, &record)?;
    match (&args.out, &documents[..]) {
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

/// The file with the events of a run.
fn events_file(run: &str) -> Result<Utf8PathBuf, Failure> {
    let runs = Utf8Path::new(RUNS);
    let name = match run {
        LAST => runs_in(runs)?.into_iter().next(),
        run => Some(run.to_owned()),
    };
    let Some(name) = name else {
        return Err(Failure::usage(
            "there is no run in this folder yet",
            "`paceline deploy` starts one; a simulated run leaves no journal, but --events FILE writes its events",
        ));
    };
    let file = Utf8PathBuf::from(&name);
    let journal = runs.join(&name).join("journal.jsonl");
    let candidates = if run == LAST { vec![journal] } else { vec![file, journal] };
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
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
fn report(format: ReportFormat, events: &[Event], record: &Record) -> Result<Vec<String>, Failure> {
    let text = match format {
        ReportFormat::Summary => text(record, Style::default()),
        ReportFormat::Markdown => markdown(record, None),
        ReportFormat::Html => html(record, None),
        ReportFormat::Svg => svg(record),
        ReportFormat::Json => json(record),
        ReportFormat::Trace => trace(record),
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

fn text(record: &Record, style: Style) -> String {
    summary(record, None, style) + &ending(record, &Kept::default(), style)
}

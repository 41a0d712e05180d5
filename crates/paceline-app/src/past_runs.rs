//! `paceline history`: lists the earlier runs of this folder, or compares two of them.

use camino::Utf8Path;
use clap::{Args, Subcommand};
use paceline_engine::{ExitCode, journal_path, read_events, runs_in};
use paceline_plan::history::History;
use paceline_report::{PastRun, RunComparison, Status, list_json, list_text};
use paceline_text::{Explained as _, near};

use crate::app::configured;
use crate::failure::Failure;
use crate::run::{RUNS, history};
use crate::settings::{AppPaths, Format};
use crate::terminal;

/// The arguments of `paceline history`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistorySettings {
    #[command(subcommand)]
    command: Option<HistoryCommand>,
    /// How many runs to list
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Show which steps of a run took longer or shorter than in another run, and than usual
    Compare {
        /// A run: its name, the start of its name, `last`, or `previous` (the run before it that did the same)
        #[arg(default_value = "previous")]
        first: String,
        /// The run to compare with it
        #[arg(default_value = "last")]
        second: String,
        /// The output format
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// Lists the earlier runs, or compares two of them.
pub fn past_runs(settings: &HistorySettings) -> Result<ExitCode, Failure> {
    // In a folder without an app, there is only the history of this folder.
    let paths = AppPaths::default();
    let history = match configured(&paths).and_then(|configured| configured.app(&paths)) {
        Ok(app) => history::of(&app),
        Err(_) => history::read(),
    };
    let runs = known_runs(&history)?;
    match &settings.command {
        None => list(&runs, settings),
        Some(HistoryCommand::Compare { first, second, format }) => {
            let (first, second) = (named(&runs, first)?, named(&runs, second)?);
            let (first, second) = if first.at > second.at { (second, first) } else { (first, second) };
            let comparison = RunComparison::of(first, second, &history);
            format.print(|| Ok(comparison.text(terminal::stdout_style())), || Ok(comparison.json()))?;
        }
    }
    Ok(ExitCode::Done)
}

fn list(runs: &[PastRun], settings: &HistorySettings) {
    let shown = &runs[..runs.len().min(settings.limit)];
    if settings.format == Format::Json {
        return terminal::data(&list_json(shown));
    }
    if runs.is_empty() {
        return terminal::say("no runs yet: `paceline deploy` keeps its runs in this folder");
    }
    terminal::print(&list_text(shown, terminal::stdout_style()));
    if let Some(more @ 1..) = runs.len().checked_sub(shown.len()) {
        terminal::say(&format!("{more} more; --limit N lists more"));
    }
}

/// The runs of this folder's journals and of its history, the newest first.
fn known_runs(history: &History) -> Result<Vec<PastRun>, Failure> {
    let folder = Utf8Path::new(RUNS);
    let mut runs = Vec::new();
    for run in runs_in(folder)? {
        match read_events(&journal_path(folder, &run)) {
            Ok(events) => runs.extend(PastRun::of(&events)),
            Err(error) => terminal::warn(&format!("the run {run} is left out: {}", error.what())),
        }
    }
    let shared = PastRun::of_history(history).into_iter();
    let shared: Vec<PastRun> =
        shared.filter(|shared| !runs.iter().any(|run| run.run == shared.run)).collect();
    runs.extend(shared);
    // The sort is stable: runs that started in the same moment stay in the order of their starts.
    runs.sort_by_key(|run| std::cmp::Reverse(run.at));
    Ok(runs)
}

/// The run with this name, or with a name that starts like this. `last` is the newest run that succeeded. `previous` is
/// the run before it that did the same to the same app.
fn named<'a>(runs: &'a [PastRun], name: &str) -> Result<&'a PastRun, Failure> {
    let mut measured = runs.iter().filter(|run| !run.simulated && run.status == Some(Status::Done));
    let found = match name {
        "last" => measured.next(),
        "previous" => {
            let work = |run: &PastRun| (run.deletes, run.undoes.is_some(), run.app.clone());
            measured.next().and_then(|last| measured.find(|run| work(run) == work(last)))
        }
        name => {
            let exact = runs.iter().find(|run| run.run == name);
            let mut starting = runs.iter().filter(|run| !name.is_empty() && run.run.starts_with(name));
            exact.or_else(|| starting.next().filter(|_| starting.next().is_none()))
        }
    };
    found.ok_or_else(|| match name {
        "last" | "previous" => Failure::usage(
            format!(
                "there is no {name} run: only runs count that succeeded, were not simulated, and did the same to one app"
            ),
            "`paceline history` lists the runs of this folder",
        ),
        name => {
            let close = near(name, runs.iter().map(|run| run.run.as_str()));
            let meant = close.map(|close| format!("did you mean {close}? ")).unwrap_or_default();
            let several = runs.iter().filter(|run| run.run.starts_with(name)).count();
            let what = match several {
                2.. => format!("{several} runs have names that start with {name}"),
                _ => format!("there is no run {name}"),
            };
            Failure::usage(what, format!("{meant}`paceline history` lists the runs of this folder"))
        }
    })
}

//! Watches stacks or a run, whoever deploys: it changes nothing.

mod events;
mod run;
mod stacks;

use camino::Utf8Path;
use clap::Args;
use paceline_engine::{ExitCode, journal_path, runs_in};
use paceline_report::Detail;

use crate::failure::Failure;
use crate::interrupt;
use crate::run::RUNS;
use crate::settings::{AppPaths, Format, LAST, is_name_of_run};
use crate::terminal::{Key, Keys};

/// The arguments of `paceline watch`.
#[derive(Debug, Clone, Default, Args)]
pub struct WatchSettings {
    /// Stacks: names, or patterns with * and ?; or one run by its name, `last` for the newest [default: the
    /// stacks of the app]
    #[arg(value_name = "NAME|GLOB|RUN")]
    pub targets: Vec<String>,
    /// The regions of the stacks [default: that of the environment or the profile]; with --app, only its stacks in these regions
    #[arg(long, value_name = "REGION")]
    pub region: Vec<String>,
    #[command(flatten)]
    pub paths: AppPaths,
    /// End when no stack has had an operation in progress for 30 seconds, and every named stack is there [default: watch a
    /// run to its end, and stacks until interrupted]
    #[arg(long)]
    pub until_settled: bool,
    /// Show each change of a resource as a line
    #[arg(long, short)]
    pub verbose: bool,
    /// What is written to stdout: nothing, or what happens as a line of JSON each, like the events of a run
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Use no colours, like the variable `NO_COLOR`
    #[arg(long)]
    pub no_color: bool,
}

impl WatchSettings {
    fn detail(&self) -> Detail {
        if self.verbose { Detail::Resources } else { Detail::Steps }
    }
}

/// Watches stacks or a run. The exit code says how they ended.
pub fn watch(args: &WatchSettings) -> Result<ExitCode, Failure> {
    interrupt::effect("Nothing was changed: what goes on in AWS continues.");
    match run_of(&args.targets)? {
        Some(run) => run::watch(&run, args),
        None => stacks::watch(args),
    }
}

/// Waits for the next key. Where no keys are read, this waits for ever.
async fn next_key(keys: &mut Option<Keys>) -> Key {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

/// The run that the arguments name, if they name one.
fn run_of(targets: &[String]) -> Result<Option<String>, Failure> {
    let is_here = |run: &str| journal_path(Utf8Path::new(RUNS), run).is_file();
    let Some(run) = targets.iter().find(|it| *it == LAST || is_name_of_run(it) || is_here(it)) else {
        return Ok(None);
    };
    if targets.len() > 1 {
        return Err(Failure::usage(
            format!("`{run}` is a run, and only one run can be watched"),
            "give the run alone, or the names of stacks",
        ));
    }
    // The run that was started or continued last.
    let newest = if run == LAST { runs_in(Utf8Path::new(RUNS))?.into_iter().next() } else { None };
    Ok(Some(newest.unwrap_or_else(|| run.clone())))
}

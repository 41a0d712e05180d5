//! Watches stacks or a run, whoever deploys: it changes nothing.

mod events;
mod run;
mod stacks;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use paceline_engine::{ExitCode, journal_path, runs_in};
use paceline_report::Detail;

use crate::failure::Failure;
use crate::interrupt;
use crate::run::RUNS;
use crate::settings::AppPaths;

/// The name for the newest run of this folder.
const LAST: &str = "last";

/// The arguments of `paceline watch`.
#[derive(Debug, Clone, Default, Args)]
pub struct WatchSettings {
    /// Stacks: names, or patterns with * and ?; or one run of this folder by its name, `last` for the newest [default: the
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
    match journal(&args.targets)? {
        Some(journal) => run::watch(&journal, args),
        None => stacks::watch(args),
    }
}

/// The journal of the run that the arguments name, if they name one.
fn journal(targets: &[String]) -> Result<Option<Utf8PathBuf>, Failure> {
    let of_run = |run: &str| journal_path(Utf8Path::new(RUNS), run);
    let Some(run) = targets.iter().find(|it| *it == LAST || is_name_of_run(it) || of_run(it).is_file())
    else {
        return Ok(None);
    };
    if targets.len() > 1 {
        return Err(Failure::usage(
            format!("`{run}` is a run, and only one run can be watched"),
            "give the run alone, or the names of stacks",
        ));
    }
    let journal = of_run(&if run == LAST { newest()? } else { run.clone() });
    if journal.is_file() {
        return Ok(Some(journal));
    }
    Err(Failure::usage(
        format!("there is no run {run} in {RUNS}"),
        "a run of another machine, such as a build, keeps its journal there: watch its stacks by their names",
    ))
}

/// The name of the run that was started or continued last.
fn newest() -> Result<String, Failure> {
    runs_in(Utf8Path::new(RUNS))?.into_iter().next().ok_or_else(|| {
        Failure::usage(format!("there is no run in {RUNS}"), "watch stacks by their names, or with --app")
    })
}

/// Whether a text looks like the name of a run, such as `20260102T030405Z-0123abcd`, which is the name of no stack.
fn is_name_of_run(text: &str) -> bool {
    let Some((start, key)) = text.split_once("Z-") else { return false };
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    start.split_once('T').is_some_and(|(date, time)| digits(date, 8) && digits(time, 6))
        && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_run_is_no_name_of_a_stack() {
        assert!(is_name_of_run("20260102T030405Z-0123abcd"));
        for name in ["last", "Services", "2026T03Z-0123abcd", "A20260102T030405Z-0123abcd", "Z-1"] {
            assert!(!is_name_of_run(name), "{name}");
        }
    }
}

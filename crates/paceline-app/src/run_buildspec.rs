//! `paceline run-buildspec`: runs a buildspec on this machine and shows its progress.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use paceline_assembly::{LARGEST_BY_HAND, read_regular_text};
use paceline_buildspec::Buildspec;
use paceline_engine::ExitCode;
use paceline_host::build::{self, Output, Progress, RunOptions};
use paceline_host::processes;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::settings::variable;
use crate::{interrupt, terminal};

/// The time that an interrupted command has to end. A deployment in it gives less time to its own programs.
const GRACE: Duration = Duration::from_secs(4);

/// The arguments of `paceline run-buildspec`.
#[derive(Debug, Args)]
pub struct RunBuildspecSettings {
    /// The buildspec
    file: Utf8PathBuf,
    /// The folder of the source. The build works in it, not in a copy [default: this folder]
    #[arg(long, value_name = "DIR")]
    source: Option<Utf8PathBuf>,
    /// A variable of the build, in place of the buildspec's
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Copy the artifacts and reports of the build to this folder
    #[arg(long, value_name = "DIR")]
    artifacts: Option<Utf8PathBuf>,
}

/// Runs a buildspec on this machine and shows its progress.
pub fn run_buildspec(settings: &RunBuildspecSettings) -> Result<ExitCode, Failure> {
    let buildspec = read(&settings.file)?;
    let options = options(settings)?;
    let stop = interrupt::stop();
    let build = interrupt::within_time_left("the build was being stopped", async {
        let mut say = |progress: Progress<'_>| say(&progress);
        let build = build::run(&buildspec, &options, &mut say);
        tokio::pin!(build);
        tokio::select! {
            ended = &mut build => return ended,
            () = stop.requested() => {}
        }
        options.stop.cancel();
        build.await
    })?;
    let build = build?;
    terminal::say(&format!("\n{}", build::summary(&build).trim_end()));
    Ok(match (build.stopped, build.succeeded) {
        (true, _) => ExitCode::Interrupted,
        (false, true) => ExitCode::Done,
        (false, false) => ExitCode::Failed,
    })
}

fn read(path: &Utf8Path) -> Result<Buildspec, Failure> {
    let text = read_regular_text(path, LARGEST_BY_HAND)
        .map_err(|error| Failure::usage(error.to_string(), "give the path of a buildspec"))?;
    let read = Buildspec::read(&text).map_err(|error| Failure::from(error).at(Some(path)))?;
    for problem in &read.unknown {
        terminal::warn(&format!("{path}: {problem}"));
    }
    Ok(read.buildspec)
}

fn options(settings: &RunBuildspecSettings) -> Result<RunOptions, Failure> {
    let absolute = |path: &Utf8Path| {
        camino::absolute_utf8(path)
            .map_err(|error| Failure::usage(format!("{path}: {error}"), "give a path of this machine"))
    };
    let source = settings.source.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
    let source =
        source.canonicalize_utf8().ok().filter(|path| path.is_dir()).ok_or_else(|| {
            Failure::usage(format!("{source} is no folder"), "give the folder of the source")
        })?;
    Ok(RunOptions {
        name: settings.file.file_stem().unwrap_or("buildspec").to_owned(),
        source,
        environment: std::env::vars_os().collect(),
        overrides: settings.env.clone(),
        keep: settings.artifacts.as_deref().map(absolute).transpose()?,
        output: Output::Shown,
        processes: processes().clone(),
        stop: CancellationToken::new(),
        grace: GRACE,
    })
}

fn say(progress: &Progress<'_>) {
    terminal::say(&match progress {
        Progress::Note(note) => format!("note: {note}"),
        Progress::Again(attempt) => format!("paceline: attempt {attempt}"),
        Progress::Phase(phase) => format!("paceline: phase {phase}"),
        Progress::Command(command) => {
            let mut lines = command.trim_end().lines();
            let first = lines.next().unwrap_or_default();
            match lines.count() {
                0 => format!("paceline: running {first}"),
                1 => format!("paceline: running {first} … and 1 more line"),
                more => format!("paceline: running {first} … and {more} more lines"),
            }
        }
        Progress::Failed(how) => format!("paceline: the command failed: {how}"),
    });
}

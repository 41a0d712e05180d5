//! `paceline run-buildspec`: runs a buildspec on this machine and shows its progress.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_app::{Failure, interrupt, terminal};
use paceline_assembly::{LARGEST_BY_HAND, read_regular_text};
use paceline_buildspec::Buildspec;
use paceline_engine::ExitCode;
use paceline_host::build::{self, Output, Progress, RunOptions};
use paceline_host::processes;
use tokio_util::sync::CancellationToken;

use crate::cli::RunBuildspecArgs;

/// The time that an interrupted command has to end. A deployment in it gives less time to its own programs.
const GRACE: Duration = Duration::from_secs(4);

pub(crate) fn run(args: &RunBuildspecArgs) -> Result<ExitCode, Failure> {
    let buildspec = read(&args.file)?;
    let options = options(args)?;
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

fn options(args: &RunBuildspecArgs) -> Result<RunOptions, Failure> {
    let absolute = |path: &Utf8Path| {
        camino::absolute_utf8(path)
            .map_err(|error| Failure::usage(format!("{path}: {error}"), "give a path of this machine"))
    };
    let source = args.source.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
    let source =
        source.canonicalize_utf8().ok().filter(|path| path.is_dir()).ok_or_else(|| {
            Failure::usage(format!("{source} is no folder"), "give the folder of the source")
        })?;
    Ok(RunOptions {
        name: args.file.file_stem().unwrap_or("buildspec").to_owned(),
        source,
        environment: std::env::vars_os().collect(),
        overrides: args.env.clone(),
        keep: args.artifacts.as_deref().map(absolute).transpose()?,
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

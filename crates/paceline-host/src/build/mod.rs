//! Runs a buildspec on this machine the way CodeBuild does, without Docker.
//!
//! Every command is a separate script. Only the environment and the folder carry over from one command to the
//! next, but no functions, traps or options of the shell. Phases follow each other as in CodeBuild, also
//! after a failure. At the end, reports and artifacts are collected, even if the build failed. The build runs
//! in the source folder itself and not in a copy, so that its output can be examined.

mod attempt;
mod collect;
mod environment;
mod script;
mod shown;
mod summary;

use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;
use paceline_buildspec::grammar::{Buildspec, PhaseName, Shell};
use paceline_text::Explained;
use tokio_util::sync::CancellationToken;

use crate::process::processes::Processes;

pub use collect::{Collected, CollectedKind};
pub use summary::summary;

/// The settings for running a buildspec.
#[derive(Debug)]
pub struct RunOptions {
    /// The name of the build, in place of the name of the project.
    pub name: String,
    /// The absolute folder of the source. Every phase starts there.
    pub source: Utf8PathBuf,
    /// The environment that the build starts from. Every other setting overrides it.
    pub environment: Vec<(OsString, OsString)>,
    /// The variables that `StartBuild` would be given. They override the variables of the buildspec.
    pub overrides: Vec<(String, String)>,
    /// The folder that artifacts and reports are copied to. If it is `None`, they are only listed.
    pub keep: Option<Utf8PathBuf>,
    /// The destination of the output of the commands.
    pub output: Output,
    /// Stops the build when it is cancelled: the running command is interrupted, and nothing else is started.
    pub stop: CancellationToken,
    /// The list of the processes of the build. All processes in it end with the build.
    pub processes: Processes,
    /// The time that an interrupted command has to end before it is killed.
    pub grace: Duration,
}

#[derive(Debug, Default)]
pub enum Output {
    /// To the output of this process, without secrets.
    #[default]
    Shown,
    /// To the end of this file, including standard error.
    File(Utf8PathBuf),
}

/// The progress of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A difference between this machine and CodeBuild.
    Note(String),
    /// The build runs again from its start. The number is that of the attempt, from 2.
    Again(u32),
    Phase(PhaseName),
    Command(&'a str),
    /// A command failed in this way.
    Failed(&'a str),
}

/// The result of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The phases of the last attempt. Missing artifacts are reported as a phase `artifacts`.
    pub phases: Vec<PhaseRun>,
    pub attempts: u32,
    pub succeeded: bool,
    /// True if someone asked the build to stop.
    pub stopped: bool,
    /// The values of `exported-variables`; `None` for one that is not set.
    pub exported: Vec<(String, Option<String>)>,
    pub collected: Vec<Collected>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseRun {
    pub name: &'static str,
    pub state: State,
    pub took: Duration,
    /// The reason of the failure.
    pub failure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Succeeded,
    Failed,
    Stopped,
    Skipped,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the buildspec wants the shell `{}`, and this runs bash and sh only", .0.as_str())]
    Shell(Shell),
    #[error("cannot start the shell `{shell}` in {dir}")]
    Start { shell: &'static str, dir: String, source: std::io::Error },
    #[error(
        "the build takes these variables from Parameter Store or Secrets Manager, which are not asked here: {}",
        .0.join(", ")
    )]
    Secrets(Vec<String>),
    #[error("`{0}` cannot be the name of a variable")]
    Variable(String),
    #[error("`{pattern}` of `on-failure` is not a pattern")]
    Pattern { pattern: String, source: regex_lite::Error },
    #[error("`{pattern}` is not a pattern of files")]
    Glob { pattern: String, source: globset::Error },
    #[error("cannot keep what the build needs while it runs")]
    Temporary(#[source] std::io::Error),
    #[error("cannot collect what the build left")]
    Collect(#[source] std::io::Error),
}

impl Explained for RunError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Shell(_) => "run it on CodeBuild",
            Self::Start { .. } => "install it, or see that the folder is there",
            Self::Secrets(names) => return Some(format!("give their values with --env {}=VALUE", names[0])),
            Self::Variable(_) => "write --env NAME=VALUE",
            Self::Pattern { .. } => "write a regular expression",
            Self::Glob { .. } => "write one as `folder/**/*.xml`",
            Self::Temporary(_) => "free some space for temporary files",
            Self::Collect(_) => "see that the folder can be read and written",
        };
        Some(hint.to_owned())
    }
}

/// Runs the build to its end. A buildspec that this machine cannot run is an error before anything runs. A
/// command that fails is no error of this function, but fails the build.
pub async fn run(
    buildspec: &Buildspec,
    options: &RunOptions,
    report: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Build, RunError> {
    let patterns = collect::Patterns::of(buildspec)?;
    let setting = attempt::Setting::new(buildspec, options).await?;
    notes(buildspec, options, report);
    let mut retries = attempt::Retries::default();
    let mut attempts = 1;
    loop {
        let ended = attempt::run(&setting, &mut retries, report).await?;
        if ended.again {
            attempts += 1;
            report(Progress::Again(attempts));
            continue;
        }
        return finish(buildspec, options, &patterns, ended, attempts);
    }
}

fn finish(
    buildspec: &Buildspec,
    options: &RunOptions,
    patterns: &collect::Patterns,
    ended: attempt::Ended,
    attempts: u32,
) -> Result<Build, RunError> {
    let attempt::Ended { mut phases, environment, .. } = ended;
    let stopped = options.stop.is_cancelled();
    // CodeBuild collects reports and artifacts after a failed build too. A build that is stopped uploads
    // nothing.
    let collected = if stopped { Vec::new() } else { patterns.collect(options)? };
    // A missing report fails nothing [R]. A missing artifact fails the build [R], if its project keeps
    // artifacts.
    let lost = collected.iter().find(|one| one.kind != CollectedKind::Report && one.files.is_empty());
    if let Some(lost) = lost.filter(|_| options.keep.is_some()) {
        phases.push(PhaseRun {
            name: "artifacts",
            state: State::Failed,
            took: Duration::ZERO,
            failure: Some(format!("no file matches {}", lost.patterns.join(", "))),
        });
    }
    let value = |name: &String| {
        let secret = buildspec.env.parameter_store.contains_key(name)
            || buildspec.env.secrets_manager.contains_key(name);
        let value = environment.get(OsString::from(name).as_os_str());
        let shown =
            |value: &OsString| if secret { "***".to_owned() } else { value.to_string_lossy().into_owned() };
        (name.clone(), value.map(shown))
    };
    Ok(Build {
        attempts,
        succeeded: !stopped && phases.iter().all(|phase| phase.state == State::Succeeded),
        stopped,
        exported: buildspec.env.exported_variables.iter().map(value).collect(),
        phases,
        collected,
    })
}

fn notes(buildspec: &Buildspec, options: &RunOptions, report: &mut dyn FnMut(Progress<'_>)) {
    for (_, phase) in buildspec.phases.iter() {
        for (runtime, version) in &phase.runtime_versions {
            report(Progress::Note(format!("{runtime} {version} is not installed: this machine's is used")));
        }
    }
    let users = buildspec.phases.iter().filter_map(|(_, phase)| phase.run_as.as_ref());
    if let Some(user) = users.chain(&buildspec.run_as).next() {
        report(Progress::Note(format!("run-as {user} is ignored: the commands run as you")));
    }
    if buildspec.cache.is_some() {
        report(Progress::Note("the cache is ignored: what is on this machine stays on it".to_owned()));
    }
    if buildspec.batch.is_some() {
        report(Progress::Note("the batch is ignored, as StartBuild does: this is one build".to_owned()));
    }
    if options.keep.is_none() && (buildspec.artifacts.is_some() || !buildspec.reports.is_empty()) {
        report(Progress::Note(
            "artifacts and reports are listed and not copied: give a folder with --artifacts".to_owned(),
        ));
    }
}

//! Runs one program: its input, its output, its time limit and its end.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use paceline_text::secrets;
use tokio::process::Command;

use super::groups::Signal;
use super::processes::{GRACE, Processes, processes};
use super::running::Running;

/// A program and the settings for running it. Its standard input is empty unless `input` sets it.
#[derive(Debug)]
pub struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    dir: PathBuf,
    env: BTreeMap<OsString, OsString>,
    only_env: bool,
    input: Option<String>,
    output: Output,
    timeout: Option<Duration>,
    ends: (Signal, Duration),
    leaves_background: bool,
    processes: Processes,
}

/// The destination of a program's output.
#[derive(Debug, Default)]
pub enum Output {
    /// To the caller, line by line.
    #[default]
    Lines,
    /// To these files or pipes: the output and the error output.
    Streams(File, File),
    /// To a file, including standard error.
    File(File),
}

/// The stream on which a program printed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Error,
}

/// The reason why a program failed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The program could not be started.
    #[error("cannot run it in {}", .dir.display())]
    Start {
        /// The folder in which the program should run.
        dir: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The program ended with another status than 0.
    #[error("it ended with {status}{}", said(.last.as_deref()))]
    Status {
        /// The exit status or signal.
        status: ExitStatus,
        /// The last line that the program printed.
        last: Option<String>,
    },
    /// The program was interrupted.
    #[error("it was interrupted")]
    Stopped,
    /// The program took too long.
    #[error("it was ended because it took longer than {} s", .after.as_secs())]
    Timeout {
        /// The time limit.
        after: Duration,
    },
}

impl ProgramError {
    /// Returns whether a shell has not found the program that it should run.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status, .. } if status.code() == Some(127))
    }

    /// The message of the error and of its source.
    pub fn with_source(&self) -> String {
        let source = std::error::Error::source(self).map(|source| format!(": {source}")).unwrap_or_default();
        format!("{self}{source}")
    }
}

fn said(last: Option<&str>) -> String {
    last.map(|line| format!(": {line}")).unwrap_or_default()
}

impl Program {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            name: program.as_ref().to_owned(),
            arguments: Vec::new(),
            dir: PathBuf::new(),
            env: BTreeMap::new(),
            only_env: false,
            input: None,
            output: Output::Lines,
            timeout: None,
            ends: (Signal::Terminate, GRACE),
            leaves_background: false,
            processes: processes().clone(),
        }
    }

    #[must_use]
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(|it| it.as_ref().to_owned()));
        self
    }

    /// Sets the folder in which the program runs. An empty path is the folder in which Paceline runs.
    #[must_use]
    pub fn dir(self, dir: impl AsRef<Path>) -> Self {
        Self { dir: dir.as_ref().to_owned(), ..self }
    }

    /// Adds environment variables to those of Paceline.
    #[must_use]
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(mut self, env: impl IntoIterator<Item = (K, V)>) -> Self {
        self.env.extend(env.into_iter().map(|(name, it)| (name.as_ref().to_owned(), it.as_ref().to_owned())));
        self
    }

    /// Gives the program only the environment variables that `envs` adds.
    #[must_use]
    pub fn without_own_env(self) -> Self {
        Self { only_env: true, ..self }
    }

    /// Sets the standard input. A program that does not read its input does not fail because of that.
    #[must_use]
    pub fn input(self, input: impl Into<String>) -> Self {
        Self { input: Some(input.into()), ..self }
    }

    #[must_use]
    pub fn output(self, output: Output) -> Self {
        Self { output, ..self }
    }

    /// Sets the time limit. A program that exceeds it is ended and has failed.
    #[must_use]
    pub fn timeout(self, timeout: Option<Duration>) -> Self {
        Self { timeout, ..self }
    }

    /// Sets the signal that asks the program to end, and the time that the program then has.
    pub(crate) fn ends(self, signal: Signal, grace: Duration) -> Self {
        Self { ends: (signal, grace), ..self }
    }

    /// Lets background processes continue even if the program fails.
    pub(crate) fn leaving_the_background(self) -> Self {
        Self { leaves_background: true, ..self }
    }

    /// Lists the processes here and not in the list for all of Paceline.
    pub(crate) fn among(self, processes: &Processes) -> Self {
        Self { processes: processes.clone(), ..self }
    }

    /// Runs the program to its end. Calls `line` with each printed line.
    ///
    /// If the program succeeds, its background processes continue. If it fails, takes too long, or this
    /// future is dropped, all processes that the program has started are asked to end. They are killed after
    /// a few seconds.
    pub async fn run(self, line: impl FnMut(Stream, String)) -> Result<(), ProgramError> {
        match self.timeout {
            Some(after) => {
                let late = async {
                    tokio::time::sleep(after).await;
                    ProgramError::Timeout { after }
                };
                self.run_until(late, line).await
            }
            None => self.run_until(std::future::pending(), line).await,
        }
    }

    /// Runs the program like [`Self::run`]. The lines, and the last one in the error, are without secrets.
    pub async fn run_without_secrets(self, mut line: impl FnMut(Stream, String)) -> Result<(), ProgramError> {
        let (mut out, mut errors) = (secrets::Lines::default(), secrets::Lines::default());
        let mut last = None;
        let mut show = |stream, lines: Vec<String>| {
            for text in lines {
                if !text.is_empty() {
                    last = Some(text.clone());
                }
                line(stream, text);
            }
        };
        let ended = self
            .run(|stream, text| {
                let lines = if stream == Stream::Out { &mut out } else { &mut errors };
                show(stream, lines.next(text));
            })
            .await;
        show(Stream::Out, out.end());
        show(Stream::Error, errors.end());
        match ended {
            Err(ProgramError::Status { status, .. }) => Err(ProgramError::Status { status, last }),
            ended => ended,
        }
    }

    /// Runs the program to its end, or until `enough` completes. Then ends the program and waits for its end.
    pub(crate) async fn run_until(
        self,
        enough: impl Future<Output = ProgramError>,
        mut line: impl FnMut(Stream, String),
    ) -> Result<(), ProgramError> {
        let mut last = None;
        let leaves_background = self.leaves_background;
        let mut running = self.start()?;
        let hear_its_end = running.hear_its_end(|stream, text| {
            if !text.is_empty() {
                last = Some(text.clone());
            }
            line(stream, text);
        });
        let ended = tokio::select! {
            ended = hear_its_end => ended,
            error = enough => {
                running.end().await;
                return Err(error);
            }
        };
        match ended {
            Ok(status) if status.success() => {
                running.has_ended();
                Ok(())
            }
            Ok(status) => {
                if running.has_ended() && !leaves_background {
                    running.end().await;
                }
                Err(ProgramError::Status { status, last })
            }
            Err(source) => Err(ProgramError::Start { dir: shown(running.dir()), source }),
        }
    }

    fn start(self) -> Result<Running, ProgramError> {
        #[expect(clippy::disallowed_methods, reason = "all others come here")]
        let mut command = Command::new(&self.name);
        command.args(&self.arguments);
        if self.only_env {
            command.env_clear();
        }
        command.envs(&self.env);
        if !self.dir.as_os_str().is_empty() {
            command.current_dir(&self.dir);
        }
        command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let failed = |source| ProgramError::Start { dir: shown(&self.dir), source };
        match &self.output {
            Output::Lines => drop(command.stdout(Stdio::piped()).stderr(Stdio::piped())),
            Output::Streams(out, errors) => {
                let (out, errors) = (out.try_clone(), errors.try_clone());
                command.stdout(out.map_err(failed)?).stderr(errors.map_err(failed)?);
            }
            Output::File(file) => {
                let (out, errors) = (file.try_clone(), file.try_clone());
                command.stdout(out.map_err(failed)?).stderr(errors.map_err(failed)?);
            }
        }
        let mut child = self.processes.start(&mut command).map_err(failed)?;
        let input = child.stdin.take().zip(self.input);
        Ok(Running::new(child, input, self.dir, self.ends, self.processes))
    }
}

/// The folder as shown to people.
fn shown(dir: &Path) -> PathBuf {
    if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_owned() }
}

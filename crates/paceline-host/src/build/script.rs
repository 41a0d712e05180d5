//! Runs each command of a buildspec as a separate script.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8Path;
use paceline_buildspec::generate::shell_word;
use paceline_buildspec::grammar::Shell;
use tokio_util::sync::CancellationToken;

use super::shown::Shown;
use super::{Output, RunError};
use crate::process::groups::Signal;
use crate::process::processes::Processes;
use crate::process::program::{self, Program, ProgramError};

/// The state that one command passes to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) environment: BTreeMap<OsString, OsString>,
    pub(super) dir: PathBuf,
}

/// The settings for running scripts.
pub(super) struct Scripts<'a> {
    pub(super) shell: &'static str,
    pub(super) output: &'a Output,
    /// Where the output is shown, if it goes to the output of this process.
    pub(super) shown: Option<&'a Shown>,
    pub(super) processes: &'a Processes,
    pub(super) stop: &'a CancellationToken,
    /// The time that an interrupted command has to end.
    pub(super) grace: Duration,
    /// The folder for the scripts and for the state that they pass on.
    pub(super) folder: &'a Utf8Path,
}

/// The name of the shell's program.
pub(super) fn program(shell: Option<Shell>) -> Result<&'static str, RunError> {
    match shell {
        None | Some(Shell::Sh) => Ok("sh"),
        Some(Shell::Bash) => Ok("bash"),
        Some(other) => Err(RunError::Shell(other)),
    }
}

impl Scripts<'_> {
    /// Runs a command and returns its exit code, or `None` if a signal ended the command. The state that the
    /// command leaves replaces the carried state. If the command left early with `exit`, `exec` or `set -e`,
    /// the carried state stays, because CodeBuild saves the state at the end of the script.
    ///
    /// When the build is stopped, the command is interrupted as by a terminal, because many programs end at
    /// once on other signals. A process that a shell has just forked may lose the signal to the handler of
    /// the shell, until the process has become another program. A process that ignores the signal is killed.
    pub(super) async fn run(&self, command: &str, carried: &mut Carried) -> Result<Option<i32>, RunError> {
        let (script, saved, dir) =
            (self.folder.join("script.sh"), self.folder.join("env"), self.folder.join("dir.txt"));
        for old in [&saved, &dir] {
            remove(old)?;
        }
        // CodeBuild puts three lines before those of the command, as its error messages show. In public
        // re-implementations of its agent, these lines are: the folder, `set -a`, and the saved environment.
        let text = format!(
            "# One command of a buildspec, and what saves its environment and folder for the next one.\n\
             # Assignments are exported, and the first line of the command is line 4, as in CodeBuild.\n\
             set -a\n\
             {command}\n\
             CODEBUILD_LAST_EXIT=$?\n\
             /usr/bin/env -0 > {} && pwd > {}\n\
             exit $CODEBUILD_LAST_EXIT\n",
            shell_word(saved.as_str()),
            shell_word(dir.as_str()),
        );
        fs_err::write(&script, text).map_err(RunError::Temporary)?;
        let output = match self.output {
            Output::Shown => match self.shown.map(Shown::files).transpose().map_err(RunError::Temporary)? {
                Some((out, errors)) => program::Output::Streams(out, errors),
                None => program::Output::Lines,
            },
            Output::File(path) => {
                let file = fs_err::OpenOptions::new().create(true).append(true).open(path);
                program::Output::File(file.map_err(RunError::Temporary)?.into_file())
            }
        };
        let shell = Program::new(self.shell).args([&script]).dir(&carried.dir).output(output);
        let shell = shell.without_own_env().envs(&carried.environment).leaving_the_background();
        let shell = shell.among(self.processes).ends(Signal::Interrupt, self.grace);
        let stopped = async {
            self.stop.cancelled().await;
            ProgramError::Stopped
        };
        let ended = shell.run_until(stopped, |_, _| {}).await;
        if let Some(shown) = self.shown {
            shown.settle().await;
        }
        let code = match ended {
            Ok(()) => Some(0),
            Err(ProgramError::Status { status, .. }) => status.code(),
            Err(ProgramError::Start { dir, source }) => {
                let dir = dir.display().to_string();
                return Err(RunError::Start { shell: self.shell, dir, source });
            }
            Err(ProgramError::Stopped | ProgramError::Timeout { .. }) => return Ok(None),
        };
        if let (Some(saved), Some(dir)) = (read(&saved)?, read(&dir)?) {
            carried.environment = variables(&saved);
            carried.dir = folder(&dir);
        }
        Ok(code)
    }
}

/// Reads the output of `env -0`. Exported functions and the shell's own options are not variables of the
/// build.
fn variables(saved: &[u8]) -> BTreeMap<OsString, OsString> {
    let entries = saved.split(|byte| *byte == 0).filter_map(|entry| {
        let at = entry.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&entry[..at], &entry[at + 1..]);
        let taken = name.starts_with(b"BASH_FUNC_")
            || [&b"_"[..], b"SHELLOPTS", b"BASHOPTS", b"BASH_ENV", b"ENV"].contains(&name);
        (!taken).then(|| (os(name), os(value)))
    });
    entries.collect()
}

fn folder(printed: &[u8]) -> PathBuf {
    PathBuf::from(os(printed.strip_suffix(b"\n").unwrap_or(printed)))
}

#[cfg(unix)]
fn os(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn os(bytes: &[u8]) -> OsString {
    OsStr::new(&*String::from_utf8_lossy(bytes)).to_owned()
}

fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, RunError> {
    match fs_err::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunError::Temporary(error)),
    }
}

fn remove(path: &Utf8Path) -> Result<(), RunError> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RunError::Temporary(error)),
        _ => Ok(()),
    }
}

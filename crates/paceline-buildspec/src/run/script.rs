//! One command of a buildspec, as a script of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use camino::Utf8Path;

use super::{Output, RunError, Stop};
use crate::buildspec::Shell;
use crate::generate::shell_word;

/// What one command hands on to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) environment: BTreeMap<OsString, OsString>,
    pub(super) dir: PathBuf,
}

/// What is needed to run scripts.
pub(super) struct Scripts<'a> {
    pub(super) shell: &'static str,
    pub(super) output: &'a Output,
    pub(super) stop: &'a Stop,
    /// A folder for the scripts and what they hand on.
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
    /// Runs a command, and gives its exit code: `None` when a signal ended it. What it hands on replaces what was
    /// carried, unless it left early with `exit`, `exec` or `set -e`: CodeBuild saves at the end of the script.
    pub(super) fn run(&self, command: &str, carried: &mut Carried) -> Result<Option<i32>, RunError> {
        let (script, saved, dir) =
            (self.folder.join("script.sh"), self.folder.join("env"), self.folder.join("dir.txt"));
        for old in [&saved, &dir] {
            remove(old)?;
        }
        // CodeBuild has three lines of its own before those of the command, as its error messages show. Public
        // re-implementations of its agent give them as: the folder, `set -a`, the saved environment.
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
        let mut shell = Command::new(self.shell);
        shell.arg(&script).current_dir(&carried.dir).stdin(Stdio::null());
        shell.env_clear().envs(&carried.environment);
        if let Output::File(path) = self.output {
            let open = || fs_err::OpenOptions::new().create(true).append(true).open(path);
            let file = open().and_then(|file| Ok((file.file().try_clone()?, file.into_file())));
            let (out, err) = file.map_err(RunError::Temporary)?;
            shell.stdout(out).stderr(err);
        }
        let status = self.stop.wait_for(&mut shell).map_err(|source| RunError::Start {
            shell: self.shell,
            dir: carried.dir.display().to_string(),
            source,
        })?;
        if let (Some(saved), Some(dir)) = (read(&saved)?, read(&dir)?) {
            carried.environment = variables(&saved);
            carried.dir = folder(&dir);
        }
        Ok(status.code())
    }
}

/// What `env -0` printed. Exported functions and the shell's own options are no variables of the build.
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

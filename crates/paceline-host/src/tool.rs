//! The programs that make assets: docker, and what the manifest of an app names.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use paceline_text::Explained;

use crate::process::{Program, ProgramError, Stream};
use crate::sources::SYNTHESIZE;

/// How many of the last lines that a program complained with are repeated.
const LINES: usize = 5;
/// The longest output that is kept, in bytes. No name and no path that a program prints is longer.
const LONGEST: usize = 64 * 1024;

/// A program that could not do what it was to do.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct ToolError {
    /// What went wrong.
    pub kind: ToolErrorKind,
    /// What was run: the program and its first argument, such as `docker push`.
    pub command: String,
    /// What to do about it.
    hint: Option<String>,
}

/// What went wrong with a program that makes assets.
#[derive(Debug, thiserror::Error)]
pub enum ToolErrorKind {
    /// There is no program of this name.
    #[error("the program `{program}` is not there")]
    NotFound {
        /// The program.
        program: String,
    },
    /// The program is there and cannot be started.
    #[error("cannot run `{program}`: {source}")]
    CannotRun {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The folder that it works in is not there.
    #[error("the asset's source is not there: {folder}")]
    NoFolder {
        /// The folder.
        folder: Utf8PathBuf,
    },
    /// It ended with something else than 0.
    #[error("it ended with {status}: {said}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it complained with.
        said: String,
    },
    /// It did not end in time.
    #[error("it did not end within {} s, and was ended", .after.as_secs())]
    TimedOut {
        /// The time that it had.
        after: Duration,
    },
    /// It was ended for another reason.
    #[error(transparent)]
    Ended(ProgramError),
}

impl Explained for ToolError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl ToolError {
    pub(crate) fn new(command: impl Into<String>, kind: ToolErrorKind) -> Self {
        Self { kind, command: command.into(), hint: None }
    }

    pub(crate) fn advising(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What the program complained with, if it ran.
    pub fn said(&self) -> Option<&str> {
        match &self.kind {
            ToolErrorKind::Failed { said, .. } => Some(said),
            _ => None,
        }
    }

    /// The error in one line: the last line that the program complained with, where there are several.
    pub fn in_one_line(&self) -> String {
        self.to_string().lines().last().unwrap_or_default().to_owned()
    }
}

/// Runs a program and gives what it printed; if it fails, the end of what it complained about.
pub async fn run_tool(
    program: &str,
    arguments: &[&str],
    directory: Option<&Utf8Path>,
    input: Option<&str>,
) -> Result<String, ToolError> {
    let command = format!("{program} {}", arguments.first().unwrap_or(&""));
    let failed = |kind| ToolError::new(command.clone(), kind);
    // Attestations would make an index of the image, which Lambda does not take.
    let mut run = Program::new(program).args(arguments).envs([("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")]);
    if let Some(directory) = directory {
        // A folder that is not there would look like a program that is not there.
        if !directory.is_dir() {
            let error = failed(ToolErrorKind::NoFolder { folder: directory.to_owned() });
            return Err(error.advising(SYNTHESIZE));
        }
        run = run.dir(directory);
    }
    if let Some(input) = input {
        run = run.input(input);
    }
    let (mut printed, mut complaints) = (String::new(), VecDeque::new());
    let ended = run.run(|stream, line| match stream {
        Stream::Out if printed.len() < LONGEST => {
            printed.push_str(&line);
            printed.push('\n');
        }
        Stream::Out => {}
        Stream::Error => {
            complaints.push_back(line);
            if complaints.len() > LINES {
                complaints.pop_front();
            }
        }
    });
    match ended.await {
        Ok(()) => Ok(printed.trim().to_owned()),
        Err(ProgramError::Start { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            let error = failed(ToolErrorKind::NotFound { program: program.to_owned() });
            Err(error.advising(format!("install `{program}`, or put its folder into PATH")))
        }
        Err(ProgramError::Start { source, .. }) => {
            Err(failed(ToolErrorKind::CannotRun { program: program.to_owned(), source }))
        }
        Err(ProgramError::Status { status, .. }) => {
            let said = complaints.into_iter().collect::<Vec<_>>().join("\n").trim().to_owned();
            Err(failed(ToolErrorKind::Failed { status, said }))
        }
        Err(error) => Err(failed(ToolErrorKind::Ended(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_or_a_folder_that_is_not_there_is_told_for_what_it_is() {
        let error = run_tool("no-such-docker", &["build"], None, None).await.unwrap_err();
        assert_eq!(error.to_string(), "the program `no-such-docker` is not there");
        assert_eq!(error.command, "no-such-docker build");
        let missing = Utf8Path::new("/no/such/folder");
        let error = run_tool("sh", &["build"], Some(missing), None).await.unwrap_err();
        assert_eq!(error.to_string(), "the asset's source is not there: /no/such/folder");
    }

    #[tokio::test]
    async fn what_a_program_says_counts_for_more_than_that_it_reads_nothing() {
        let script = "echo one; echo two; for n in 1 2 3 4 5 6; do echo \"no $n\" >&2; done; exit 7";
        let password = "x".repeat(1_000_000);
        let error = run_tool("sh", &["-c", script], None, Some(&password)).await.unwrap_err();
        assert_eq!(error.to_string(), "it ended with exit status: 7: no 2\nno 3\nno 4\nno 5\nno 6");
        assert_eq!(run_tool("sh", &["-c", "echo one; echo two"], None, None).await.unwrap(), "one\ntwo");
    }
}

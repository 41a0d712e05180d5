//! Runs the programs that make assets: docker, and the programs that the manifest of an app names.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use paceline_text::Explained;

use crate::process::{Program, ProgramError, Stream};
use crate::sources::SYNTHESIZE;

/// The greatest number of lines of error output that are repeated.
const LINES: usize = 5;
/// The greatest output that is kept, in bytes. No name and no path that a program prints is longer.
const LONGEST: usize = 64 * 1024;

/// The error of a program that makes assets.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct ToolError {
    /// The kind of the error.
    pub kind: ToolErrorKind,
    /// The program and its first argument, such as `docker push`.
    pub command: String,
    /// Advice for the user.
    hint: Option<String>,
}

/// The kind of an error of a program that makes assets.
#[derive(Debug, thiserror::Error)]
pub enum ToolErrorKind {
    /// There is no program of this name.
    #[error("the program `{program}` is not there")]
    NotFound {
        /// The name of the program, or its path.
        program: String,
    },
    /// The program exists but cannot be started.
    #[error("cannot run `{program}`: {source}")]
    CannotRun {
        /// The name of the program, or its path.
        program: String,
        /// The reason.
        source: io::Error,
    },
    /// The folder in which the program should run does not exist.
    #[error("the asset's source is not there: {folder}")]
    NoFolder {
        /// The path of the folder.
        folder: Utf8PathBuf,
    },
    /// The program ended with another status than 0.
    #[error("it ended with {status}: {said}")]
    Failed {
        /// The exit status or signal.
        status: ExitStatus,
        /// The last lines of the error output.
        said: String,
    },
    /// The program did not end in time.
    #[error("it did not end within {} s, and was ended", .after.as_secs())]
    TimedOut {
        /// The time limit.
        after: Duration,
    },
    /// The program was ended for another reason.
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

    /// The last lines of the error output, if the program ran.
    pub fn said(&self) -> Option<&str> {
        match &self.kind {
            ToolErrorKind::Failed { said, .. } => Some(said),
            _ => None,
        }
    }

    /// The error in one line. If the error output has several lines, this is the last one.
    pub fn in_one_line(&self) -> String {
        self.to_string().lines().last().unwrap_or_default().to_owned()
    }
}

/// Runs a program and returns its output. If it fails, the error has the end of its error output.
pub async fn run_tool(
    program: &str,
    arguments: &[&str],
    directory: Option<&Utf8Path>,
    input: Option<&str>,
) -> Result<String, ToolError> {
    let command = format!("{program} {}", arguments.first().unwrap_or(&""));
    let failed = |kind| ToolError::new(command.clone(), kind);
    // Attestations would turn the image into an index, which Lambda refuses.
    let mut run = Program::new(program).args(arguments).envs([("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")]);
    if let Some(directory) = directory {
        // Without this check, a missing folder would be reported as a missing program.
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
    async fn a_missing_program_and_a_missing_folder_have_different_errors() {
        let error = run_tool("no-such-docker", &["build"], None, None).await.unwrap_err();
        assert_eq!(error.to_string(), "the program `no-such-docker` is not there");
        assert_eq!(error.command, "no-such-docker build");
        let missing = Utf8Path::new("/no/such/folder");
        let error = run_tool("sh", &["build"], Some(missing), None).await.unwrap_err();
        assert_eq!(error.to_string(), "the asset's source is not there: /no/such/folder");
    }

    #[tokio::test]
    async fn the_error_output_outweighs_the_unread_input() {
        let script = "echo one; echo two; for n in 1 2 3 4 5 6; do echo \"no $n\" >&2; done; exit 7";
        let password = "x".repeat(1_000_000);
        let error = run_tool("sh", &["-c", script], None, Some(&password)).await.unwrap_err();
        assert_eq!(error.to_string(), "it ended with exit status: 7: no 2\nno 3\nno 4\nno 5\nno 6");
        assert_eq!(run_tool("sh", &["-c", "echo one; echo two"], None, None).await.unwrap(), "one\ntwo");
    }
}

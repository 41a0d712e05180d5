//! The programs that make assets: docker, and what the manifest names.

use std::collections::VecDeque;

use camino::Utf8Path;
use paceline_host::{Program, ProgramError, Stream};

use super::{SYNTHESIZE, cannot_run};
use crate::trouble::{Kind, Trouble};

/// How much is told of what a program complained about.
const LINES: usize = 5;
/// No name and no path that a program prints is longer.
const LONGEST: usize = 64 * 1024;

/// Runs a program and gives what it printed; if it fails, the end of what it complained about.
pub(super) async fn run(
    program: &str,
    arguments: &[&str],
    directory: Option<&Utf8Path>,
    input: Option<&str>,
) -> Result<String, Trouble> {
    let what = format!("{program} {}", arguments.first().unwrap_or(&""));
    // Attestations would make an index of the image, which Lambda does not take.
    let mut run = Program::new(program).args(arguments).envs([("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")]);
    if let Some(directory) = directory {
        // A folder that is not there would look like a program that is not there.
        if !directory.is_dir() {
            let trouble = Trouble::setup(format!("the asset's source is not there: {directory}"));
            return Err(Trouble { kind: Kind::Refused, ..trouble }.during(what).hint(SYNTHESIZE));
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
        Err(ProgramError::Start { source, .. }) => Err(cannot_run(program, &source).during(what)),
        Err(ProgramError::Status { status, .. }) => {
            let said = complaints.into_iter().collect::<Vec<_>>().join("\n");
            let trouble = Trouble::setup(format!("it ended with {status}: {}", said.trim()));
            Err(Trouble { kind: Kind::Refused, ..trouble }.during(what))
        }
        Err(error) => Err(Trouble::setup(error.to_string()).during(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_or_a_folder_that_is_not_there_is_told_for_what_it_is() {
        let trouble = run("no-such-docker", &["build"], None, None).await.unwrap_err();
        assert_eq!(trouble.message, "the program `no-such-docker` is not there");
        assert_eq!(trouble.at.as_deref(), Some("no-such-docker build"));
        let missing = Utf8Path::new("/no/such/folder");
        let trouble = run("sh", &["build"], Some(missing), None).await.unwrap_err();
        assert_eq!(trouble.message, "the asset's source is not there: /no/such/folder");
    }

    #[tokio::test]
    async fn what_a_program_says_counts_for_more_than_that_it_reads_nothing() {
        let script = "echo one; echo two; for n in 1 2 3 4 5 6; do echo \"no $n\" >&2; done; exit 7";
        let password = "x".repeat(1_000_000);
        let trouble = run("sh", &["-c", script], None, Some(&password)).await.unwrap_err();
        assert_eq!(trouble.message, "it ended with exit status: 7: no 2\nno 3\nno 4\nno 5\nno 6");
        assert_eq!(run("sh", &["-c", "echo one; echo two"], None, None).await.unwrap(), "one\ntwo");
    }
}

//! Scripts of the team: commands between stacks, and commands that synthesize apps.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::program::{Program, ProgramError};

/// A script and the settings for running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The text of the script.
    pub run: String,
    /// The shell. It takes `-c` and the text.
    pub shell: String,
    /// The folder in which the script runs. An empty path is the folder in which Paceline runs.
    pub dir: Utf8PathBuf,
    /// Environment variables in addition to those of Paceline.
    pub env: BTreeMap<String, String>,
    /// The time limit. A script that exceeds it is ended and has failed.
    pub timeout: Option<Duration>,
}

impl Script {
    /// Runs the script to its end. Calls `line` with each printed line, without secrets. Dropping this future ends the script.
    pub async fn perform(&self, mut line: impl FnMut(String)) -> Result<(), ProgramError> {
        let shell = Program::new(&self.shell).args(["-c", &self.run]).dir(&self.dir);
        shell.envs(&self.env).timeout(self.timeout).run_without_secrets(|_, text| line(text)).await
    }
}

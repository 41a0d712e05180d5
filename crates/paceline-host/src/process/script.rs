//! Scripts of the team's: commands between stacks, and what synthesizes apps.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::program::{Program, ProgramError};

/// A script and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What is given to the shell.
    pub run: String,
    /// The shell, which takes `-c` and the script.
    pub shell: String,
    /// The folder it runs in; empty is the one that Paceline runs in.
    pub dir: Utf8PathBuf,
    /// Environment variables on top of Paceline's own.
    pub env: BTreeMap<String, String>,
    /// After so long it is ended, and has failed.
    pub timeout: Option<Duration>,
}

impl Script {
    /// Runs it to its end. `line` is given each line that it prints. Dropped, it ends the script.
    pub async fn perform(&self, mut line: impl FnMut(String)) -> Result<(), ProgramError> {
        let shell = Program::new(&self.shell).args(["-c", &self.run]).dir(&self.dir);
        shell.envs(&self.env).timeout(self.timeout).run(|_, text| line(text)).await
    }
}

//! Bootstraps an environment with the CDK CLI, which contains the template of the bootstrap stack.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use paceline_text::shell_word;

use crate::process::{ProgramError, Script};

/// The CDK CLI and the way to call it.
#[derive(Debug, Clone)]
pub struct BootstrapCli {
    /// The command that calls the CLI in a shell: `cdk`, `npx cdk`.
    pub command: String,
    /// The folder in which the CLI runs. Programs that Node has installed there come before those on the
    /// `PATH`.
    pub dir: Utf8PathBuf,
    /// The assembly of the app, relative to that folder. Without it the CLI would synthesize the app for each
    /// environment into the same folder. The CLI refuses to do that at the same time.
    pub assembly: Utf8PathBuf,
    /// More options for the CLI, as the user gave them.
    pub more: Vec<String>,
}

/// The bootstrap stack of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrapStack {
    /// The environment as the CDK writes it: `aws://ACCOUNT/REGION`.
    pub environment: String,
    /// The qualifier in the names of its resources.
    pub qualifier: String,
    /// The name of the stack.
    pub name: String,
}

impl BootstrapCli {
    /// The command that bootstraps the environment: one line for a shell.
    pub fn line(&self, stack: &BootstrapStack) -> String {
        let mut line = format!("{} bootstrap {}", self.command, stack.environment);
        let options = [
            ("--app", self.assembly.as_str()),
            // Both options are given even if they have the usual values, because cdk.json may have others.
            ("--qualifier", &stack.qualifier),
            ("--toolkit-stack-name", &stack.name),
        ];
        for (option, value) in options {
            let is_given = |given: &String| given == option || given.starts_with(&format!("{option}="));
            if !self.more.iter().any(is_given) {
                let _ = write!(line, " {option} {}", shell_word(value));
            }
        }
        for more in &self.more {
            let _ = write!(line, " {}", shell_word(more));
        }
        line
    }

    /// Bootstraps the environment. Calls `line` with each printed line.
    pub async fn run(&self, stack: &BootstrapStack, line: impl FnMut(String)) -> Result<(), ProgramError> {
        let env: BTreeMap<String, String> =
            self.path().map(|path| ("PATH".to_owned(), path)).into_iter().collect();
        let (run, dir) = (self.line(stack), self.dir.clone());
        Script { run, shell: "sh".to_owned(), dir, env, timeout: None }.perform(line).await
    }

    /// The `PATH`, preceded by the programs that Node has installed in the folder of the app and in the
    /// folder where Paceline runs.
    fn path(&self) -> Option<String> {
        let here = Utf8PathBuf::try_from(std::env::current_dir().ok()?).ok()?;
        let installed = [here.join(&self.dir), here].map(|dir| dir.join("node_modules/.bin"));
        let mut path: Vec<Utf8PathBuf> = installed.into_iter().filter(|dir| dir.is_dir()).collect();
        path.extend(std::env::var("PATH").ok()?.split(':').map(|dir| Utf8Path::new(dir).to_owned()));
        Some(path.iter().map(|dir| dir.as_str()).collect::<Vec<_>>().join(":"))
    }
}

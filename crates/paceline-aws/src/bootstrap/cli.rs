//! Bootstraps an environment with the CDK CLI, which has the template.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_host::{Script, quoted};

use super::environments::{Bootstrapper, Bootstrapping};
use crate::trouble::Trouble;

/// The CDK CLI and how it is called.
#[derive(Debug, Clone)]
pub struct BootstrapCli {
    /// What is given to the shell to call it: `cdk`, `npx cdk`.
    pub command: String,
    /// The folder it runs in. What Node has installed there comes before what is on the `PATH`.
    pub dir: Utf8PathBuf,
    /// The assembly of the app, as seen from there. Without it the CLI would synthesize the app for each environment,
    /// into one folder, which it refuses to do at the same time.
    pub assembly: Utf8PathBuf,
    /// More of its options, as they were given.
    pub more: Vec<String>,
}

impl BootstrapCli {
    /// What bootstraps the environment: one line for a shell.
    pub fn line(&self, bootstrapping: &Bootstrapping) -> String {
        let mut line = format!("{} bootstrap aws://{}", self.command, bootstrapping.target);
        let qualifier = bootstrapping.qualifier.as_deref().unwrap_or_default();
        let options = [
            ("--app", self.assembly.as_str()),
            // Both are said even where they are the usual ones: cdk.json may have others.
            ("--qualifier", qualifier),
            ("--toolkit-stack-name", &bootstrapping.toolkit),
        ];
        for (option, value) in options {
            let is_given = |given: &String| given == option || given.starts_with(&format!("{option}="));
            if !self.more.iter().any(is_given) {
                let _ = write!(line, " {option} {}", quoted(value));
            }
        }
        for more in &self.more {
            let _ = write!(line, " {}", quoted(more));
        }
        line
    }

    /// What Node has installed in the folder of the app, and where Paceline runs, before what is elsewhere.
    fn path(&self) -> Option<String> {
        let here = Utf8PathBuf::try_from(std::env::current_dir().ok()?).ok()?;
        let installed = [here.join(&self.dir), here].map(|dir| dir.join("node_modules/.bin"));
        let mut path: Vec<Utf8PathBuf> = installed.into_iter().filter(|dir| dir.is_dir()).collect();
        path.extend(std::env::var("PATH").ok()?.split(':').map(|dir| Utf8Path::new(dir).to_owned()));
        Some(path.iter().map(|dir| dir.as_str()).collect::<Vec<_>>().join(":"))
    }
}

impl Bootstrapper {
    /// Bootstraps an environment, and looks whether it is as the stacks need it then. `line` is given each line
    /// that is printed.
    pub async fn perform(
        &self,
        cli: &BootstrapCli,
        bootstrapping: &Bootstrapping,
        mut line: impl FnMut(String),
    ) -> Result<(), Trouble> {
        let place = bootstrapping.place();
        if bootstrapping.qualifier.is_none() {
            let parameter = bootstrapping.required.parameter.as_deref().unwrap_or_default();
            let message =
                format!("aws://{place}: `{parameter}` is not a version that `cdk bootstrap` writes");
            return Err(Trouble::setup(message).hint("bootstrap it with your own template, as it was before"));
        }
        let run = cli.line(bootstrapping);
        line(format!("$ {run}"));
        let env: BTreeMap<String, String> =
            cli.path().map(|path| ("PATH".to_owned(), path)).into_iter().collect();
        let script = Script { run, shell: "sh".to_owned(), dir: cli.dir.clone(), env, timeout: None };
        script.perform(line).await.map_err(|error| {
            let message =
                format!("aws://{place}: `{} bootstrap` failed: {}", cli.command, error.with_source());
            // 127 is a shell's word for a command that it does not find.
            let hint = if error.is_not_found() {
                "install the CDK CLI (npm install aws-cdk), or say how it is called with --cdk"
            } else {
                "its whole output is above; `paceline bootstrap` goes on with what is left"
            };
            Trouble::setup(message).hint(hint)
        })?;
        Box::pin(self.confirm(bootstrapping)).await
    }
}

//! Synthesizes apps with their own commands.

mod context_file;
mod options;

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{LARGEST_BY_HAND, LARGEST_MANIFEST, read_regular, read_regular_text};
use paceline_config::AppConfig;
use paceline_plan::ContextLookup;
use paceline_text::{Explained, hex, shell_word};
use sha2::{Digest, Sha256};

pub use self::context_file::{ContextFile, ContextFileError};
use self::options::with_options;
use crate::process::{Script, find_program};

/// Lock files of package managers that install into `node_modules`.
const LOCK_FILES: [&str; 4] = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"];
/// Keeps the digest of the lock file in the folder of the installation, so that both are deleted together.
const INSTALLED: &str = "node_modules/.paceline-installed";

/// What is done to `cdk.context.json`, in the words of the CDK.
const FORGETTING: &str = "cdk context --reset";

/// An app that is to be synthesized.
#[derive(Debug, Clone)]
pub struct Synthesis {
    /// What people call it, where there are several.
    pub name: Option<String>,
    /// The folder that its commands run in.
    pub dir: Utf8PathBuf,
    /// The app's own folder: it has `cdk.json` and `cdk.context.json`, and may have a lock file.
    pub context_dir: Utf8PathBuf,
    /// What it is synthesized with.
    pub app: AppConfig,
    /// Whether its commands are those of a generated build, and run as there: in bash, up to the first that fails.
    pub as_in_builds: bool,
}

/// Why an app could not be synthesized.
#[derive(Debug, thiserror::Error)]
#[error("{}`{run}` failed: {message}", app.as_ref().map(|app| format!("app `{app}`: ")).unwrap_or_default())]
pub struct SynthesisError {
    /// The app, where there are several.
    pub app: Option<String>,
    /// What was run.
    pub run: String,
    /// How it ended, and the last it said.
    pub message: String,
}

impl Explained for SynthesisError {
    fn hint(&self) -> Option<String> {
        Some("its whole output is above; `paceline synth` tries again".to_owned())
    }
}

impl Synthesis {
    /// Installs, builds and synthesizes. `line` is given each line that is printed.
    pub async fn perform(&self, mut line: impl FnMut(String)) -> Result<(), SynthesisError> {
        if let Some(install) = &self.app.install {
            let digest = self.lock_files();
            let stamp = self.context_dir.join(INSTALLED);
            let installed = read_regular_text(&stamp, LARGEST_BY_HAND).ok();
            if digest.is_some() && digest == installed {
                line("installed already: the lock file has not changed".to_owned());
            } else {
                self.run(install, &mut line).await?;
                // Only what a lock file pins is the same the next time; without the folder nothing is kept.
                if let Some(digest) = digest.filter(|_| stamp.parent().is_some_and(Utf8Path::is_dir)) {
                    let kept = fs_err::write(&stamp, digest);
                    kept.unwrap_or_else(|error| line(format!("it will be installed again: {error}")));
                }
            }
        }
        if let Some(build) = &self.app.build {
            self.run(build, &mut line).await?;
        }
        let forgotten = self.forget_context().map_err(|error| self.failed(FORGETTING, error.to_string()))?;
        for key in forgotten {
            line(format!("looked up again: {key}"));
        }
        self.again(line).await
    }

    /// Synthesizes what is installed and built.
    pub async fn again(&self, mut line: impl FnMut(String)) -> Result<(), SynthesisError> {
        match self.synth() {
            Some(synth) => self.run(&synth, &mut line).await,
            None => Ok(()),
        }
    }

    /// What the app has from its context, by what is in `cdk.context.json`, and a stack can make.
    pub fn context(&self) -> Result<Vec<ContextLookup>, ContextFileError> {
        let named = &self.app.refresh_context;
        let file = ContextFile::read(&self.context_dir)?;
        Ok(file.lookups(self.name.as_deref(), |key, name| named.iter().any(|it| it == key || it == name)))
    }

    /// Takes what is to be looked up again out of `cdk.context.json`, and says which keys these were.
    fn forget_context(&self) -> Result<Vec<String>, ContextFileError> {
        let named = &self.app.refresh_context;
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let file = ContextFile::read(&self.context_dir)?;
        file.forget(|key, name| named.iter().any(|it| it == key || Some(it.as_str()) == name))
    }

    /// The synthesis with its context. The CDK command line takes context as options; what runs without it
    /// takes it from `CDK_CONTEXT_JSON`, which the command line sets itself.
    fn synth(&self) -> Option<String> {
        let run = self.app.synth.as_ref()?;
        let option = |(key, value)| format!(" --context {}", shell_word(&format!("{key}={value}")));
        let options: String = self.app.context.iter().map(option).collect();
        Some(with_options(run, &options, |name| self.package_script(name)))
    }

    fn package_script(&self, name: &str) -> Option<String> {
        let text = read_regular_text(&self.context_dir.join("package.json"), LARGEST_BY_HAND).ok()?;
        let package: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(package["scripts"][name].as_str()?.to_owned())
    }

    async fn run(&self, run: &str, line: &mut impl FnMut(String)) -> Result<(), SynthesisError> {
        line(format!("$ {run}"));
        let mut env = self.app.env.clone();
        if !self.app.context.is_empty() {
            env.entry("CDK_CONTEXT_JSON".to_owned()).or_insert_with(|| context(&self.app.context));
        }
        // What constructs report stops the deployment of their stack. The CDK command line would give up the whole
        // app, also where a stack is only to be deployed when what it misses is there. This is its `--ignore-errors`.
        env.entry("CDK_IGNORE_ERRORS".to_owned()).or_insert_with(|| "true".to_owned());
        let (shell, run_as) = if self.as_in_builds { as_in_builds(run) } else { ("sh", run.to_owned()) };
        let script =
            Script { run: run_as, shell: shell.to_owned(), dir: self.dir.clone(), env, timeout: None };
        script.perform(line).await.map_err(|error| self.failed(run, error.with_source()))
    }

    fn failed(&self, run: &str, message: String) -> SynthesisError {
        SynthesisError { app: self.name.clone(), run: run.to_owned(), message }
    }

    /// The digest of the app's lock files, if it has any.
    fn lock_files(&self) -> Option<String> {
        let mut hash = Sha256::new();
        let mut any = false;
        for name in LOCK_FILES {
            match read_regular(&self.context_dir.join(name), LARGEST_MANIFEST) {
                Ok(bytes) => {
                    any = true;
                    hash.update(name.as_bytes());
                    hash.update(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return None,
            }
        }
        any.then(|| hex(&hash.finalize()))
    }
}

/// The shell of generated builds and what it is given, or the next best where there is no bash.
fn as_in_builds(run: &str) -> (&'static str, String) {
    match find_program("bash", Utf8Path::new("")) {
        Some(_) => ("bash", format!("set -Eeuo pipefail\n{run}")),
        None => ("sh", format!("set -eu\n{run}")),
    }
}

/// What is in the environment already, with the app's own context on top.
fn context(own: &BTreeMap<String, String>) -> String {
    let outer = std::env::var("CDK_CONTEXT_JSON").ok();
    let outer = outer.and_then(|text| serde_json::from_str(&text).ok());
    let mut all: serde_json::Map<String, serde_json::Value> = outer.unwrap_or_default();
    all.extend(own.iter().map(|(key, value)| (key.clone(), value.clone().into())));
    serde_json::Value::Object(all).to_string()
}

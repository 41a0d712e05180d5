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
/// The file for the digest of the lock files. It is in the folder of the installation, so that both are
/// deleted together.
const INSTALLED: &str = "node_modules/.paceline-installed";

/// The shown command for removing keys from `cdk.context.json`. The CDK has the same.
const FORGETTING: &str = "cdk context --reset";

/// An app that must be synthesized.
#[derive(Debug, Clone)]
pub struct Synthesis {
    /// The name of the app. `None` if there is only one app.
    pub name: Option<String>,
    /// The folder in which the commands of the app run.
    pub dir: Utf8PathBuf,
    /// The folder of the app itself. It has `cdk.json` and `cdk.context.json`, and may have a lock file.
    pub context_dir: Utf8PathBuf,
    /// The settings of the app.
    pub app: AppConfig,
    /// True if the commands come from a generated build. They run as in the build: in bash, until the first
    /// one fails.
    pub as_in_builds: bool,
}

/// The reason why an app could not be synthesized.
#[derive(Debug, thiserror::Error)]
#[error("{}`{run}` failed: {message}", app.as_ref().map(|app| format!("app `{app}`: ")).unwrap_or_default())]
pub struct SynthesisError {
    /// The name of the app. `None` if there is only one app.
    pub app: Option<String>,
    /// The command that failed.
    pub run: String,
    /// The end of the command, and its last output.
    pub message: String,
}

impl Explained for SynthesisError {
    fn hint(&self) -> Option<String> {
        Some("its whole output is above; `paceline synth` tries again".to_owned())
    }
}

impl Synthesis {
    /// Installs, builds and synthesizes. Calls `line` with each printed line.
    pub async fn perform(&self, mut line: impl FnMut(String)) -> Result<(), SynthesisError> {
        if let Some(install) = &self.app.install {
            let digest = self.lock_files();
            let stamp = self.context_dir.join(INSTALLED);
            let installed = read_regular_text(&stamp, LARGEST_BY_HAND).ok();
            if digest.is_some() && digest == installed {
                line("installed already: the lock file has not changed".to_owned());
            } else {
                self.run(install, &mut line).await?;
                // Only packages that a lock file pins are the same the next time. Without the folder nothing
                // can be recorded.
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

    /// Synthesizes an app that is installed and built.
    pub async fn again(&self, mut line: impl FnMut(String)) -> Result<(), SynthesisError> {
        match self.synth() {
            Some(synth) => self.run(&synth, &mut line).await,
            None => Ok(()),
        }
    }

    /// The values of the app's context in `cdk.context.json` that a stack can create.
    pub fn context(&self) -> Result<Vec<ContextLookup>, ContextFileError> {
        let named = &self.app.refresh_context;
        let file = ContextFile::read(&self.context_dir)?;
        Ok(file.lookups(self.name.as_deref(), |key, name| named.iter().any(|it| it == key || it == name)))
    }

    /// Removes the values that must be looked up again from `cdk.context.json`, and returns their keys.
    fn forget_context(&self) -> Result<Vec<String>, ContextFileError> {
        let named = &self.app.refresh_context;
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let file = ContextFile::read(&self.context_dir)?;
        file.forget(|key, name| named.iter().any(|it| it == key || Some(it.as_str()) == name))
    }

    /// The synthesis command with the app's context. The CDK command line takes context as options. Other
    /// programs take it from `CDK_CONTEXT_JSON`, which the CDK command line sets itself.
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
        // An error of a construct prevents the deployment of its stack only. The CDK command line would
        // refuse the whole app, even if the stack is deployed only later, when the missing value exists. This
        // is its `--ignore-errors`.
        env.entry("CDK_IGNORE_ERRORS".to_owned()).or_insert_with(|| "true".to_owned());
        let (shell, run_as) = if self.as_in_builds { as_in_builds(run) } else { ("sh", run.to_owned()) };
        let script =
            Script { run: run_as, shell: shell.to_owned(), dir: self.dir.clone(), env, timeout: None };
        script.perform(line).await.map_err(|error| self.failed(run, error.with_source()))
    }

    fn failed(&self, run: &str, message: String) -> SynthesisError {
        SynthesisError { app: self.name.clone(), run: run.to_owned(), message }
    }

    /// The digest of the app's lock files. `None` if it has none.
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

/// The shell of generated builds, and the script for it. Without bash, the next best shell.
fn as_in_builds(run: &str) -> (&'static str, String) {
    match find_program("bash", Utf8Path::new("")) {
        Some(_) => ("bash", format!("set -Eeuo pipefail\n{run}")),
        None => ("sh", format!("set -eu\n{run}")),
    }
}

/// The context from the environment, overridden by the app's own context.
fn context(own: &BTreeMap<String, String>) -> String {
    let outer = std::env::var("CDK_CONTEXT_JSON").ok();
    let outer = outer.and_then(|text| serde_json::from_str(&text).ok());
    let mut all: serde_json::Map<String, serde_json::Value> = outer.unwrap_or_default();
    all.extend(own.iter().map(|(key, value)| (key.clone(), value.clone().into())));
    serde_json::Value::Object(all).to_string()
}

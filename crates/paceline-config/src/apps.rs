//! The apps of a deployment of several.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Deserialize;

/// A CDK app: its folder, and how it is synthesized.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// The folder of the app, relative to the configuration.
    pub dir: Utf8PathBuf,
    /// The folder of its assembly, relative to its own.
    #[serde(default = "cdk_out")]
    pub assembly: Utf8PathBuf,
    /// Installs what it needs. Skipped while a lock file of Node's is the one that was installed from.
    #[serde(default)]
    pub install: Option<String>,
    /// Compiles it.
    #[serde(default)]
    pub build: Option<String>,
    /// Synthesizes it, once for each run. Without it, the assembly is made elsewhere.
    #[serde(default)]
    pub synth: Option<String>,
    /// Context of the CDK for the synthesis.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// Keys of `cdk.context.json`, or names of parameters in it, that are looked up again in every run: before it, and
    /// when a stack that makes the parameter has been deployed.
    #[serde(default, rename = "refresh-context")]
    pub refresh_context: Vec<String>,
    /// The folder of an assembly, relative to the app's own, as the app is when it is synthesized again in the middle
    /// of a run: what simulations go on with, which run no commands.
    #[serde(default)]
    pub recorded: Option<Utf8PathBuf>,
    /// Environment variables for all three.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl AppConfig {
    /// An app in a folder, with the folder of its assembly, and nothing said of how it is made.
    pub fn new(dir: impl Into<Utf8PathBuf>, assembly: impl Into<Utf8PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            assembly: assembly.into(),
            install: None,
            build: None,
            synth: None,
            context: BTreeMap::new(),
            refresh_context: Vec::new(),
            recorded: None,
            env: BTreeMap::new(),
        }
    }
}

fn cdk_out() -> Utf8PathBuf {
    "cdk.out".into()
}

/// What a name may be made of: it becomes part of stack ids, file names and patterns.
pub fn is_in_app_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

//! The apps of a deployment of several.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::setting::settings;

settings! {
    /// A CDK app: its folder, and how it is synthesized.
    pub struct AppConfig {
        /// The folder of the app, relative to this file.
        pub dir: Utf8PathBuf,
        /// The folder of its assembly, relative to the folder of the app.
        pub assembly: Utf8PathBuf = "cdk.out".into(),
        /// The command that installs its packages. It is skipped when the lock file of Node.js has not changed since
        /// the last installation.
        pub install: Option<String>,
        /// The command that compiles it.
        pub build: Option<String>,
        /// The command that synthesizes it, once in each run. Without it, the assembly must be there already.
        pub synth: Option<String>,
        /// Context values that the CDK gets for the synthesis.
        pub context: BTreeMap<String, String> = BTreeMap::new(),
        /// Cached lookups that every run makes again: keys of `cdk.context.json`, or names of parameters in it. Each
        /// is looked up before the run, and again when a stack that creates the parameter has been deployed.
        pub refresh_context: Vec<String> = Vec::new(),
        /// The folder of a second assembly, relative to the folder of the app, for simulations: the app as it is when
        /// it is synthesized again in the middle of a run. Simulations run no commands, and continue with this one.
        pub recorded: Option<Utf8PathBuf>,
        /// Environment variables of `install`, `build` and `synth`.
        pub env: BTreeMap<String, String> = BTreeMap::new(),
    }
}

impl AppConfig {
    /// An app in a folder, with the folder of its assembly, and no commands.
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

/// The characters that a name may have: it becomes part of stack ids, file names and patterns.
pub fn is_in_app_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

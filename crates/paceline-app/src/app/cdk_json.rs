//! The app of a `cdk.json` in this folder, for a team that has no `paceline.yaml`.

use camino::{Utf8Path, Utf8PathBuf};
use paceline_config::AppConfig;
use paceline_host::find_program;

use super::Configured;
use crate::init::project;
use crate::terminal;

/// The start of a command that fetches the CDK CLI, and the CLI of this machine in its place.
const FETCHED: &str = "npx --yes aws-cdk@2 ";
const INSTALLED: &str = "cdk ";

impl Configured {
    /// Takes the folder of the assembly from `cdk.json`. If there is no assembly in it, the app is synthesized first, as
    /// the CDK CLI does.
    pub(super) fn use_cdk_json(&mut self) {
        let found = project::find(Utf8Path::new("."));
        if !found.is_cdk_app {
            return;
        }
        let is_synthesized = found.assembly.join("manifest.json").exists();
        self.config.app = Some(found.assembly.clone());
        let Some(synth) = found.synth.filter(|_| !is_synthesized) else { return };
        let synth = match synth.strip_prefix(FETCHED) {
            Some(rest) if find_program("cdk", Utf8Path::new("")).is_some() => format!("{INSTALLED}{rest}"),
            _ => synth,
        };
        // Packages that are there are left alone: this program may be one of them.
        let needs_packages =
            Utf8Path::new("package.json").is_file() && !Utf8Path::new("node_modules").exists();
        let install = found.install.filter(|_| needs_packages);
        self.only = Some(AppConfig { install, synth: Some(synth), ..AppConfig::new("", found.assembly) });
        self.is_automatic = true;
    }

    /// Says why the app is synthesized although nothing asks for it.
    pub(super) fn say_automatic(&self) {
        if self.is_automatic {
            let missing: Utf8PathBuf = self.assembly();
            terminal::note(&format!("there is no {missing}: synthesizing the app of cdk.json first"));
        }
    }
}

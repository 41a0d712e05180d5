//! The programs that are compared, and how they are called.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use fs_err as fs;
use xshell::{Shell, cmd};

use super::case::Case;

/// The version of the CDK CLI that is compared.
pub(super) const CDK: &str = "2.1148.1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Cdk,
    CdkDirect,
    Paceline,
    PacelineChangeSets,
}

impl Program {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cdk => "CDK CLI",
            Self::CdkDirect => "CDK CLI, direct",
            Self::Paceline => "Paceline",
            Self::PacelineChangeSets => "Paceline, change sets",
        }
    }
}

/// The installed programs.
pub(super) struct Programs {
    pub(super) paceline: PathBuf,
    cdk: PathBuf,
    /// A stand-in for docker.
    docker: PathBuf,
}

/// Builds each image in ten seconds, knows none before, and pushes at once.
const DOCKER: &str = r#"#!/bin/sh
case " $* " in
  *" build "*) sleep 10 ;;
  *" inspect "*) exit 1 ;;
  *" login "*) cat > /dev/null ;;
esac
"#;

impl Programs {
    /// Installs the CDK CLI from npm into this folder.
    pub(super) fn install(sh: &Shell, folder: &Path, paceline: PathBuf) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let package = format!("aws-cdk@{CDK}");
        cmd!(sh, "npm install --silent --no-save --no-audit --no-fund --prefix {folder} {package}")
            .run()
            .context("the CDK CLI cannot be installed: this comparison needs npm")?;
        let docker = folder.join("docker");
        fs::write(&docker, DOCKER)?;
        fs::set_permissions(&docker, Permissions::from_mode(0o755))?;
        Ok(Self { paceline, cdk: folder.join("node_modules/aws-cdk/bin/cdk"), docker })
    }

    /// The command that deploys the app in this folder.
    pub(super) fn deploy(&self, program: Program, case: &Case, app: &Path) -> Command {
        let concurrency = case.concurrency.to_string();
        let is_cdk = matches!(program, Program::Cdk | Program::CdkDirect);
        #[expect(clippy::disallowed_methods, reason = "only the program itself is measured")]
        let mut command = if is_cdk { Command::new("node") } else { Command::new(&self.paceline) };
        if is_cdk {
            command.arg(&self.cdk);
        }
        command.args(["deploy", "--app"]).arg(app).args(["--concurrency", &concurrency]);
        if is_cdk {
            command.args([
                "--all",
                "--require-approval",
                "never",
                "--no-notices",
                "--no-version-reporting",
                "--ci",
            ]);
            command.args(["--progress", "events", "--asset-build-concurrency", "16"]);
            command.env("CDK_DISABLE_CLI_TELEMETRY", "true");
        }
        // Both programs read this variable.
        command.env("CDK_DOCKER", &self.docker);
        match program {
            Program::Cdk | Program::Paceline => {}
            Program::CdkDirect => drop(command.args(["--method", "direct"])),
            Program::PacelineChangeSets => drop(command.args(["--method", "change-set"])),
        }
        command
    }
}

//! What is packed: one version, its binaries, the time that its files carry.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use super::target::Target;

/// What Paceline is, in one line.
pub(super) const ABOUT: &str = "Deploys AWS CDK apps of many stacks in parallel";

/// A release of this workspace.
pub(super) struct Release {
    pub(super) version: String,
    /// The time of every file, in seconds since 1970: `SOURCE_DATE_EPOCH`, or the last commit.
    pub(super) time: u64,
    /// Whether packages are compressed little, so that they are there sooner.
    pub(super) fast: bool,
    pub(super) binaries: Vec<Binary>,
}

/// A program for one platform.
pub(super) struct Binary {
    pub(super) path: PathBuf,
    pub(super) target: &'static Target,
    pub(super) bytes: Vec<u8>,
}

impl Release {
    /// The release of the present sources, without binaries.
    pub(super) fn new(sh: &Shell, fast: bool) -> Result<Self> {
        let time = match sh.var("SOURCE_DATE_EPOCH") {
            Ok(time) => time.trim().parse().context("SOURCE_DATE_EPOCH is no number of seconds")?,
            Err(_) => cmd!(sh, "git log -1 --format=%ct")
                .quiet()
                .read()
                .ok()
                .and_then(|time| time.trim().parse().ok())
                .unwrap_or_default(),
        };
        Ok(Self { version: env!("CARGO_PKG_VERSION").to_owned(), time, fast, binaries: Vec::new() })
    }

    /// The binary that this machine can run. It writes its own manual pages and completions.
    pub(super) fn runnable(&self, sh: &Shell) -> Result<&Binary> {
        let binary = self.binaries.iter().find(|binary| binary.target.is_host());
        let binary = binary.context(
            "none of the binaries runs on this machine, and one has to write its manual pages\n hint: give one \
             that does with --binary, too",
        )?;
        let path = &binary.path;
        let says = cmd!(sh, "{path} --version").quiet().read()?;
        let expected = format!("paceline {}", self.version);
        ensure!(
            says.trim() == expected,
            "{} says that it is \"{}\", and this is {expected}\n hint: build it from the present sources",
            path.display(),
            says.trim()
        );
        Ok(binary)
    }
}

impl Binary {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = fs_err::read(path)?;
        let target = Target::of(&bytes).with_context(|| format!("{} cannot be packed", path.display()))?;
        Ok(Self { path: std::path::absolute(path)?, target, bytes })
    }
}

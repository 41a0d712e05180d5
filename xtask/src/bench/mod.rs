//! `cargo xtask bench`: measures time and memory.

mod deploy;
mod plan;
mod server;
mod unchanged;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::tasks::root;

pub(crate) use deploy::deploy;
pub(crate) use plan::plan;
pub(crate) use unchanged::unchanged;

/// With this variable, `paceline` says its peak memory at its end.
const PEAK_MEMORY: &str = "PACELINE_PEAK_MEMORY";

/// The duration and the peak memory of one process.
struct Ran {
    time: Duration,
    /// In kibibytes.
    memory: u64,
}

/// The path of the binary to measure. Without one, makes a release build.
fn program(sh: &Shell, binary: Option<&Path>) -> Result<PathBuf> {
    if let Some(binary) = binary {
        return Ok(std::path::absolute(binary)?);
    }
    cmd!(sh, "cargo build --release --package paceline").quiet().run().context("paceline does not build")?;
    Ok(root().join("target/release/paceline"))
}

/// Runs `paceline` once, from its start to its end.
fn run(program: &Path, set: impl FnOnce(&mut Command) -> &mut Command) -> Result<Ran> {
    #[expect(clippy::disallowed_methods, reason = "only the program itself is measured")]
    let mut command = Command::new(program);
    set(&mut command).env(PEAK_MEMORY, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
    let time = started.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{} ended with {}: {said}", program.display(), output.status);
    }
    let peak =
        said.lines().find_map(|line| line.strip_prefix("peak memory: ")?.strip_suffix(" kB")?.parse().ok());
    let memory = peak.context("paceline did not say how much memory it took: this needs Linux's /proc")?;
    Ok(Ran { time, memory })
}

//! What each task runs. The work itself is in the `paceline` command: a task only calls it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// The example app, from the root of the workspace.
const EXAMPLE: &str = "tests/fixtures/workshop";

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Plans the example, writes what a team commits, and deploys it to the embedded AWS.
pub(crate) fn demo(sh: &Shell) -> Result<ExitCode> {
    build(sh)?;
    // All fourteen stacks, in both regions.
    let _multi_region = sh.push_env("ENABLE_MULTI_REGION", "true");
    for arguments in [&["plan"][..], &["gen"], &["deploy", "--simulate"]] {
        eprintln!("\n$ paceline {} --config {EXAMPLE}/paceline.yaml\n", arguments.join(" "));
        let code = paceline(sh, arguments)?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes, or checks, the generated files of the example.
pub(crate) fn gen_buildspec(sh: &Shell, check: bool) -> Result<ExitCode> {
    build(sh)?;
    let arguments: &[&str] = if check { &["gen", "--check"] } else { &["gen"] };
    let code = paceline(sh, arguments)?;
    if code == 5 {
        eprintln!("       or: cargo xtask gen-buildspec");
    }
    Ok(ExitCode::from(code))
}

/// Writes, or checks, the schemas that editors use.
pub(crate) fn schema(sh: &Shell, check: bool) -> Result<ExitCode> {
    build(sh)?;
    let mut worst = 0;
    for (of, name) in [("config", "paceline"), ("buildspec", "buildspec")] {
        let out = format!("docs/schema/{name}.schema.json");
        let check = check.then_some("--check");
        let run = cmd!(sh, "cargo run --quiet --package paceline -- schema {of} --out {out} {check...}");
        worst = worst.max(exit_code(run)?);
    }
    if worst == 5 {
        eprintln!("       or: cargo xtask schema");
    }
    Ok(ExitCode::from(worst))
}

/// Synthesizes the example from scratch, so that nothing of an earlier synthesis stays behind.
pub(crate) fn synth(sh: &Shell) -> Result<ExitCode> {
    sh.change_dir(EXAMPLE);
    let _quiet = sh.push_env("CDK_DISABLE_CLI_TELEMETRY", "true");
    cmd!(sh, "npm ci --no-audit --no-fund").run().context("Node and npm are needed to synthesize")?;
    sh.remove_path("cdk.out")?;
    cmd!(sh, "npx --no-install cdk synth --quiet").run()?;
    cmd!(sh, "git status --short cdk.out").run()?;
    Ok(ExitCode::SUCCESS)
}

/// Builds on its own, so that a first build shows how it gets on.
pub(crate) fn build(sh: &Shell) -> Result<()> {
    cmd!(sh, "cargo build --package paceline").quiet().run().context("paceline does not build")
}

/// Runs the `paceline` of this workspace and gives its exit code.
fn paceline(sh: &Shell, arguments: &[&str]) -> Result<u8> {
    let run =
        cmd!(sh, "cargo run --quiet --package paceline -- {arguments...} --config {EXAMPLE}/paceline.yaml");
    exit_code(run)
}

fn exit_code(run: xshell::Cmd<'_>) -> Result<u8> {
    let status = Command::from(run).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

//! The tasks that run the `paceline` command on the example, or run another tool on it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::schemas::SCHEMAS;

/// The example app, from the root of the workspace.
pub(crate) const EXAMPLE: &str = "tests/fixtures/workshop";

/// The folder of the example's second app, and the parameter that its synthesis looks up.
const GUIDE: &str = "guide";
const LOOKED_UP: &str = "ssm:account=111111111111:parameterName=/workshop/storefront/url:region=us-east-1";
/// The value of that parameter: the sample address in the documentation of CloudFront.
const FOUND: &str = "https://d111111abcdef8.cloudfront.net";
/// The exit code for a stale file, as of `paceline gen --check`.
pub(crate) const STALE: u8 = 5;
/// The arguments for a synthesis without calls to AWS.
const OFFLINE: [&str; 4] = ["cdk", "synth", "--quiet", "--no-lookups"];

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Plans the example, writes its generated files, and deploys it to the embedded AWS. Then plans and deploys it together
/// with the second app, which the run synthesizes again.
pub(crate) fn demo(sh: &Shell) -> Result<ExitCode> {
    build(sh)?;
    // All fourteen stacks, in both regions.
    let _multi_region = sh.push_env("ENABLE_MULTI_REGION", "true");
    let one_app = [&["plan"][..], &["gen"], &["deploy", "--simulate"]].map(|it| (it, "paceline.yaml"));
    let two_apps = [&["plan"][..], &["deploy", "--simulate"]].map(|it| (it, "apps.yaml"));
    for (arguments, config) in one_app.into_iter().chain(two_apps) {
        eprintln!("\n$ paceline {} --config {EXAMPLE}/{config}\n", arguments.join(" "));
        let code = paceline(sh, arguments, config)?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Plays random deployments.
pub(crate) fn dst(sh: &Shell, known_bugs: bool, arguments: &[String]) -> Result<ExitCode> {
    let features: &[&str] = if known_bugs { &["--features", "known-bugs"] } else { &[] };
    let known_bugs = known_bugs.then_some("--known-bugs");
    let run = cmd!(
        sh,
        "cargo run --quiet --release --package paceline-dst {features...} -- {known_bugs...} {arguments...}"
    );
    Ok(ExitCode::from(exit_code(run)?))
}

/// Writes, or checks, the generated files of the example.
pub(crate) fn gen_buildspec(sh: &Shell, check: bool) -> Result<ExitCode> {
    build(sh)?;
    let arguments: &[&str] = if check { &["gen", "--check"] } else { &["gen"] };
    let code = paceline(sh, arguments, "paceline.yaml")?;
    if code == STALE {
        eprintln!("       or: cargo xtask gen-buildspec");
    }
    Ok(ExitCode::from(code))
}

/// Writes, or checks, the JSON Schemas.
pub(crate) fn schema(sh: &Shell, check: bool) -> Result<ExitCode> {
    build(sh)?;
    let mut worst = 0;
    for schema in &SCHEMAS {
        let (of, out) = (schema.of, schema.path());
        let check = check.then_some("--check");
        let run = cmd!(sh, "cargo run --quiet --package paceline -- schema {of} --out {out} {check...}");
        worst = worst.max(exit_code(run)?);
    }
    if worst == STALE {
        eprintln!("       or: cargo xtask schema");
    }
    Ok(ExitCode::from(worst))
}

/// Synthesizes the example, after it has removed the old assembly.
pub(crate) fn synth(sh: &Shell) -> Result<ExitCode> {
    sh.change_dir(EXAMPLE);
    let _quiet = sh.push_env("CDK_DISABLE_CLI_TELEMETRY", "true");
    cmd!(sh, "npm ci --no-audit --no-fund").run().context("Node and npm are needed to synthesize")?;
    sh.remove_path("cdk.out")?;
    cmd!(sh, "npx --no-install cdk synth --quiet").run()?;
    guide(sh)?;
    cmd!(sh, "git status --short .").run()?;
    Ok(ExitCode::SUCCESS)
}

/// Synthesizes the second app twice: as on a fresh account, and with the parameter that it looks up.
fn guide(sh: &Shell) -> Result<()> {
    let _here = sh.push_dir(GUIDE);
    for folder in ["cdk.out", "cdk.recorded"] {
        sh.remove_path(folder)?;
    }
    // The CDK CLI fails, because the parameter is missing, but writes the assembly.
    cmd!(sh, "npx --no-install {OFFLINE...}").ignore_status().quiet().ignore_stderr().run()?;
    let manifest = sh.read_file("cdk.out/manifest.json").context("the guide was not synthesized")?;
    ensure!(manifest.contains(LOOKED_UP), "the guide does not look up {LOOKED_UP}");
    // The CDK reads the value from here, as if it had found it in AWS.
    let context = "cdk.context.json";
    sh.write_file(context, format!("{{ \"{LOOKED_UP}\": \"{FOUND}\" }}"))?;
    let again = cmd!(sh, "npx --no-install {OFFLINE...} --output cdk.recorded").run();
    sh.remove_path(context)?;
    Ok(again?)
}

/// Builds `paceline` in a command of its own, so that a first build shows its progress.
pub(crate) fn build(sh: &Shell) -> Result<()> {
    cmd!(sh, "cargo build --package paceline").quiet().run().context("paceline does not build")
}

/// Runs the `paceline` of this workspace and gives its exit code.
fn paceline(sh: &Shell, arguments: &[&str], config: &str) -> Result<u8> {
    exit_code(cmd!(sh, "cargo run --quiet --package paceline -- {arguments...} --config {EXAMPLE}/{config}"))
}

fn exit_code(run: xshell::Cmd<'_>) -> Result<u8> {
    let status = Command::from(run).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

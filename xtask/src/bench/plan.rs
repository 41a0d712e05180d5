//! `cargo xtask bench plan`: measures the time and memory of plans, to see that they grow linearly with the app.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::synthetic;
use crate::tasks::root;

/// The sizes of the assemblies, in stacks.
const SIZES: [usize; 6] = [200, 250, 500, 1_000, 2_000, 4_000];
/// The number of runs of each size. Their median time is shown.
const RUNS: usize = 7;
/// With this variable, `paceline` says its peak memory at its end.
const PEAK_MEMORY: &str = "PACELINE_PEAK_MEMORY";

/// The result for one size.
struct Measured {
    stacks: usize,
    time: Duration,
    /// In kibibytes.
    memory: u64,
}

/// Measures `paceline plan` on assemblies of growing size.
pub(crate) fn plan(sh: &Shell, binary: Option<&Path>) -> Result<ExitCode> {
    let program = match binary {
        Some(binary) => std::path::absolute(binary)?,
        None => {
            let build = cmd!(sh, "cargo build --release --package paceline");
            build.quiet().run().context("paceline does not build")?;
            root().join("target/release/paceline")
        }
    };
    let folder = sh.create_temp_dir()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "paceline plan --format json, optimized, {cores} cores: the whole process, from its start to its end.\n\
         Synthetic assemblies of {} resources a stack in two regions, each with the template and the asset\n\
         manifest of a real one, every stack with up to three edges. {RUNS} runs each after one that warms the\n\
         file cache; the median time, and the peak of resident memory (VmHWM) of the largest run. \"a stack\" is\n\
         the time for one: with a cost that grows linearly it stays the same. \"times\" compare with the row before.\n",
        synthetic::RESOURCES
    );
    println!(
        "{:>7} {:>10} {:>10} {:>7} {:>11} {:>10} {:>7}",
        "stacks", "resources", "time", "times", "a stack", "memory", "times"
    );
    let mut before: Option<Measured> = None;
    for stacks in SIZES {
        let app = folder.path().join(format!("{stacks}"));
        synthetic::write(&app, stacks).with_context(|| format!("cannot write to {}", app.display()))?;
        let now = measure(&program, &app, stacks)?;
        let times =
            |now: f64, before: Option<f64>| before.map_or_else(String::new, |b| format!("{:.2}×", now / b));
        println!(
            "{:>7} {:>10} {:>7.0} ms {:>7} {:>8.0} µs {:>7.0} MB {:>7}",
            now.stacks,
            now.stacks * synthetic::RESOURCES,
            now.time.as_secs_f64() * 1e3,
            times(now.time.as_secs_f64(), before.as_ref().map(|b| b.time.as_secs_f64())),
            now.time.as_secs_f64() * 1e6 / now.stacks as f64,
            now.memory as f64 / 1024.0,
            times(now.memory as f64, before.as_ref().map(|b| b.memory as f64)),
        );
        before = Some(now);
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(program: &Path, app: &Path, stacks: usize) -> Result<Measured> {
    run(program, app)?;
    let mut times = Vec::with_capacity(RUNS);
    let mut memory = 0;
    for _ in 0..RUNS {
        let (time, peak) = run(program, app)?;
        times.push(time);
        memory = memory.max(peak);
    }
    times.sort_unstable();
    Ok(Measured { stacks, time: times[RUNS / 2], memory })
}

/// Runs once. Gives the duration and the peak memory in kibibytes.
fn run(program: &Path, app: &Path) -> Result<(Duration, u64)> {
    #[expect(clippy::disallowed_methods, reason = "only the program itself is measured")]
    let mut command = Command::new(program);
    // This folder has no history and no configuration that the plan would use.
    command.args(["plan", "--format", "json", "--app"]).arg(app).current_dir(app).env(PEAK_MEMORY, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
    let took = started.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{} ended with {}: {said}", program.display(), output.status);
    }
    let peak =
        said.lines().find_map(|line| line.strip_prefix("peak memory: ")?.strip_suffix(" kB")?.parse().ok());
    Ok((took, peak.context("paceline did not say how much memory it took: this needs Linux's /proc")?))
}

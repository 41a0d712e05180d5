//! `cargo xtask bench plan`: measures the time and memory of plans, to see that they grow linearly with the app.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use xshell::Shell;

use super::{Ran, program, run};
use crate::synthetic::{self, Layout};

/// The sizes of the assemblies, in stacks.
const SIZES: [usize; 6] = [200, 250, 500, 1_000, 2_000, 4_000];
/// The number of runs of each size. Their median time is shown.
const RUNS: usize = 7;
/// The result for one size.
struct Measured {
    stacks: usize,
    time: Duration,
    /// In kibibytes.
    memory: u64,
}

/// Measures `paceline plan` on assemblies of growing size.
pub(crate) fn plan(sh: &Shell, binary: Option<&Path>) -> Result<ExitCode> {
    let program = program(sh, binary)?;
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
        synthetic::write(&app, &Layout { stacks, ..Layout::default() })
            .with_context(|| format!("cannot write to {}", app.display()))?;
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
    // This folder has no history and no configuration that the plan would use.
    let plan = || {
        run(program, |command| command.args(["plan", "--format", "json", "--app"]).arg(app).current_dir(app))
    };
    plan()?;
    let mut times = Vec::with_capacity(RUNS);
    let mut memory = 0;
    for _ in 0..RUNS {
        let Ran { time, memory: peak } = plan()?;
        times.push(time);
        memory = memory.max(peak);
    }
    times.sort_unstable();
    Ok(Measured { stacks, time: times[RUNS / 2], memory })
}

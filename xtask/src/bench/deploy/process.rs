//! Runs a program, and measures it.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err as fs;

/// How often the figures of a process are read.
const EVERY: Duration = Duration::from_millis(20);
/// The unit of CPU time in `/proc`, for programs on Linux: a second has 100 of them on every architecture.
const TICKS: f64 = 100.0;
/// A program that takes longer than this is stuck.
const LIMIT: Duration = Duration::from_mins(15);

/// The figures of one process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) time: Duration,
    /// In seconds.
    pub(super) cpu: f64,
    /// The peak of its resident memory, in kibibytes.
    pub(super) memory: u64,
    pub(super) succeeded: bool,
}

/// Runs the command to its end. What it writes goes into the file.
pub(super) fn measure(mut command: Command, log: &std::path::Path) -> Result<Figures> {
    let output = fs::File::create(log)?.into_parts().0;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let (mut memory, mut cpu) = (0, 0.0);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Figures { time: started.elapsed(), cpu, memory, succeeded: status.success() });
        }
        // The process may end between two reads.
        if let Some((now, peak)) = figures(child.id()) {
            (cpu, memory) = (now, peak);
        }
        if started.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            bail!("a program was stuck: it wrote {}", log.display());
        }
        thread::sleep(EVERY);
    }
}

/// The CPU time of a process in seconds, and the peak of its resident memory in kibibytes.
fn figures(id: u32) -> Option<(f64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program may have spaces. The times of user and system are the 14th and the 15th value.
    let (_, values) = stat.rsplit_once(") ")?;
    let ticks: f64 = values.split(' ').skip(11).take(2).filter_map(|value| value.parse::<f64>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    Some((ticks / TICKS, peak.trim().parse().ok()?))
}

//! Listens for signals and for the deadline.

use std::sync::{PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use paceline_engine::{ExitCode, OUT_OF_TIME};
use paceline_host::processes;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep_until;

use super::{LIMIT, PROCESS, ask, failure, now};
use crate::failure::Failure;
use crate::terminal;

/// The longest time that a message waits for a reader.
const SAY_WITHIN: Duration = Duration::from_millis(200);

/// Starts a thread that listens. `deadline` counts from the start of the process.
pub fn listen(deadline: Option<Duration>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("cannot listen for signals: {error}"), "free some threads or open files")
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let signals = {
        let _within = runtime.enter();
        Signals::listen().map_err(failed)?
    };
    // A deadline beyond the range of the clock is no deadline.
    let deadline = deadline.and_then(|deadline| PROCESS.began.checked_add(deadline));
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(move || wait(&runtime, signals, deadline)).map(drop).map_err(failed)
}

fn wait(runtime: &Runtime, mut signals: Signals, deadline: Option<Instant>) {
    runtime.block_on(async {
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            name = signals.next() => {
                PROCESS.asked.get_or_init(Instant::now);
                let next = now().next;
                // Before anything stops, so that the messages about the end come after it.
                say(if name == CTRL_C {
                    format!("Interrupted.{next} Press Ctrl-C again to exit now.")
                } else {
                    format!("Interrupted ({name}).{next}")
                });
                ask(name);
            }
            () = late => ask(OUT_OF_TIME),
        }
        let end = PROCESS.asked.get().copied().unwrap_or_else(Instant::now) + LIMIT;
        tokio::select! {
            _ = signals.next() => {}
            () = sleep_until(end.into()) => say(failure().to_string()),
        }
    });
    within(SAY_WITHIN, terminal::end_live);
    say_what_is_left();
    processes().kill_all();
    #[expect(
        clippy::exit,
        reason = "a second signal, or work that does not stop; the journal is complete at any moment"
    )]
    std::process::exit(ExitCode::Interrupted.code().into());
}

/// Says what a run leaves behind, if the process ends before the run.
pub(super) fn say_what_is_left() {
    let left = PROCESS.left.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let left = left.map(|left| left()).unwrap_or_default();
    if !left.is_empty() {
        say(left.trim_end().to_owned());
    }
}

/// Writes a message, but does not wait for a reader.
fn say(text: String) {
    within(SAY_WITHIN, move || terminal::say(&text));
}

/// Does something that may never end, and waits for it so long.
fn within(time: Duration, work: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || {
        work();
        // After the timeout, nobody receives this.
        let _ = sender.send(());
    });
    let _ = done.recv_timeout(time);
}

/// The signal that a terminal sends for Ctrl-C.
#[cfg(unix)]
const CTRL_C: &str = "SIGINT";
#[cfg(not(unix))]
const CTRL_C: &str = "Ctrl-C";

#[cfg(unix)]
#[derive(Debug)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// The terminal was closed. A process that `nohup` has started ignores that.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn next(&mut self) -> &'static str {
        let Self { interrupt, terminate, hang_up } = self;
        let hang_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => CTRL_C,
            _ = terminate.recv() => "SIGTERM",
            _ = hang_up => "SIGHUP",
        }
    }
}

/// Whether this process was started with that signal ignored, if the system says so.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => CTRL_C,
            Err(_) => std::future::pending().await,
        }
    }
}

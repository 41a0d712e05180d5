//! Ends this process before its work is done: on a signal, or when its time is over.
//!
//! The first signal asks the work to stop. Work that only waits is dropped, and the programs that it runs end with it. A
//! run ends in an orderly way. Work that cannot be stopped, such as reading a file that nobody writes, is left behind on
//! its thread. A second signal ends the process at once. So does the end of the five seconds that all this may take.
//!
//! There is one process, with one set of signals. That is why its state is global.

mod signals;

use std::panic;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use paceline_engine::{OUT_OF_TIME, Stop};
use paceline_host::{GRACE, processes};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::runtime::runtime;

pub use signals::listen;

/// The process has ended this long after a signal, whatever it is doing.
const LIMIT: Duration = Duration::from_millis(4800);
/// The last part of it, for ending the programs that still run, and for saying so.
const LAST: Duration = Duration::from_millis(300);
/// How long work may take to stop if it looks for signals.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How long work may take to stop if it does not look for signals.
const NO_PATIENCE: Duration = Duration::from_millis(500);
/// As much as the main thread has. Deep templates need more than other threads usually have.
const STACK: usize = 16 * 1024 * 1024;

static PROCESS: LazyLock<Process> = LazyLock::new(|| Process {
    began: Instant::now(),
    stop: Stop::default(),
    asked: OnceLock::new(),
    left: OnceLock::new(),
    doing: Mutex::new(Doing { what: "files were being read", effect: "", next: "", patience: NO_PATIENCE }),
});

/// The state of this process that an interruption needs.
struct Process {
    began: Instant,
    stop: Stop,
    /// The time of the first request to stop.
    asked: OnceLock<Instant>,
    doing: Mutex<Doing>,
    /// Describes what a run leaves behind, if the process ends before the run.
    left: OnceLock<Box<dyn Fn() -> String + Send + Sync>>,
}

/// What the process is doing, for the message about its interruption.
#[derive(Debug, Clone, Copy)]
struct Doing {
    /// Completes "Interrupted while …".
    what: &'static str,
    /// What the command has done so far, as a sentence.
    effect: &'static str,
    /// What will happen after the interruption, as a sentence.
    next: &'static str,
    patience: Duration,
}

/// The request to stop this process, which others can wait for.
pub fn stop() -> Stop {
    PROCESS.stop.clone()
}

/// Names the work that begins here and cannot be stopped.
pub fn doing(what: &'static str) {
    change(|doing| (doing.what, doing.patience) = (what, NO_PATIENCE));
}

/// Says in one sentence what the command has done so far.
pub fn effect(effect: &'static str) {
    change(|doing| doing.effect = effect);
}

/// From here on, the journal has what was done.
pub fn run_has_begun() {
    change(|doing| {
        doing.what = "the run was being stopped";
        doing.effect = "The same command goes on with the run.";
        doing.next = " Nothing new will start.";
    });
}

/// Sets the function that describes what the run leaves behind, if the process ends before the run. A process has one
/// run.
pub fn left_behind(left: impl Fn() -> String + Send + Sync + 'static) {
    drop(PROCESS.left.set(Box::new(left)));
}

fn change(change: impl FnOnce(&mut Doing)) {
    change(&mut PROCESS.doing.lock().unwrap_or_else(PoisonError::into_inner));
}

fn now() -> Doing {
    *PROCESS.doing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks all work to stop.
fn ask(reason: &str) {
    PROCESS.asked.get_or_init(Instant::now);
    PROCESS.stop.request(reason);
}

/// The failure of a command that was interrupted.
pub fn failure() -> Failure {
    let Doing { what, effect, .. } = now();
    let is_late = PROCESS.stop.reason().is_some_and(|reason| reason == OUT_OF_TIME);
    let how = if is_late { "Out of time" } else { "Interrupted" };
    Failure::interrupted(format!("{how} while {what}. {effect}").trim_end())
}

/// Does work on a thread of its own, and waits for its end. If the process is interrupted and the work does not end in
/// time, the thread is left behind.
pub fn supervise<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, mut ended) = oneshot::channel();
    let thread = thread::Builder::new().name("command".to_owned()).stack_size(STACK);
    // Nobody receives the result of work that was left behind.
    let thread = thread.spawn(move || drop(sender.send(work())));
    let thread = thread.map_err(|error| {
        Failure::usage(format!("cannot start: {error}"), "free some memory, threads or open files")
    })?;
    let ended = runtime()?.block_on(async {
        tokio::select! {
            biased;
            ended = &mut ended => return Some(ended),
            () = PROCESS.stop.requested() => {}
        }
        tokio::time::timeout(now().patience, ended).await.ok()
    });
    match ended {
        Some(Ok(ended)) => ended,
        // The work has panicked.
        Some(Err(_)) => match thread.join() {
            Err(panic) => panic::resume_unwind(panic),
            Ok(()) => Err(failure()),
        },
        None => {
            signals::tell_of_what_is_left();
            Err(failure())
        }
    }
}

/// Waits for work that can be dropped at any moment.
pub fn until_stopped<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    to_its_end(what, stoppable(work))?
}

/// The same, inside of other work.
pub async fn stoppable<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = PROCESS.stop.requested() => Err(failure()),
        done = work => Ok(done),
    }
}

/// Waits for work that ends soon by itself when this process is interrupted.
pub fn to_its_end<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    patiently(PATIENCE, what, work)
}

/// The same for work that may use all the time that is left.
pub fn as_long_as_there_is_time<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    patiently(LIMIT.saturating_sub(LAST), what, work)
}

fn patiently<T>(patience: Duration, what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let before = now();
    change(|doing| (doing.what, doing.patience) = (what, patience));
    let done = runtime.block_on(work);
    // Does not wait for a read that blocks.
    runtime.shutdown_background();
    change(|doing| (doing.what, doing.patience) = (before.what, before.patience));
    Ok(done)
}

/// Completes when the process was interrupted and its time is used up.
pub async fn time_is_up() {
    PROCESS.stop.requested().await;
    let asked = PROCESS.asked.get().copied().unwrap_or_else(Instant::now);
    tokio::time::sleep_until((asked + LIMIT.saturating_sub(2 * LAST)).into()).await;
}

/// Ends the programs that this process has started and has to end. After an interruption, these are all of them.
pub fn leave() {
    match PROCESS.asked.get() {
        Some(asked) => {
            let left = LIMIT.saturating_sub(2 * LAST).saturating_sub(asked.elapsed());
            processes().end_all(left.min(GRACE));
        }
        None => processes().settle(),
    }
}

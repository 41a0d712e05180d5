//! What ends this process before its work is done: a signal, or the end of the time that it has.
//!
//! The first signal asks the work to stop. What waits is dropped, and with it the programs that it runs, and a run ends
//! in an orderly way. Work that cannot be stopped, such as reading a file that nobody writes, is left behind on its
//! thread. A second signal ends the process at once, and so does the end of the five seconds that all this may take.
//!
//! There is one process, with one set of signals: its state is here, and not handed around.

mod signals;

use std::panic;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use paceline_engine::{OUT_OF_TIME, Stop};
use paceline_host::{GRACE, processes};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::run::runtime;

pub(crate) use signals::listen;

/// Within this time of a signal the process has ended, whatever it is doing.
const LIMIT: Duration = Duration::from_millis(4800);
/// So much of it is kept for ending what still runs, and for saying so.
const LAST: Duration = Duration::from_millis(300);
/// How long work may take to stop that waits for something.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How long work may take to stop that does not look for signals.
const NO_PATIENCE: Duration = Duration::from_millis(500);
/// The main thread has as much, of which deep templates need more than a thread usually has.
const STACK: usize = 16 * 1024 * 1024;

static PROCESS: LazyLock<Process> = LazyLock::new(|| Process {
    began: Instant::now(),
    stop: Stop::default(),
    asked: OnceLock::new(),
    left: OnceLock::new(),
    doing: Mutex::new(Doing { what: "files were being read", effect: "", next: "", patience: NO_PATIENCE }),
});

/// This process, as far as it can be interrupted.
struct Process {
    began: Instant,
    stop: Stop,
    /// When it was asked to stop.
    asked: OnceLock<Instant>,
    doing: Mutex<Doing>,
    /// Tells what a run leaves behind when the process ends before it.
    left: OnceLock<Box<dyn Fn() -> String + Send + Sync>>,
}

/// What is going on.
#[derive(Debug, Clone, Copy)]
struct Doing {
    /// What was being done, for "while …".
    what: &'static str,
    /// What has come of the command until now.
    effect: &'static str,
    /// What comes of it when it is interrupted.
    next: &'static str,
    patience: Duration,
}

/// What stops this process.
pub(crate) fn stop() -> Stop {
    PROCESS.stop.clone()
}

/// Says what is going on from here on, in work that cannot be stopped.
pub(crate) fn doing(what: &'static str) {
    change(|doing| (doing.what, doing.patience) = (what, NO_PATIENCE));
}

/// Says what has come of the command until now, in one sentence.
pub(crate) fn effect(effect: &'static str) {
    change(|doing| doing.effect = effect);
}

/// From here on what is done is in the journal.
pub(crate) fn run_has_begun() {
    change(|doing| {
        doing.what = "the run was being stopped";
        doing.effect = "The same command goes on with the run.";
        doing.next = " Nothing new will start.";
    });
}

/// Who tells what the run leaves behind when the process ends before it. There is one run in a process.
pub(crate) fn left_behind(left: impl Fn() -> String + Send + Sync + 'static) {
    drop(PROCESS.left.set(Box::new(left)));
}

fn change(change: impl FnOnce(&mut Doing)) {
    change(&mut PROCESS.doing.lock().unwrap_or_else(PoisonError::into_inner));
}

fn now() -> Doing {
    *PROCESS.doing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks everything to stop.
fn ask(reason: &str) {
    PROCESS.asked.get_or_init(Instant::now);
    PROCESS.stop.request(reason);
}

/// How a command ends that was interrupted.
pub(crate) fn failure() -> Failure {
    let Doing { what, effect, .. } = now();
    let is_late = PROCESS.stop.reason().is_some_and(|reason| reason == OUT_OF_TIME);
    let how = if is_late { "Out of time" } else { "Interrupted" };
    Failure::interrupted(format!("{how} while {what}. {effect}").trim_end())
}

/// Does work on a thread of its own, and waits for its end. When the process is interrupted and the work does not end in
/// time, it is left behind.
pub(crate) fn supervise<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, mut ended) = oneshot::channel();
    let thread = thread::Builder::new().name("command".to_owned()).stack_size(STACK);
    // Nobody hears the end of work that was left behind.
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
        // It has panicked.
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

/// Waits for what can be dropped at any moment.
pub(crate) fn until_stopped<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    to_its_end(what, stoppable(work))?
}

/// The same within other work.
pub(crate) async fn stoppable<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = PROCESS.stop.requested() => Err(failure()),
        done = work => Ok(done),
    }
}

/// Waits for what ends soon by itself when this process is interrupted.
pub(crate) fn to_its_end<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    patiently(PATIENCE, what, work)
}

/// The same for what takes as long as there is time.
pub(crate) fn as_long_as_there_is_time<T>(
    what: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    patiently(LIMIT.saturating_sub(LAST), what, work)
}

fn patiently<T>(patience: Duration, what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let before = now();
    change(|doing| (doing.what, doing.patience) = (what, patience));
    let done = runtime.block_on(work);
    // A read that blocks is not waited for.
    runtime.shutdown_background();
    change(|doing| (doing.what, doing.patience) = (before.what, before.patience));
    Ok(done)
}

/// Completes when the process was interrupted and there is no more time for anything.
pub(crate) async fn time_is_up() {
    PROCESS.stop.requested().await;
    let asked = PROCESS.asked.get().copied().unwrap_or_else(Instant::now);
    tokio::time::sleep_until((asked + LIMIT.saturating_sub(2 * LAST)).into()).await;
}

/// The end of the process: what it has started and was to end has ended, and after an interruption all that it has
/// started.
pub(crate) fn leave() {
    match PROCESS.asked.get() {
        Some(asked) => {
            let left = LIMIT.saturating_sub(2 * LAST).saturating_sub(asked.elapsed());
            processes().end_all(left.min(GRACE));
        }
        None => processes().settle(),
    }
}

//! Ends this process before its work is done: on a signal, or at the deadline.
//!
//! The first signal asks the work to stop. Work that only waits is dropped, and the programs that it runs end with it. A
//! run ends in an orderly way. Work that cannot be stopped, such as reading a pipe that nobody writes, is abandoned
//! on its thread. A second signal ends the process at once. So does the end of the five seconds that all this may take.
//!
//! There is one process, with one set of signals. That is why its state is global.

mod signals;

use std::panic;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use paceline_engine::{OUT_OF_TIME, Stop};
use paceline_host::{GRACE, processes};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::runtime::runtime;

pub use signals::listen;

/// The process ends at most this long after a signal.
const LIMIT: Duration = Duration::from_millis(4800);
/// The last part of that time. It is for killing the programs that still run, and for the messages about the end.
const TIME_TO_EXIT: Duration = Duration::from_millis(300);
/// How long work may take to stop if it looks for signals.
const TIME_TO_STOP: Duration = Duration::from_millis(2500);
/// How long work may take to stop if it does not look for signals.
const TIME_TO_STOP_IF_BLOCKED: Duration = Duration::from_millis(500);
/// As much as the main thread has. Deep templates need more than other threads usually have.
const STACK: usize = 16 * 1024 * 1024;

static PROCESS: LazyLock<Process> = LazyLock::new(|| Process {
    began: Instant::now(),
    stop: Stop::default(),
    asked: OnceLock::new(),
    left: Mutex::new(None),
    doing: Mutex::new(Doing {
        what: "files were being read",
        effect: "",
        next: "",
        time_to_stop: TIME_TO_STOP_IF_BLOCKED,
    }),
});

type LeftBehind = Arc<dyn Fn() -> String + Send + Sync>;

/// The state of this process that an interruption needs.
struct Process {
    began: Instant,
    stop: Stop,
    /// The time of the first request to stop.
    asked: OnceLock<Instant>,
    doing: Mutex<Doing>,
    /// Describes what a run leaves behind, if the process ends before the run.
    left: Mutex<Option<LeftBehind>>,
}

/// The present work of the process, for the message about its interruption.
#[derive(Debug, Clone, Copy)]
struct Doing {
    /// Completes "Interrupted while …".
    what: &'static str,
    /// What the command has done so far, as a sentence.
    effect: &'static str,
    /// What will happen after the interruption, as a sentence.
    next: &'static str,
    time_to_stop: Duration,
}

/// The request to stop this process, which others can wait for.
pub fn stop() -> Stop {
    PROCESS.stop.clone()
}

/// Names the work that begins here and cannot be stopped.
pub fn doing(what: &'static str) {
    change(|doing| (doing.what, doing.time_to_stop) = (what, TIME_TO_STOP_IF_BLOCKED));
}

/// Says in one sentence what the command has done so far.
pub fn effect(effect: &'static str) {
    change(|doing| doing.effect = effect);
}

/// Says that the run has begun. From here on, the journal records it.
pub fn run_has_begun() {
    change(|doing| {
        doing.what = "the run was being stopped";
        doing.effect = "The same command continues the run.";
        doing.next = " Nothing new will start.";
    });
}

/// Sets the function that describes what the run leaves behind, if the process ends before the run. A process has one
/// run at a time.
pub fn left_behind(left: impl Fn() -> String + Send + Sync + 'static) {
    *PROCESS.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(left));
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

/// Ends the work as the first signal does, because a reader has pressed a key.
pub fn by_key() {
    ask("a key");
}

/// The failure of a command that was interrupted.
pub fn failure() -> Failure {
    let Doing { what, effect, .. } = now();
    let is_late = PROCESS.stop.reason().is_some_and(|reason| reason == OUT_OF_TIME);
    let how = if is_late { "Out of time" } else { "Interrupted" };
    Failure::interrupted(format!("{how} while {what}. {effect}").trim_end())
}

/// Does work on its own thread, and waits for its end. If the process is interrupted and the work does not end in time,
/// the thread is abandoned.
pub fn supervise<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, mut ended) = oneshot::channel();
    let thread = thread::Builder::new().name("command".to_owned()).stack_size(STACK);
    // Nobody receives the result of abandoned work.
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
        tokio::time::timeout(now().time_to_stop, ended).await.ok()
    });
    match ended {
        Some(Ok(ended)) => ended,
        // The work has panicked.
        Some(Err(_)) => match thread.join() {
            Err(panic) => panic::resume_unwind(panic),
            Ok(()) => Err(failure()),
        },
        None => {
            signals::say_what_is_left();
            Err(failure())
        }
    }
}

/// Waits for work that can be dropped at any moment.
pub fn until_stopped<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    to_its_end(what, stoppable(work))?
}

/// Like [`until_stopped`], inside of other asynchronous work.
pub async fn stoppable<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = PROCESS.stop.requested() => Err(failure()),
        done = work => Ok(done),
    }
}

/// Waits for work that ends soon by itself when this process is interrupted.
pub fn to_its_end<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    with_time_to_stop(TIME_TO_STOP, what, work)
}

/// Like [`to_its_end`], for work that may use all the time that is left after an interruption.
pub fn within_time_left<T>(what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
    with_time_to_stop(LIMIT.saturating_sub(TIME_TO_EXIT), what, work)
}

fn with_time_to_stop<T>(
    time_to_stop: Duration,
    what: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let runtime = runtime()?;
    let before = now();
    change(|doing| (doing.what, doing.time_to_stop) = (what, time_to_stop));
    let done = runtime.block_on(work);
    // Does not wait for a read that blocks.
    runtime.shutdown_background();
    change(|doing| (doing.what, doing.time_to_stop) = (before.what, before.time_to_stop));
    Ok(done)
}

/// Completes when the process was interrupted and its time is used up.
pub async fn time_is_up() {
    PROCESS.stop.requested().await;
    let asked = PROCESS.asked.get().copied().unwrap_or_else(Instant::now);
    tokio::time::sleep_until((asked + LIMIT.saturating_sub(2 * TIME_TO_EXIT)).into()).await;
}

/// Ends the programs that this process has started and must end. After an interruption, it ends all of them.
pub fn leave() {
    match PROCESS.asked.get() {
        Some(asked) => {
            let left = LIMIT.saturating_sub(2 * TIME_TO_EXIT).saturating_sub(asked.elapsed());
            processes().end_all(left.min(GRACE));
        }
        None => processes().settle(),
    }
}

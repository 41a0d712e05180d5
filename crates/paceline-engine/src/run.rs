//! Runs a plan: one loop starts steps, hears how they go, and decides what comes next.
//!
//! Steps are performed by tasks that only send messages; nothing is shared. A step starts when
//! everything it needs has succeeded and there is room for it, and nothing else makes it wait.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use paceline_plan::Plan;
use paceline_text::ExitCode;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::event::{BuildPhases, Cause, Event, Outcome};
use crate::perform::{Ended, Perform, StepContext};
use crate::state::State;
use crate::stop::{Interruption, Stop};

/// What a run is made with, beside its plan and its performer.
#[derive(Debug)]
pub struct RunOptions {
    /// The run's name.
    pub id: String,
    /// The folder of the assembly, for the events.
    pub app: String,
    /// The version of Paceline, for the events.
    pub version: String,
    /// The time now; from here on the run's time is that of tokio's clock.
    pub now: Timestamp,
    /// Whether the durations are those of the simulator.
    pub simulated: bool,
    /// What an earlier, interrupted part of the run had done.
    pub earlier: Option<Earlier>,
    /// The number of this start in the folder of the runs: see [`Journal::order`](crate::Journal::order).
    pub order: Option<u64>,
    /// Where AWS is reached, if that is not AWS itself, for the events.
    pub endpoint: Option<String>,
    /// What the build that the run is a part of did until now.
    pub build: Option<BuildPhases>,
    /// How the run is stopped from outside.
    pub stop: Stop,
    /// When the run stops by itself.
    pub deadline: Option<Duration>,
}

/// What an earlier, interrupted part of a run had done.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// The sequence number of its last event.
    pub seq: u64,
    /// The steps that it had done, or whose operation it had sent, each with its identity at that time: none where
    /// the journal is of a version that did not tell it.
    pub done: BTreeMap<String, Option<String>>,
    /// Whether it had changed anything.
    pub touched: bool,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The documented exit code.
    pub exit_code: ExitCode,
    /// The outcome of each step, in the plan's order.
    pub outcomes: Vec<Outcome>,
}

/// After so long without an event, one says that the run goes on: a log that is silent for ten minutes
/// looks like a build that hangs.
const SILENCE: Duration = Duration::from_mins(2);

/// Runs a plan to its end. `record` is given every event, in order, before anything that relies on
/// it happens. An error from it (a full disk) ends the run at once: whatever is being performed is
/// dropped, so that no call is sent that is not in the journal.
pub async fn run<P: Perform>(
    plan: Arc<Plan>,
    performer: Arc<P>,
    options: RunOptions,
    record: &mut (dyn FnMut(&Event) -> io::Result<()> + Send),
) -> io::Result<RunEnd> {
    let interruption = Interruption::new(&options.stop, options.deadline);
    let mut state = State::new(plan, options, record);
    let mut tasks = JoinSet::new();
    match drive(&mut state, &performer, &mut tasks, interruption).await {
        Ok(()) => state.finish(),
        Err(error) => {
            // On a runtime with several threads, steps may be in the middle of something.
            tasks.shutdown().await;
            Err(error)
        }
    }
}

async fn drive<P: Perform>(
    state: &mut State<'_>,
    performer: &Arc<P>,
    tasks: &mut JoinSet<Ended>,
    mut interruption: Interruption,
) -> io::Result<()> {
    let (report, mut reports) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut performing = HashMap::new();
    state.start()?;
    loop {
        // Looked at before every start, so that nothing starts once a stop has been asked for.
        if !stop.is_cancelled()
            && let Some(reason) = interruption.reason()
        {
            state.interrupt(reason)?;
            stop.cancel();
        }
        while let Some(index) = state.start_next()? {
            let context = StepContext {
                plan: Arc::clone(state.plan()),
                index,
                reference: state.reference(index),
                report: report.clone(),
                stop: stop.clone(),
                clock: state.clock(),
                done_earlier: state.was_done_earlier(index),
                needs_unchanged: state.needs_are_unchanged(index),
            };
            let performer = Arc::clone(performer);
            let task = tasks.spawn(async move { performer.perform(context).await });
            performing.insert(task.id(), index);
        }
        if tasks.is_empty() {
            return Ok(());
        }
        let silence = tokio::time::sleep_until(state.last_event() + SILENCE);
        tokio::select! {
            biased;
            () = interruption.wait(), if !stop.is_cancelled() => {}
            Some(report) = reports.recv() => state.reported(report)?,
            Some(joined) = tasks.join_next_with_id() => {
                // All that has ended by now is taken in, in the plan's order, before anything starts:
                // the most critical of all that this makes ready goes first.
                let mut ended = vec![joined];
                ended.extend(std::iter::from_fn(|| tasks.try_join_next_with_id()));
                // What a step reported before it ended comes before its end.
                while let Ok(report) = reports.try_recv() {
                    state.reported(report)?;
                }
                let ended = ended.into_iter().map(outcome_of);
                let mut ended: Vec<(usize, Ended)> =
                    ended.filter_map(|(id, ended)| Some((performing.remove(&id)?, ended))).collect();
                ended.sort_unstable_by_key(|&(index, _)| index);
                for (index, ended) in ended {
                    state.ended(index, ended)?;
                }
            }
            () = silence => state.waiting(performing.len())?,
        }
    }
}

/// A step's task ends by itself or by a bug; a bug in one step must not take the others down.
fn outcome_of(joined: Result<(Id, Ended), JoinError>) -> (Id, Ended) {
    joined.unwrap_or_else(|error| {
        let id = error.id();
        let message = match error.try_into_panic() {
            Ok(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                format!("internal error: {}", text.unwrap_or("a panic without words"))
            }
            Err(error) => format!("internal error: {error}"),
        };
        let cause = Cause {
            at: None,
            message,
            hint: Some("this is a bug in Paceline: please report it with the journal of the run".to_owned()),
            preflight: false,
        };
        (id, Ended::failed(cause))
    })
}

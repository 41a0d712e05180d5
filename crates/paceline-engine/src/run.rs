//! Runs a plan: one loop starts steps, hears how they go, and decides what comes next.
//!
//! Steps are performed by tasks that only send messages; nothing is shared. A step starts when
//! everything it needs has succeeded and there is room for it, and nothing else makes it wait.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use paceline_plan::Plan;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::event::{Cause, Event};
use crate::options::{RunEnd, RunOptions};
use crate::perform::{Ended, Perform, StepContext};
use crate::state::State;
use crate::stop::Interruption;

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

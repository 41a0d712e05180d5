//! Runs a plan: one loop starts steps, receives their reports, and decides which step starts next.
//!
//! Tasks perform the steps. They send messages and share no state. A step starts as soon as every step that
//! it needs has succeeded and the concurrency limit allows it.

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

/// The time without an event after which the run emits [`RunWaiting`](crate::Fact::RunWaiting). A build whose
/// log is silent for ten minutes looks as if it hangs.
const SILENCE: Duration = Duration::from_mins(2);

/// Runs a plan to its end.
///
/// `record` receives every event in order, before anything that relies on the event happens. If `record`
/// returns an error (a full disk), the run ends at once and drops the running steps, so that no call is sent
/// that is not in the journal.
pub async fn run<P: Perform>(
    plan: Arc<Plan>,
    performer: Arc<P>,
    options: RunOptions,
    record: &mut (dyn FnMut(&Event) -> io::Result<()> + Send),
) -> io::Result<RunEnd> {
    let interruption = Interruption::new(&options.stop, options.deadline);
    let name: Arc<str> = options.id.as_str().into();
    let mut state = State::new(plan, options, record);
    let mut tasks = JoinSet::new();
    match drive(&name, &mut state, &performer, &mut tasks, interruption).await {
        Ok(()) => {
            state.throttled(performer.throttles())?;
            state.finish()
        }
        Err(error) => {
            // On a runtime with several threads, steps may still be running here.
            tasks.shutdown().await;
            Err(error)
        }
    }
}

async fn drive<P: Perform>(
    name: &Arc<str>,
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
        // The stop is checked before every start, so that no step starts after a stop was requested.
        if !stop.is_cancelled()
            && let Some(reason) = interruption.reason()
        {
            state.interrupt(reason)?;
            stop.cancel();
        }
        if state.fails_fast() {
            stop.cancel();
        }
        while let Some(index) = state.start_next()? {
            let context = StepContext {
                run: Arc::clone(name),
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
        if !stop.is_cancelled()
            && let Some(running) = state.only_waits()
        {
            state.sleep(&running)?;
            stop.cancel();
        }
        let silence = tokio::time::sleep_until(state.last_event() + SILENCE);
        tokio::select! {
            biased;
            () = interruption.wait(), if !stop.is_cancelled() => {}
            Some(report) = reports.recv() => state.reported(report)?,
            Some(joined) = tasks.join_next_with_id() => {
                // All steps that have ended by now are handled before another one starts. So the most
                // critical of all steps that become ready starts first.
                let mut ended = vec![joined];
                ended.extend(std::iter::from_fn(|| tasks.try_join_next_with_id()));
                // A step sends its reports before it ends, so they are applied first.
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

/// Returns the end of a task. A task that panics is a failed step: a bug in one step must not stop the
/// others.
fn outcome_of(joined: Result<(Id, Ended), JoinError>) -> (Id, Ended) {
    joined.unwrap_or_else(|error| {
        let id = error.id();
        let message = match error.try_into_panic() {
            Ok(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                format!("internal error: {}", text.unwrap_or("a panic without a message"))
            }
            Err(error) => format!("internal error: {error}"),
        };
        let cause = Cause {
            at: None,
            message,
            hint: Some("this is a bug in Paceline: please report it with the journal of the run".to_owned()),
            preflight: false,
            source: None,
        };
        (id, Ended::failed(cause))
    })
}

//! Waits for the end of a stack operation.
//!
//! AWS's reads are eventually consistent: a stack may still look as it did before the operation, or not be
//! there yet, even after it was seen otherwise. An end counts only when the operation's own events tell
//! of it too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_assembly::Stack;
use paceline_engine::{ResourceProgress, StepContext};
use tokio::time::Instant;

use super::decide::{Verdict, verdict};
use super::events::{Change, EventLog};
use super::failure::{Failure, first_cause};
use super::limit::Limit;
use crate::environment::Environment;
use crate::poller::StackView;
use crate::trouble::Trouble;

/// From one reading of a stack's events to the next, while the stack is in progress and things happen in it.
const EVENTS_EVERY: Duration = Duration::from_secs(15);
/// The same while nothing has happened in it for long. In between, the interval is one part in [`QUIET_PARTS`]
/// of the time without news: what happens next is told late in proportion to how long it took.
const EVENTS_AT_LEAST_EVERY: Duration = Duration::from_secs(40);
const QUIET_PARTS: u32 = 5;
/// A stack that looks as if it had ended for so long, and so many times in a row, is believed, should its
/// events not say otherwise.
const BELIEVED_AFTER: Duration = Duration::from_mins(1);
const BELIEVED_LOOKS: u32 = 10;

/// An operation that is going on.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// The stack's id.
    pub(super) id: String,
    /// The token it was sent with, if it is ours.
    pub(super) token: Option<String>,
    /// [`StackView::stamp`] before it started, if the stack was there.
    pub(super) stamp_before: Option<String>,
    /// Whether to wait until the stack can be updated, and not only until it is usable.
    pub(super) until_rest: bool,
    /// How long it may take, if it is ours and there is a limit.
    pub(super) limit: Option<Limit>,
}

impl Operation {
    /// An operation that was going on before we looked.
    pub(super) fn someone_elses(view: &StackView) -> Self {
        Self { id: view.id.clone(), token: None, stamp_before: None, until_rest: true, limit: None }
    }
}

/// How an operation ended.
#[derive(Debug)]
pub(super) enum Settled {
    NoChanges,
    /// AWS could not be reached any more; the operation goes on there.
    Lost(Trouble),
    Ended {
        verdict: Verdict,
        view: Box<StackView>,
        failure: Option<Failure>,
        /// The resources that were to be deleted and were not: they failed, or are kept on purpose.
        left: Vec<Change>,
    },
}

/// Waits for the end of an operation and reports what happens meanwhile.
pub(super) async fn settle(
    environment: &Environment,
    context: &StepContext,
    stack: &Stack,
    operation: Operation,
) -> Result<Settled, Trouble> {
    let mut watch = Watch {
        environment,
        context,
        operation,
        log: EventLog::default(),
        changes: Vec::new(),
        complete: BTreeSet::new(),
        total: stack.template.resource_count(),
        read_at: Instant::now(),
        news_at: Instant::now(),
        doubted: None,
        begun: false,
        name: &stack.name,
        is_over: false,
        is_cancelled: false,
    };
    let (verdict, mut view) = watch.until_the_end(&stack.name).await?;
    // A deleted stack's own words are in its events alone.
    if view.reason.is_none() {
        view.reason = watch
            .changes
            .iter()
            .rev()
            .find(|c| c.of_stack && c.reason.is_some())
            .and_then(|c| c.reason.clone());
    }
    let failure = match verdict {
        Verdict::Succeeded => None,
        // Whatever stops a rollback is worse than what it was begun for.
        Verdict::RolledBack | Verdict::Failed => match watch.limit_failure().filter(|_| !is_stuck(&view)) {
            None => first_cause(environment, &watch.changes, &stack.construct_paths, 0).await,
            failure => failure,
        },
    };
    let left = left(&watch.changes);
    Ok(Settled::Ended { verdict, view: Box::new(view), failure, left })
}

fn is_stuck(view: &StackView) -> bool {
    view.status.ends_with("ROLLBACK_FAILED")
}

/// The resources whose last change says that they were not deleted.
fn left(changes: &[Change]) -> Vec<Change> {
    let mut last: BTreeMap<&str, &Change> = BTreeMap::new();
    for change in changes.iter().filter(|change| !change.of_stack) {
        last.insert(&change.logical_id, change);
    }
    let is_left = |change: &&&Change| matches!(change.status.as_str(), "DELETE_FAILED" | "DELETE_SKIPPED");
    last.values().filter(is_left).map(|&change| change.clone()).collect()
}

pub(super) struct Watch<'a> {
    pub(super) environment: &'a Environment,
    pub(super) context: &'a StepContext,
    pub(super) operation: Operation,
    log: EventLog,
    pub(super) changes: Vec<Change>,
    complete: BTreeSet<String>,
    total: usize,
    read_at: Instant,
    /// When events were last read that had not been read before.
    news_at: Instant,
    /// Since when, and how many times, the stack looks as if the operation had ended, while its events do not
    /// say so.
    doubted: Option<(Instant, u32)>,
    /// Whether the operation's first event has been read.
    begun: bool,
    pub(super) name: &'a str,
    /// Whether the operation was found to take too long, and what can be done about it has been done.
    pub(super) is_over: bool,
    /// Whether it was cancelled for that.
    pub(super) is_cancelled: bool,
}

impl Watch<'_> {
    async fn until_the_end(&mut self, name: &str) -> Result<(Verdict, StackView), Trouble> {
        loop {
            let view = self.environment.poller.look(name).await?;
            // Of that name there may be a stack that was deleted meanwhile, or one that was made after it.
            let view =
                view.filter(|view| view.id == self.operation.id || !self.operation.id.starts_with("arn:"));
            let seen = match &view {
                Some(view) => self.judge(&view.status),
                None => Some(Verdict::RolledBack),
            };
            let Some(seen) = seen else {
                self.doubted = None;
                if self.read_at.elapsed() >= self.interval() {
                    self.read_events().await?;
                }
                if let Some(view) = &view {
                    self.keep_limit(view).await?;
                }
                continue;
            };
            self.read_events().await?;
            let before = self.operation.stamp_before.as_deref();
            let is_as_before = view.as_ref().is_some_and(|view| before == Some(view.stamp.as_str()));
            let told = self.told();
            let agreed = match &view {
                Some(_) => told == Some(seen) && !is_as_before,
                None => self.last_status() == Some("DELETE_COMPLETE"),
            };
            let (since, looks) = self.doubted.get_or_insert_with(|| (Instant::now(), 0));
            *looks += 1;
            let believed = since.elapsed() > BELIEVED_AFTER && *looks > BELIEVED_LOOKS;
            let objects = self.last_status().is_some() && told != Some(seen);
            if agreed || believed && !objects {
                return Ok((seen, view.unwrap_or_else(|| gone(&self.operation.id))));
            }
        }
    }

    fn interval(&self) -> Duration {
        (self.news_at.elapsed() / QUIET_PARTS).clamp(EVENTS_EVERY, EVENTS_AT_LEAST_EVERY)
    }

    fn judge(&self, status: &str) -> Option<Verdict> {
        let rests = !self.operation.until_rest || !status.ends_with("_IN_PROGRESS");
        verdict(status).filter(|_| rests)
    }

    /// What the events say about the operation's end.
    fn told(&self) -> Option<Verdict> {
        self.last_status().and_then(|status| self.judge(status))
    }

    fn last_status(&self) -> Option<&str> {
        self.changes.iter().rev().find(|change| change.of_stack).map(|change| change.status.as_str())
    }

    pub(super) async fn read_events(&mut self) -> Result<(), Trouble> {
        self.read_at = Instant::now();
        let changes = self.log.read(self.environment, &self.operation.id).await?;
        if !changes.is_empty() {
            self.news_at = Instant::now();
        }
        let token = self.operation.token.as_deref();
        for change in changes {
            // What an eventually consistent read still has of an earlier operation is not news. What someone
            // else does to the stack during ours is.
            self.begun |= token.is_none() || change.token.is_none() || change.token.as_deref() == token;
            if !self.begun {
                continue;
            }
            if change.status.ends_with("_COMPLETE") && !change.of_stack {
                self.complete.insert(change.logical_id.clone());
            }
            self.context.progress(ResourceProgress {
                logical_id: change.logical_id.clone(),
                resource_type: change.resource_type.clone(),
                status: change.status.clone(),
                reason: change.reason.clone(),
                done: self.complete.len(),
                total: self.total.max(self.complete.len()),
                unconfirmed: token.is_none() || change.token.as_deref() != token,
                happened_at: change.at,
            });
            self.changes.push(change);
        }
        Ok(())
    }
}

fn gone(id: &str) -> StackView {
    StackView { id: id.to_owned(), status: "DELETE_COMPLETE".to_owned(), ..StackView::default() }
}

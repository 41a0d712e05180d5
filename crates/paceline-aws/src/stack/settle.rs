//! Waits for the end of a stack operation.
//!
//! AWS's reads are eventually consistent: a stack may still look as it did before the operation. An end
//! counts only when it is the end of this operation.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_assembly::Stack;
use paceline_engine::{ResourceProgress, StepContext};
use tokio::time::Instant;

use super::decide::{Verdict, verdict};
use super::events::{Change, EventLog};
use super::failure::{Failure, first_cause};
use crate::environment::Environment;
use crate::poller::StackView;
use crate::trouble::Trouble;

/// From one reading of a stack's events to the next, while the stack is in progress.
const EVENTS_EVERY: Duration = Duration::from_secs(15);
/// A stack that keeps looking the same after this many looks is believed, should AWS give neither
/// tokens nor times to tell by.
const BELIEVED_AFTER: u32 = 5;

/// An operation that is going on.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// The stack's id.
    pub(super) id: String,
    /// The token it was sent with, if it is ours.
    pub(super) token: Option<String>,
    /// [`StackView::stamp`] before it started, if the stack was there.
    pub(super) stamp_before: Option<String>,
}

impl Operation {
    /// An operation that was going on before we looked.
    pub(super) fn someone_elses(view: &StackView) -> Self {
        Self { id: view.id.clone(), token: None, stamp_before: None }
    }
}

/// How an operation ended.
#[derive(Debug)]
pub(super) enum Settled {
    NoChanges,
    /// AWS could not be reached any more; the operation goes on there.
    Lost(Trouble),
    Ended { verdict: Verdict, view: StackView, failure: Option<Failure> },
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
        seen_in_progress: false,
        same_looks: 0,
    };
    let (verdict, mut view) = watch.to_the_end(&stack.name).await?;
    watch.read_events().await?;
    // A deleted stack's own words are in its events alone.
    if view.reason.is_none() {
        view.reason = watch.changes.iter().rev().find(|c| c.of_stack && c.reason.is_some()).and_then(|c| c.reason.clone());
    }
    let failure = match verdict {
        Verdict::Succeeded => None,
        _ => first_cause(environment, &watch.changes, &stack.construct_paths, 0).await,
    };
    Ok(Settled::Ended { verdict, view, failure })
}

struct Watch<'a> {
    environment: &'a Environment,
    context: &'a StepContext,
    operation: Operation,
    log: EventLog,
    changes: Vec<Change>,
    complete: BTreeSet<String>,
    total: usize,
    read_at: Instant,
    seen_in_progress: bool,
    same_looks: u32,
}

impl Watch<'_> {
    async fn to_the_end(&mut self, name: &str) -> Result<(Verdict, StackView), Trouble> {
        loop {
            let view = self.environment.poller.look(name).await?;
            // A creation that is undone by deletion ends with the stack gone.
            let Some(view) = view else {
                if self.seen_in_progress || self.is_believed() {
                    return Ok((Verdict::RolledBack, gone(&self.operation.id)));
                }
                continue;
            };
            // Whoever looks at a stack that was deleted and made again meanwhile looks at another stack.
            if view.id != self.operation.id && self.operation.id.starts_with("arn:") {
                if self.seen_in_progress || self.is_believed() {
                    return Ok((Verdict::RolledBack, gone(&self.operation.id)));
                }
                continue;
            }
            match verdict(&view.status) {
                None => {
                    self.seen_in_progress = true;
                    if self.read_at.elapsed() >= EVENTS_EVERY {
                        self.read_events().await?;
                    }
                }
                Some(verdict) if self.is_ours(&view).await? => return Ok((verdict, view)),
                Some(_) => {}
            }
        }
    }

    /// Whether a state that could be the end is the end of this operation, and not of the one before.
    async fn is_ours(&mut self, view: &StackView) -> Result<bool, Trouble> {
        let Some(before) = &self.operation.stamp_before else { return Ok(true) };
        if self.seen_in_progress || *before != view.stamp {
            return Ok(true);
        }
        self.read_events().await?;
        let token = self.operation.token.as_deref();
        let ended = |change: &Change| {
            change.of_stack && change.token.as_deref() == token && verdict(&change.status).is_some()
        };
        Ok(token.is_some() && self.changes.iter().any(ended) || self.is_believed())
    }

    fn is_believed(&mut self) -> bool {
        self.same_looks += 1;
        self.same_looks > BELIEVED_AFTER
    }

    async fn read_events(&mut self) -> Result<(), Trouble> {
        self.read_at = Instant::now();
        let changes = self.log.read(self.environment, &self.operation.id).await?;
        let token = self.operation.token.as_deref();
        for change in changes {
            // What an eventually consistent read still has of an earlier operation is not news.
            if token.is_some() && change.token.is_some() && change.token.as_deref() != token {
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
                happened_at: change.at,
            });
            self.changes.push(change);
        }
        Ok(())
    }
}

fn gone(id: &str) -> StackView {
    StackView {
        id: id.to_owned(),
        status: "DELETE_COMPLETE".to_owned(),
        reason: None,
        stamp: String::new(),
        outputs: Default::default(),
        tags: Default::default(),
        parameters: Default::default(),
        values: Default::default(),
        notification_arns: Vec::new(),
        termination_protection: false,
    }
}

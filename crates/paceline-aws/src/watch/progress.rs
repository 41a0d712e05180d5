//! What is known of a watched stack, and what of that is news.

use paceline_assembly::StackStatus;
use tokio::time::Instant;

use super::{StackNews, WatchedResource, WatchedStack};
use crate::environment::StackView;
use crate::stack::{Change, EventLog, starts_operation};

/// A watched stack.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) stack: WatchedStack,
    /// What the last poll saw.
    pub(super) view: Option<StackView>,
    /// The id that the stack had when it was last there.
    pub(super) id: Option<String>,
    /// The state that was reported last: see [`StackView::state`]. `None` before the first look, empty if it is not there.
    reported: Option<String>,
    /// The status that was reported last, if there is one.
    reported_status: Option<StackStatus>,
    pub(super) log: EventLog,
    /// The events of the last operation.
    pub(super) changes: Vec<Change>,
    pub(super) read_at: Option<Instant>,
    /// Whether its events can be read, as far as is known.
    pub(super) is_readable: bool,
}

impl Progress {
    /// A stack that has not been looked at, or one that is known not to have been there.
    pub(super) fn new(stack: WatchedStack, was_absent: bool) -> Self {
        Self {
            stack,
            view: None,
            id: None,
            reported: was_absent.then(String::new),
            reported_status: None,
            log: EventLog::default(),
            changes: Vec::new(),
            read_at: None,
            is_readable: true,
        }
    }

    /// Takes in what a poll saw. A stack of which only a change set was made is not there yet.
    pub(super) fn see(&mut self, view: Option<StackView>) {
        self.view = view.filter(|view| view.status != StackStatus::ReviewInProgress);
        if let Some(view) = &self.view {
            if self.id.as_ref() != Some(&view.id) {
                (self.log, self.changes) = (EventLog::default(), Vec::new());
            }
            self.id = Some(view.id.clone());
        }
    }

    /// Whether the stack is in another state than the one that was reported.
    pub(super) fn has_turned(&self) -> bool {
        self.reported.as_ref() != Some(&state(self.view.as_ref()))
    }

    pub(super) fn is_in_progress(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.status.is_in_progress())
    }

    /// Whether the events tell more than the status does: of an operation, or why the last one failed.
    pub(super) fn needs_events(&self) -> bool {
        let failed = self.view.as_ref().is_some_and(|view| !view.status.has_succeeded());
        self.is_readable && self.id.is_some() && (self.reported.is_some() || failed)
    }

    /// Takes in events. Those of an earlier operation are dropped. Gives the new ones of the last operation.
    pub(super) fn read(&mut self, new: Vec<Change>) -> Vec<Change> {
        let start = new.iter().rposition(|change| change.of_stack && starts_operation(change));
        let new = match start {
            Some(start) => {
                self.changes.clear();
                new[start..].to_vec()
            }
            None => new,
        };
        self.changes.extend(new.iter().cloned());
        new
    }

    /// The news of what a poll saw and of new events. Those of a failure have no cause yet.
    pub(super) fn news(&mut self, view: Option<&StackView>, new: &[Change]) -> Vec<StackNews> {
        let before = self.reported_status.take();
        let reported = self.reported.replace(state(view));
        let (is_first, has_turned) = (reported.is_none(), reported != self.reported);
        let stack = || self.stack.clone();
        let mut news = Vec::new();
        let Some(view) = view else {
            let was_there = before.is_some();
            if was_there {
                news.extend(resources(&self.stack, new));
                let status = StackStatus::DeleteComplete;
                news.push(StackNews::Settled { stack: stack(), status, at_first: false, cause: None });
            } else if is_first {
                news.push(StackNews::Absent(stack()));
            }
            return news;
        };
        let was_going = before.as_ref().is_some_and(StackStatus::is_in_progress);
        let is_going = view.status.is_in_progress();
        // An operation may have begun and ended from one poll to the next.
        let has_begun = !was_going && (is_going || has_turned && !is_first);
        if has_begun {
            let since = self.changes.first().map(|change| change.at);
            let status = view.status.clone();
            news.push(StackNews::Began { stack: stack(), id: view.id.clone(), status, since });
        }
        if has_begun || was_going {
            news.extend(resources(&self.stack, new));
        }
        if is_going && was_going && before.as_ref() != Some(&view.status) {
            news.push(StackNews::Turned(stack(), view.status.clone()));
        }
        if !is_going && (is_first || has_turned) {
            let (status, cause) = (view.status.clone(), None);
            news.push(StackNews::Settled { stack: stack(), status, at_first: is_first, cause });
        }
        self.reported_status = Some(view.status.clone());
        news
    }
}

/// The state of a stack that a poll saw. Empty if it was not there.
fn state(view: Option<&StackView>) -> String {
    view.map(StackView::state).unwrap_or_default()
}

fn resources<'a>(stack: &'a WatchedStack, new: &'a [Change]) -> impl Iterator<Item = StackNews> + 'a {
    new.iter().filter(|change| !change.of_stack).map(|change| {
        let resource = WatchedResource {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            status: change.status.clone(),
            reason: change.reason.clone(),
            at: change.at,
        };
        StackNews::Resource(stack.clone(), resource)
    })
}

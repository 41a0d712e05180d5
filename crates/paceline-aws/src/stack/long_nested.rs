//! The events of nested stacks that take long, to find what hangs in them.
//!
//! They cost a call each time. So they are read only while their stack takes long.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::events::{Change, EventLog};
use crate::environment::Environment;
use crate::error::AwsError;

/// A stack that is searched for stuck resources: that of the step, or one inside it.
#[derive(Debug, Clone)]
pub(super) struct Level {
    /// The id of the stack.
    pub(super) stack: String,
    /// The logical ids that lead to it, the outermost first. None for the stack of the step.
    pub(super) within: Vec<String>,
}

impl Level {
    /// The logical ids that lead to one of its resources.
    pub(super) fn path_of(&self, logical_id: &str) -> Vec<String> {
        self.within.iter().map(String::as_str).chain([logical_id]).map(str::to_owned).collect()
    }
}

/// The events of nested stacks that take long, by the ids of the stacks.
#[derive(Debug, Default)]
pub(super) struct LongNested(BTreeMap<String, Log>);

#[derive(Debug, Default)]
struct Log {
    events: EventLog,
    /// The oldest first.
    changes: Vec<Change>,
    read_at: Option<Instant>,
    is_unreadable: bool,
}

impl LongNested {
    /// Reads the events since the operation on a nested stack began, if that was not done in this time. After an error,
    /// the events of this stack are not read again.
    pub(super) async fn read(
        &mut self,
        environment: &Environment,
        stack: &str,
        since: Timestamp,
        every: Duration,
    ) -> Result<(), AwsError> {
        let log = self.0.entry(stack.to_owned()).or_default();
        if log.is_unreadable || log.read_at.is_some_and(|at| at.elapsed() < every) {
            return Ok(());
        }
        log.read_at = Some(Instant::now());
        let read = log.events.read(environment, stack).await;
        log.is_unreadable = read.is_err();
        log.changes.extend(read?.into_iter().filter(|change| change.at >= since));
        log.changes.sort_by_key(|change| change.at);
        Ok(())
    }

    /// What was read of a nested stack.
    pub(super) fn changes(&self, stack: &str) -> &[Change] {
        self.0.get(stack).map_or(&[], |log| &log.changes)
    }
}

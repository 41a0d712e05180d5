//! What an operation has finished before it failed.

use std::collections::BTreeSet;
use std::time::Duration;

use paceline_assembly::ResourceStatus;

use super::events::Change;

/// The resources that an operation has created or updated.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) ids: BTreeSet<String>,
    /// The time from the start of the operation until the last of them was finished.
    pub(super) took: Duration,
}

impl Finished {
    pub(super) fn of(changes: &[Change]) -> Self {
        let is_finished = |change: &&Change| {
            let done = [ResourceStatus::CreateComplete, ResourceStatus::UpdateComplete];
            !change.of_stack && done.contains(&change.status)
        };
        let finished = || changes.iter().filter(is_finished);
        let last = finished().map(|change| change.at).max();
        let took = changes.first().zip(last).map(|(first, last)| last.duration_since(first.at));
        Self {
            ids: finished().map(|change| change.logical_id.clone()).collect(),
            took: took.and_then(|took| Duration::try_from(took).ok()).unwrap_or_default(),
        }
    }
}

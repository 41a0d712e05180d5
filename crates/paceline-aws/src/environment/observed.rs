//! What polls have seen of the stacks of an environment.

use std::collections::HashMap;

use paceline_assembly::StackStatus;
use tokio::time::Instant;

use super::view::StackView;
use crate::error::AwsError;

/// What is known of a stack: nothing if it is not there, or what stands in the way of knowing.
pub(super) type Observation = Result<Option<StackView>, AwsError>;

/// What polls have seen of the stacks of an environment, each with the time from which on it is true.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// By name.
    stacks: HashMap<String, (Instant, Observation)>,
    /// When all stacks were last listed, and how many there were of whatever name. Those without an entry of their own
    /// were not there.
    listed: Option<(Instant, usize)>,
    /// What stands in the way of seeing any of them.
    failed: Option<(Instant, AwsError)>,
}

impl Observed {
    /// What the newest poll that began after `since` has seen of a stack, if there was one that tells.
    pub(super) fn tells(&self, name: &str, since: Instant) -> Option<Observation> {
        let own = self.stacks.get(name).map(|(at, told)| (*at, told.clone()));
        let listed = self.listed.map(|(at, _)| (at, Ok(None)));
        let failed = self.failed.clone().map(|(at, error)| (at, Err(error)));
        // Of polls that began together the stack's own entry counts.
        let all = [listed, failed, own].into_iter().flatten();
        let newest = all.filter(|(at, _)| *at > since).max_by_key(|(at, _)| *at);
        newest.map(|(_, told)| told)
    }

    /// How many stacks there were when they were last listed.
    pub(super) fn total(&self) -> Option<usize> {
        self.listed.map(|(_, total)| total)
    }

    /// All stacks were listed, and these are those that are of interest. Whether one has changed.
    pub(super) fn list(
        &mut self,
        started: Instant,
        stacks: HashMap<String, StackView>,
        total: usize,
    ) -> bool {
        let status =
            |told: &Observation| told.as_ref().ok().and_then(Option::as_ref).map(|view| view.status.clone());
        let before: HashMap<&String, StackStatus> =
            self.stacks.iter().filter_map(|(name, (_, told))| Some((name, status(told)?))).collect();
        let has_changed = before.len() != stacks.len()
            || stacks.iter().any(|(name, view)| before.get(name) != Some(&view.status));
        self.listed = Some((started, total));
        self.stacks = stacks.into_iter().map(|(name, view)| (name, (started, Ok(Some(view))))).collect();
        has_changed
    }

    /// One stack was asked for. Whether it has changed.
    pub(super) fn tell(&mut self, name: String, started: Instant, told: Observation) -> bool {
        let status =
            |told: &Observation| told.as_ref().ok().map(|view| view.as_ref().map(|view| view.status.clone()));
        let now = status(&told);
        let before = self.stacks.insert(name, (started, told));
        before.and_then(|(_, told)| status(&told)) != now
    }

    /// No stack can be seen. Nothing is known to have changed.
    pub(super) fn fail(&mut self, started: Instant, error: AwsError) -> bool {
        self.failed = Some((started, error));
        false
    }
}

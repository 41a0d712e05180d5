//! The results of the polls of an environment.

use std::collections::HashMap;

use paceline_assembly::StackStatus;
use tokio::time::Instant;

use super::view::StackView;
use crate::error::AwsError;

/// The state of a stack: `None` if it does not exist, or the error that prevents knowing it.
pub(super) type Observation = Result<Option<StackView>, AwsError>;

/// The results of the polls for the stacks of an environment, each with the time since which it is true.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// By name.
    stacks: HashMap<String, (Instant, Observation)>,
    /// The time of the last list of all stacks, and the number of stacks in it. Stacks without their own
    /// entry did not exist then.
    listed: Option<(Instant, usize)>,
    /// The error that prevents reading any of the stacks.
    failed: Option<(Instant, AwsError)>,
    /// Why they may not be listed.
    unlisted: Option<AwsError>,
}

impl Observed {
    /// The state of a stack in the newest poll that began after `since`. `None` if no such poll has read it.
    pub(super) fn newer_than(&self, name: &str, since: Instant) -> Option<Observation> {
        let own = self.stacks.get(name).map(|(at, observation)| (*at, observation.clone()));
        let listed = self.listed.map(|(at, _)| (at, Ok(None)));
        let failed = self.failed.clone().map(|(at, error)| (at, Err(error)));
        // If several polls began together, the stack's own entry counts.
        let all = [listed, failed, own].into_iter().flatten();
        let newest = all.filter(|(at, _)| *at > since).max_by_key(|(at, _)| *at);
        newest.map(|(_, observation)| observation)
    }

    /// All stacks of interest that the newest poll has seen which began after `since`, if there was one.
    pub(super) fn all_since(&self, since: Instant) -> Option<Result<Vec<StackView>, AwsError>> {
        if let Some(error) = &self.unlisted {
            return Some(Err(error.clone()));
        }
        if let Some((_, error)) = self.failed.as_ref().filter(|(at, _)| *at > since) {
            return Some(Err(error.clone()));
        }
        self.listed.filter(|(at, _)| *at > since)?;
        let seen =
            self.stacks.values().filter_map(|(_, observation)| observation.as_ref().ok().cloned().flatten());
        Some(Ok(seen.collect()))
    }

    /// The number of stacks when they were last listed.
    pub(super) fn total(&self) -> Option<usize> {
        self.listed.map(|(_, total)| total)
    }

    /// Notes a list of all stacks, of which these are in the plan. Returns whether one of them has changed.
    pub(super) fn list(
        &mut self,
        started: Instant,
        stacks: HashMap<String, StackView>,
        total: usize,
    ) -> bool {
        let status = |observation: &Observation| {
            observation.as_ref().ok().and_then(Option::as_ref).map(|view| view.status.clone())
        };
        let before: HashMap<&String, StackStatus> = self
            .stacks
            .iter()
            .filter_map(|(name, (_, observation))| Some((name, status(observation)?)))
            .collect();
        let has_changed = before.len() != stacks.len()
            || stacks.iter().any(|(name, view)| before.get(name) != Some(&view.status));
        self.listed = Some((started, total));
        self.stacks = stacks.into_iter().map(|(name, view)| (name, (started, Ok(Some(view))))).collect();
        has_changed
    }

    /// Notes the state of one stack. Returns whether it has changed.
    pub(super) fn record(&mut self, name: String, started: Instant, observation: Observation) -> bool {
        let status = |observation: &Observation| {
            observation.as_ref().ok().map(|view| view.as_ref().map(|view| view.status.clone()))
        };
        let now = status(&observation);
        let before = self.stacks.insert(name, (started, observation));
        before.and_then(|(_, observation)| status(&observation)) != now
    }

    /// Stacks may not be listed. Nothing is known to have changed.
    pub(super) fn cannot_list(&mut self, error: AwsError) -> bool {
        self.unlisted = Some(error);
        false
    }

    /// Notes that no stack can be read. Returns false, because no change is known.
    pub(super) fn fail(&mut self, started: Instant, error: AwsError) -> bool {
        self.failed = Some((started, error));
        false
    }
}

//! Resources that never become ready: their service tries again and again, and each attempt fails.

use std::time::Duration;

use jiff::Timestamp;

use super::add;

/// The time between two attempts. An assumption: it depends on the service and on the failure.
const EVERY: Duration = Duration::from_secs(45);
/// The most attempts that a service shows.
const MOST: usize = 100;

/// The failed attempts of a service.
#[derive(Debug, Clone)]
pub(crate) struct Hung {
    pub(crate) since: Timestamp,
    /// When the resource was given up.
    pub(crate) until: Option<Timestamp>,
    /// The reasons that the attempts fail for, in turn.
    pub(crate) reasons: Vec<String>,
}

/// A failed attempt.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Counts from 0.
    pub(crate) number: usize,
    pub(crate) started: Timestamp,
    pub(crate) ended: Timestamp,
    pub(crate) reason: String,
}

impl Hung {
    /// The attempts that have failed by this time, the newest first. The oldest of very many are left out.
    pub(crate) fn failed(&self, now: Timestamp) -> Vec<Attempt> {
        let until = self.until.map_or(now, |until| until.min(now));
        let passed = Duration::try_from(until.duration_since(self.since)).unwrap_or_default();
        let count = usize::try_from(passed.as_secs() / EVERY.as_secs()).unwrap_or(usize::MAX);
        let attempt = |number: usize| {
            let started = add(self.since, EVERY * u32::try_from(number).ok()?);
            let reason = self.reasons.get(number % self.reasons.len().max(1))?.clone();
            Some(Attempt { number, started, ended: add(started, EVERY), reason })
        };
        (count.saturating_sub(MOST)..count).rev().filter_map(attempt).collect()
    }
}

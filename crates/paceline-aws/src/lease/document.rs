//! The object that holds the leases of an environment, and the rules for changing it. Nothing here calls AWS.

use paceline_engine::known_bugs::{KnownBug, is_on};
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the object.
pub(super) const SCHEMA: u32 = 1;
/// The clocks of two machines may differ by this much. A lease counts for so much longer than it says.
const CLOCKS: Duration = Duration::from_secs(30);

/// The leases on stacks of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) schema: u32,
    /// The fencing number of the last lease. It never decreases.
    pub(super) fence: u64,
    pub(super) leases: Vec<Entry>,
}

/// The right of one run to change some stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The name of the run, for people. Two runs of one app that start in the same second have the same name.
    pub(super) run: String,
    /// What tells the run from every other. The process that continues a run has the same.
    pub(super) id: String,
    /// The person, machine or build that runs it.
    pub(super) holder: String,
    pub(super) since: Timestamp,
    /// The lease ends at this time unless its holder renews it.
    pub(super) until: Timestamp,
    /// The number of this lease. A later lease has a greater number.
    pub(super) fence: u64,
    pub(super) stacks: BTreeSet<String>,
    /// Whether the run sleeps: no process works on it until one is started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) sleeps: bool,
}

impl Default for Document {
    fn default() -> Self {
        Self { schema: SCHEMA, fence: 0, leases: Vec::new() }
    }
}

impl Document {
    /// Reads the object. Gives the version of an object that a later version wrote. A damaged object has no leases: to
    /// refuse it would stop every deployment, and the next lease repairs it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, u32> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        match serde_json::from_slice::<Versioned>(bytes) {
            Ok(Versioned { schema }) if schema > SCHEMA => Err(schema),
            _ => Ok(serde_json::from_slice(bytes).unwrap_or_default()),
        }
    }

    /// Adds a lease, in place of an earlier lease of the same run. Gives its number, or the lease of another run that has
    /// one of the stacks.
    pub(super) fn take(&mut self, wanted: &Entry, now: Timestamp) -> Result<u64, Box<Entry>> {
        // The process that a run wakes up in is on another machine.
        let is_own = |lease: &Entry| lease.id == wanted.id || lease.sleeps && lease.run == wanted.run;
        self.leases.retain(|lease| !is_own(lease) && lease.counts(now));
        let is_free = is_on(KnownBug::LeaseForEverybody);
        if !is_free
            && let Some(held) = self.leases.iter().find(|lease| !lease.stacks.is_disjoint(&wanted.stacks))
        {
            return Err(Box::new(held.clone()));
        }
        self.fence += 1;
        self.leases.push(Entry { fence: self.fence, ..wanted.clone() });
        Ok(self.fence)
    }

    /// Makes a lease last until another time. Gives `false` if the lease is not there any more: another run has taken
    /// the stacks after it had ended, or another process continues the same run.
    pub(super) fn renew(&mut self, id: &str, fence: u64, until: Timestamp) -> bool {
        let own = self.leases.iter_mut().find(|lease| lease.id == id && lease.fence == fence);
        own.map(|lease| lease.until = until).is_some()
    }

    /// Keeps a lease for a run that sleeps. Gives `false` if the lease is not there any more.
    pub(super) fn sleep(&mut self, id: &str, fence: u64, until: Timestamp) -> bool {
        let own = self.leases.iter_mut().find(|lease| lease.id == id && lease.fence == fence);
        own.map(|lease| (lease.until, lease.sleeps) = (until, true)).is_some()
    }

    /// Removes a lease, if it is still there.
    pub(super) fn release(&mut self, id: &str, fence: u64) {
        self.leases.retain(|lease| lease.id != id || lease.fence != fence);
    }
}

impl Entry {
    fn counts(&self, now: Timestamp) -> bool {
        self.until + CLOCKS > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn entry(run: &str, stacks: &[&str], until: i64) -> Entry {
        let stacks = stacks.iter().map(|&stack| stack.to_owned()).collect();
        Entry {
            run: "run".into(),
            id: run.into(),
            holder: "h".into(),
            since: at(0),
            until: at(until),
            fence: 0,
            stacks,
            sleeps: false,
        }
    }

    #[test]
    fn two_runs_hold_leases_at_the_same_time_only_on_different_stacks() {
        let mut document = Document::default();
        assert_eq!(document.take(&entry("a", &["X", "Y"], 100), at(0)), Ok(1));
        assert_eq!(document.take(&entry("b", &["Z"], 100), at(0)), Ok(2));
        let held = document.take(&entry("c", &["Y", "Z"], 100), at(0)).unwrap_err();
        assert_eq!(held.id, "a");
    }

    #[test]
    fn a_lease_that_was_not_renewed_ends_with_a_margin_for_clocks() {
        let mut document = Document::default();
        document.take(&entry("a", &["X"], 100), at(0)).unwrap();
        assert!(document.take(&entry("b", &["X"], 300), at(129)).is_err());
        assert_eq!(document.take(&entry("b", &["X"], 300), at(131)), Ok(2));
        assert!(!document.renew("a", 1, at(400)), "its stacks belong to another run now");
    }

    #[test]
    fn a_process_that_continues_a_run_takes_its_lease_from_the_process_before() {
        let mut document = Document::default();
        let first = document.take(&entry("a", &["X"], 100), at(0)).unwrap();
        let second = document.take(&entry("a", &["X"], 200), at(10)).unwrap();
        assert!(!document.renew("a", first, at(300)));
        assert!(document.renew("a", second, at(300)));
        document.release("a", first);
        assert_eq!(document.leases.len(), 1);
    }

    #[test]
    fn a_sleeping_run_keeps_its_stacks_for_the_process_that_continues_it() {
        let mut document = Document::default();
        let first = document.take(&entry("a", &["X"], 100), at(0)).unwrap();
        assert!(document.sleep("a", first, at(9000)));
        let other = Entry { run: "other".into(), ..entry("b", &["X"], 5100) };
        let held = document.take(&other, at(5000)).unwrap_err();
        assert!(held.sleeps, "another run is told that this one sleeps");
        // On another machine, the run has another id.
        let second = document.take(&entry("c", &["X"], 5100), at(5000)).unwrap();
        assert!(!document.leases[0].sleeps && document.leases.len() == 1);
        assert!(document.take(&entry("d", &["X"], 5100), at(5000)).is_err(), "it is awake");
        assert!(!document.sleep("a", first, at(9999)) && document.renew("c", second, at(6000)));
    }

    #[test]
    fn a_damaged_object_has_no_leases_and_a_later_version_is_told() {
        assert_eq!(Document::parse(b"{"), Ok(Document::default()));
        assert_eq!(Document::parse(br#"{"schema":2,"holders":{}}"#), Err(2));
    }
}

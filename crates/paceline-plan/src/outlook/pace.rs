//! The pace of a run: how fast AWS may be called, how often it is looked at, how long its answers take to count.
//!
//! The runner keeps to these figures, and the forecast reckons with them. They are here, so that there is one
//! place for both.

use std::time::Duration;

/// Calls per second that CloudFormation allows for each mutating operation, per account and region
/// (AWS General Reference, "AWS CloudFormation endpoints and quotas").
pub const MUTATING_RATE: f64 = 2.0;
/// The same for `DescribeStacks`, `DescribeStackEvents`, `GetTemplate` and the lists. That of IAM is not
/// documented: this is well below what is observed.
pub const READING_RATE: f64 = 10.0;
/// The share of a rate that is used. The rest is left to others in the same account.
pub const SHARE: f64 = 0.8;
/// A bucket of calls holds what may be made in this time.
pub const BURST: Duration = Duration::from_secs(1);

/// From the start of one poll of an environment to the start of the next, soon after something has changed.
pub const SHORTEST_POLL: Duration = Duration::from_millis(500);
/// The same when nothing has changed for long.
pub const LONGEST_POLL: Duration = Duration::from_secs(3);
/// The interval grows with the time in which nothing has changed, by one part in so many: an end is
/// noticed late in proportion to how long it took.
pub const PATIENCE_GROWS: u32 = 10;
/// Each page of an answer costs a call: an account with very many stacks is polled less often, so that
/// polling takes at most a quarter of the documented ten calls a second.
pub const POLL_PER_PAGE: Duration = Duration::from_millis(400);
/// A poll that is not older than this still tells what state a stack is in.
pub const FRESH_POLL: Duration = Duration::from_secs(10);
/// How many stacks a page of a poll has.
pub const STACKS_PER_PAGE: usize = 100;

/// From one read of a role to the next.
pub const ROLE_READS_EVERY: Duration = Duration::from_secs(2);
/// So many reads in a row must find the role, since a read may be answered by a replica that lags.
pub const ROLE_READS: u32 = 3;
/// Younger roles are not trusted however well they read. Observed propagation is mostly below this.
pub const ROLE_OLD_ENOUGH: Duration = Duration::from_secs(10);
/// An older role is trusted at the first read.
pub const ROLE_SETTLED: Duration = Duration::from_mins(5);

/// What a simulated call takes, there and back.
pub const CALL: Duration = Duration::from_millis(20);

/// How long after the start of a poll the next one starts, when nothing has changed for `quiet` and the last answer
/// had so many pages.
pub fn poll_interval(quiet: Duration, pages: u32) -> Duration {
    (quiet / PATIENCE_GROWS).clamp(SHORTEST_POLL, LONGEST_POLL).max(POLL_PER_PAGE * pages)
}

/// The time between two calls at a documented rate.
pub fn spacing(rate: f64) -> Duration {
    Duration::from_secs_f64(1.0 / (rate * SHARE))
}

/// How long a gate waits for roles that became known `ages` ago, of which so many policies have to be read once.
pub fn role_wait(ages: &[Duration], policy_reads: u32) -> Duration {
    let count = |ages: &[Duration]| u32::try_from(ages.len()).unwrap_or(u32::MAX);
    let sweep = |reads: u32| CALL.max(spacing(READING_RATE)).saturating_mul(reads);
    let mut waited = sweep(count(ages).saturating_add(policy_reads));
    let mut open: Vec<Duration> = ages.iter().copied().filter(|age| *age + waited < ROLE_SETTLED).collect();
    let mut reads = 1;
    while !open.is_empty() {
        let old = |age: &Duration| reads >= ROLE_READS && *age + waited >= ROLE_OLD_ENOUGH;
        open.retain(|age| !old(age));
        if !open.is_empty() {
            waited += ROLE_READS_EVERY + sweep(count(&open));
            reads += 1;
        }
    }
    waited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_nothing_has_changed_the_less_often_is_looked() {
        for (quiet, pages, expected) in [(0, 1, 500), (10, 1, 1000), (600, 1, 3000), (0, 5, 2000)] {
            let interval = poll_interval(Duration::from_secs(quiet), pages);
            assert_eq!(interval, Duration::from_millis(expected), "{quiet} s, {pages} pages");
        }
    }

    #[test]
    fn a_settled_role_is_read_once_and_a_new_one_until_it_is_old_enough() {
        let settled = role_wait(&[Duration::from_mins(10)], 0);
        assert_eq!(settled, spacing(READING_RATE));
        let new = role_wait(&[Duration::ZERO], 0);
        assert!(new >= ROLE_OLD_ENOUGH && new < ROLE_OLD_ENOUGH * 2, "{new:?}");
        let minutes_old = role_wait(&[Duration::from_mins(1)], 0);
        assert!(minutes_old >= ROLE_READS_EVERY * 2 && minutes_old < new, "{minutes_old:?}");
        assert_eq!(role_wait(&[], 0), Duration::ZERO);
    }
}

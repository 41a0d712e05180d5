//! The time that a run will still take: a range, because a forecast is not exact.
//!
//! With the forecast durations, no order of the rest ends before its longest chain, nor before all room is used up. Any
//! order that starts what is ready ends before the sum of the two (R. L. Graham, "Bounds on Multiprocessing Timing
//! Anomalies", 1969). The range also grows with the error of the forecast so far.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::OUT_OF_TIME;
use paceline_engine::event::Outcome;
use paceline_text::duration;

use super::elapsed;
use crate::console::is_signal;
use crate::record::{Record, StepRecord};

/// A forecast below this says little about the pace of the run.
const LEAST_FORECAST: Duration = Duration::from_secs(10);
/// The most that the pace of the steps so far changes the forecast of the others, as a factor.
const MOST_FACTOR: f64 = 3.0;
/// A range is shown as one figure if its ends differ by less than this part of it.
const CLOSE: u32 = 8;

/// The time that a run will still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeLeft {
    pub(super) least: Duration,
    pub(super) most: Duration,
    /// Whether a running step on the longest chain has taken longer than its forecast, so that its end is unknown.
    is_overdue: bool,
}

/// When a step will end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    after: Duration,
    /// Whether a step that it waits for has taken longer than its forecast.
    is_overdue: bool,
    /// Whether it fails, or needs a step that fails.
    fails: bool,
}

impl TimeLeft {
    /// `None` without a forecast, and when the run ends before its steps.
    pub(super) fn of(record: &Record, now: Timestamp, at_once: Option<usize>) -> Option<Self> {
        let ends_now =
            record.stopping.as_deref().is_some_and(|reason| is_signal(reason) || reason == OUT_OF_TIME);
        if ends_now || record.steps.iter().all(|step| step.expected.is_zero()) {
            return None;
        }
        let mut ends: BTreeMap<&str, End> = BTreeMap::new();
        let (mut work, mut unfinished) = (Duration::ZERO, 0_u32);
        // The order of the plan respects the needs, so one pass is enough.
        for step in &record.steps {
            let starts_no_more = record.stopping.is_some() && !step.running;
            if step.outcome.is_some() || starts_no_more {
                continue;
            }
            let needs = || step.needs.iter().filter_map(|id| ends.get(id.as_str()));
            let fails = step.failing.is_some() || !step.running && needs().any(|need| need.fails);
            let left = of_step(record, step, now);
            let begins = needs().max().copied().filter(|_| !step.running).unwrap_or_default();
            let is_overdue = begins.is_overdue || step.running && left.is_none_or(|left| left.is_zero());
            // A stack that needs what fails is skipped.
            let left = left.unwrap_or_default();
            let after = if fails { Duration::ZERO } else { begins.after + left };
            ends.insert(&step.step.step, End { after, is_overdue: is_overdue && !fails, fails });
            if step.step.is_of_stack() && !fails {
                work += left;
                unfinished += 1;
            }
        }
        let End { after: chain, is_overdue, .. } = ends.values().max().copied().unwrap_or_default();
        let at_once = at_once.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX);
        let (mut least, mut most) = (chain, chain);
        if unfinished > at_once {
            let shared = work / at_once.max(1);
            (least, most) = (chain.max(shared), chain + shared);
        }
        let (fast, slow) = pace(record);
        Some(Self { least: least.mul_f64(fast), most: most.mul_f64(slow), is_overdue })
    }

    /// Such as `about 12 min left` or `12 to 20 min left`.
    pub(super) fn shown(self) -> String {
        let Self { least, most, is_overdue } = self;
        if most.is_zero() {
            return if is_overdue { "longer than forecast".to_owned() } else { String::new() };
        }
        if is_overdue {
            return format!("at least {} left", rough(least));
        }
        let (from, to) = (rough(least), rough(most));
        if from == to || most.saturating_sub(least) <= most / CLOSE {
            return format!("about {} left", rough(most));
        }
        match from.strip_suffix(" min") {
            Some(minutes) if !from.contains(" h") && to.ends_with(" min") && !to.contains(" h") => {
                format!("{minutes} to {to} left")
            }
            _ => format!("{from} to {to} left"),
        }
    }
}

/// How much longer a step will probably take: zero if it has taken longer than its forecast, `None` if there is no
/// forecast, or if it is being rolled back.
pub(super) fn of_step(record: &Record, step: &StepRecord, now: Timestamp) -> Option<Duration> {
    if !step.running {
        return Some(step.expected);
    }
    if step.failing.is_some() {
        return None;
    }
    let resource = step.waited_for(now).map(|waits| waits.left()).unwrap_or_default();
    let left = step.expected.saturating_sub(elapsed(record, step, now)).max(resource);
    (!(step.expected.is_zero() && left.is_zero())).then_some(left)
}

/// How much faster and slower than forecast the run has been so far, as factors: at most 1 and at least 1.
fn pace(record: &Record) -> (f64, f64) {
    let ratio = |counts: fn(Outcome) -> bool| {
        let ended = record.stacks().filter(|step| {
            step.outcome.is_some_and(counts) && !step.resumed && step.expected >= LEAST_FORECAST
        });
        let (mut took, mut expected) = (Duration::ZERO, Duration::ZERO);
        for step in ended {
            took += step.duration();
            expected += step.expected;
        }
        if expected.is_zero() { 1.0 } else { took.as_secs_f64() / expected.as_secs_f64() }
    };
    // A stack without changes ends at once. That says something about the others' changes, but not about their pace.
    let fast = ratio(Outcome::is_success).clamp(1.0 / MOST_FACTOR, 1.0);
    let slow = ratio(|outcome| matches!(outcome, Outcome::Deployed | Outcome::Deleted));
    (fast, slow.clamp(1.0, MOST_FACTOR))
}

/// A duration in minutes; below two minutes, in steps of ten seconds.
pub(super) fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    let step = if seconds < 120 { 10 } else { 60 };
    duration(Duration::from_secs(seconds.div_ceil(step).max(1) * step))
}

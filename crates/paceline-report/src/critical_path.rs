//! The critical path of a run as it ran, and the steps that would have to be shorter for it to finish earlier.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_engine::event::Outcome;

use crate::record::{Record, Resource, StepRecord};

/// A step waited for a need if that ended within this time before the step became ready.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A step on the chain that decided when the run finished.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The step.
    pub step: &'a StepRecord,
    /// When it started.
    pub started: Duration,
    /// When it ended, or the time of the last event if it had not.
    pub finished: Duration,
    /// The time from the end of the step before it in the chain, or from the start of the run, to its start. It waited for
    /// the concurrency limit or for the run to be resumed.
    pub idle: Duration,
}

impl Link<'_> {
    /// The time from its start to its end.
    pub fn duration(&self) -> Duration {
        self.finished.saturating_sub(self.started)
    }
}

/// The chain of steps that decided when the run finished, as it ran: from the step that ended last, back
/// through the need that each one waited for longest.
pub fn critical_path<'a>(record: &'a Record) -> Vec<Link<'a>> {
    let mut chain: Vec<Performed<'a>> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = latest(record.steps.iter().filter_map(|step| performed(step, record, None)));
    while let Some(performed) = next
        && seen.insert(performed.step.step.step.as_str())
    {
        next = waited_for(&performed, record);
        chain.push(performed);
    }
    let mut before = Duration::ZERO;
    let link = |performed: Performed<'a>| {
        let Performed { step, started, finished, .. } = performed;
        let idle = started.saturating_sub(before);
        before = finished;
        Link { step, started, finished, idle }
    };
    chain.into_iter().rev().map(link).collect()
}

/// A step on the critical path.
#[derive(Debug, Clone)]
pub struct Shortening<'a> {
    /// The step.
    pub step: &'a StepRecord,
    /// How long it took.
    pub took: Duration,
    /// How much earlier the run would have finished if the step and its twin had taken no time.
    pub gain: Duration,
    /// The stack that must be shortened too, because it took about as long at the same time.
    pub twin: Option<&'a StepRecord>,
    /// Its resources that took longest.
    pub slowest: &'a [Resource],
}

/// A step shorter than the duration of the run divided by this is not worth shortening.
const LEAST_PART: u32 = 20;
/// A twin takes at least this many percent of the time of a stack.
const TWIN_PERCENT: u32 = 80;

/// The steps on the critical path that are worth shortening, the longest first. Empty unless every stack succeeded, because
/// a failed run says little about the next one. Steps that had nothing to do are left out, and the bake of a rollout, which
/// takes as long as the configuration says.
pub fn what_to_shorten(record: &Record) -> Vec<Shortening<'_>> {
    if !record.all_succeeded() {
        return Vec::new();
    }
    let whole = finish_without(record, &[]);
    let least = record.elapsed / LEAST_PART;
    let is_worth_it = |link: &&Link<'_>| {
        let is_new = link.step.outcome != Some(Outcome::Unchanged);
        let is_work = !link.step.step.is_bake();
        is_new && is_work && !link.duration().is_zero() && link.duration() >= least
    };
    let mut stacks: Vec<Shortening<'_>> = critical_path(record)
        .iter()
        .filter(is_worth_it)
        .map(|link| {
            let gain =
                |without: &[&str]| whole.saturating_sub(finish_without(record, without)).min(link.duration());
            let id = link.step.step.step.as_str();
            let alone = gain(&[id]);
            let twin = twins(record, link).map(|twin| (gain(&[id, &twin.step.step]), twin));
            let twin =
                twin.max_by_key(|(together, _)| *together).filter(|(together, _)| *together >= alone * 2);
            Shortening {
                step: link.step,
                took: link.duration(),
                gain: twin.map_or(alone, |(together, _)| together),
                twin: twin.map(|(_, twin)| twin),
                slowest: &link.step.slowest,
            }
        })
        .collect();
    // A stable sort: steps that took equally long stay in the order of the path.
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.took));
    stacks
}

/// The stacks in another region or account that have a similar name and took about as long at the same time.
fn twins<'a>(record: &'a Record, link: &Link<'_>) -> impl Iterator<Item = &'a StepRecord> {
    let (id, started, finished) = (link.step.step.step.clone(), link.started, link.finished);
    let took = link.duration();
    let own = &link.step.step;
    let is_stack = own.is_of_stack();
    let (own, place) = (own.title.clone(), (own.account.clone(), own.region.clone()));
    record.steps.iter().filter(move |other| {
        let overlaps = performed(other, record, None).is_some_and(|it| {
            let other_took = it.finished.saturating_sub(it.started);
            it.started < finished && it.finished > started && other_took * 100 >= took * TWIN_PERCENT
        });
        let is_elsewhere = (other.step.account.clone(), other.step.region.clone()) != place;
        let is_twin = is_elsewhere && are_alike(&own, &other.step.title);
        is_stack && other.step.is_of_stack() && other.step.step != id && overlaps && is_twin
    })
}

/// Whether the common prefix of two names is at least half of the longer one.
fn are_alike(one: &str, other: &str) -> bool {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    same * 2 >= one.chars().count().max(other.chars().count())
}

/// A time during which a step was performed.
#[derive(Debug, Clone, Copy)]
struct Performed<'a> {
    step: &'a StepRecord,
    ready: Duration,
    started: Duration,
    finished: Duration,
}

/// The last time a step was performed, or the last time that began no later than `by`: a resumed run performs steps again
/// that were done before.
fn performed<'a>(step: &'a StepRecord, record: &Record, by: Option<Duration>) -> Option<Performed<'a>> {
    let span = step.spans.iter().rev().find(|span| by.is_none_or(|by| span.started <= by))?;
    Some(Performed {
        step,
        ready: span.ready.unwrap_or(span.started).min(span.started),
        started: span.started,
        finished: span.finished.unwrap_or(record.elapsed).max(span.started),
    })
}

/// The step that ended last. If several did, the one that took longest, then the first.
fn latest<'a>(candidates: impl Iterator<Item = Performed<'a>>) -> Option<Performed<'a>> {
    let rank = |p: &Performed<'_>| (p.finished, p.finished.saturating_sub(p.started));
    candidates.reduce(|best, other| if rank(&other) > rank(&best) { other } else { best })
}

/// The need that decided when a step could start.
///
/// Usually that is the need that ended last before the start. Some edges wait only for one resource of a stack; then the
/// need is still running when the step starts.
fn waited_for<'a>(of: &Performed<'_>, record: &'a Record) -> Option<Performed<'a>> {
    let needs = || {
        let needs = of.step.needs.iter().filter_map(|id| record.step(id));
        needs.filter_map(|need| performed(need, record, Some(of.started)))
    };
    let ended = latest(needs().filter(|need| need.finished <= of.ready));
    if ended.is_some_and(|need| of.ready.saturating_sub(need.finished) <= AT_ONCE) {
        return ended;
    }
    latest(needs().filter(|need| need.finished > of.ready)).or(ended)
}

/// The need that ended last before a step was started the last time.
pub(crate) fn released_by<'a>(record: &'a Record, step: &'a StepRecord) -> Option<&'a StepRecord> {
    waited_for(&performed(step, record, None)?, record).map(|need| need.step)
}

/// When the run would have finished with the durations and needs it had and with room for everything at
/// once, if some of its steps had taken no time.
fn finish_without(record: &Record, without: &[&str]) -> Duration {
    longest(record, without, |step| {
        performed(step, record, None).map(|it| it.finished.saturating_sub(it.started))
    })
}

/// The longest chain of the steps' forecasts; none when nothing was forecast.
pub(crate) fn forecast(record: &Record) -> Option<Duration> {
    Some(longest(record, &[], |step| Some(step.expected))).filter(|finish| !finish.is_zero())
}

/// The length of the longest chain of steps, if each takes its time, and those in `without` take none. Steps without a
/// time are left out.
///
/// A need that was still being performed when a step started released the step part of the way: then the step waits for
/// the same part of it here.
fn longest(record: &Record, without: &[&str], took: impl Fn(&StepRecord) -> Option<Duration>) -> Duration {
    let mut ends: BTreeMap<&str, (Duration, Duration)> = BTreeMap::new();
    // The order of the plan respects the needs, so one pass is enough.
    for step in &record.steps {
        let Some(took) = took(step) else { continue };
        let this = performed(step, record, None);
        let mut start = Duration::ZERO;
        for id in &step.needs {
            let Some(&(begin, end)) = ends.get(id.as_str()) else { continue };
            let need = this.and_then(|this| performed(record.step(id)?, record, Some(this.started)));
            let released = match (this, need) {
                (Some(this), Some(need))
                    if need.finished > this.started && !without.contains(&id.as_str()) =>
                {
                    begin + this.started.saturating_sub(need.started)
                }
                _ => end,
            };
            start = start.max(released.min(end));
        }
        let id = step.step.step.as_str();
        let took = if without.contains(&id) { Duration::ZERO } else { took };
        ends.insert(id, (start, start + took));
    }
    ends.values().map(|&(_, end)| end).max().unwrap_or_default()
}

//! What decided when the run finished, and what would have to be shorter for it to finish earlier.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_engine::event::Outcome;

use crate::record::{Record, Resource, StepRecord};

/// A need that ended this shortly before a step became ready is what it waited for.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A step on the chain that decided when the run finished.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The step.
    pub step: &'a StepRecord,
    /// When it started.
    pub started: Duration,
    /// When it ended; the time of the last event when it had not.
    pub finished: Duration,
    /// The time between the end of the step before it in the chain, or the start of the run, and its start:
    /// it waited for room, or for the run to be resumed.
    pub idle: Duration,
}

impl Link<'_> {
    /// From its start to its end.
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
    /// How much earlier the run would have finished if the step had taken no time at all, and its twin too: the most
    /// that can be gained there before something else decides.
    pub gain: Duration,
    /// The stack that has to be shortened with it, because it took about as long beside it.
    pub twin: Option<&'a StepRecord>,
    /// Its resources that took longest.
    pub slowest: &'a [Resource],
}

/// One part in so many of the run is too little to be shortened.
const LEAST_PART: u32 = 20;
/// How much of one stack's time another takes that counts as its twin: so many parts in a hundred.
const TWIN_PERCENT: u32 = 80;

/// The steps on the critical path that were worth their time, the one that took longest first. Nothing, unless every
/// stack was deployed: how long a run took that was not done says nothing of the next one. Nothing of steps that found
/// nothing to do, either.
pub fn what_to_shorten(record: &Record) -> Vec<Shortening<'_>> {
    if !record.all_succeeded() {
        return Vec::new();
    }
    let whole = finish_without(record, &[]);
    let least = record.elapsed / LEAST_PART;
    let is_worth_it = |link: &&Link<'_>| {
        let is_new = link.step.outcome != Some(Outcome::Unchanged);
        is_new && !link.duration().is_zero() && link.duration() >= least
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
    // A stable sort: stacks that took equally long stay in the order of the path.
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.took));
    stacks
}

/// The stacks that took about as long as one, at the same time, in another region or account and under a like name.
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

/// Whether two names begin with the same, for half of the longer at least.
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

/// The last time a step was performed, or the last time that had begun by then: a resumed run looks again at
/// what an earlier part had done.
fn performed<'a>(step: &'a StepRecord, record: &Record, by: Option<Duration>) -> Option<Performed<'a>> {
    let span = step.spans.iter().rev().find(|span| by.is_none_or(|by| span.started <= by))?;
    Some(Performed {
        step,
        ready: span.ready.unwrap_or(span.started).min(span.started),
        started: span.started,
        finished: span.finished.unwrap_or(record.elapsed).max(span.started),
    })
}

/// What ended last; of several, what took longest, then the first.
fn latest<'a>(candidates: impl Iterator<Item = Performed<'a>>) -> Option<Performed<'a>> {
    let rank = |p: &Performed<'_>| (p.finished, p.finished.saturating_sub(p.started));
    candidates.reduce(|best, other| if rank(&other) > rank(&best) { other } else { best })
}

/// The need that decided when a step could start.
///
/// Mostly it is the one that ended last before that. But some edges wait only for one resource of a stack,
/// and then the need is still being performed when the step starts.
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

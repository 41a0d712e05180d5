//! Makes the metrics from the record of a run and from what was counted.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::StepKind;
use paceline_engine::event::Outcome;
use paceline_text::to_the_millisecond;

use super::{Counts, Metric, MetricKind};
use crate::comparison::PhaseTimes;
use crate::critical_path::{Link, critical_path};
use crate::figures::seconds;
use crate::record::{Record, Span, Status, StepRecord};

/// In a run of more stacks, stacks have no metric of their own: CloudWatch bills each one.
const MOST_NAMED_STACKS: usize = 50;
/// The resource types that have a metric of their own, the most frequent first. The others count as [`OTHER_TYPES`].
const MOST_NAMED_TYPES: usize = 50;
const OTHER_TYPES: &str = "Other";

/// The metrics of a process that has ended its run or its part of it. Empty if it has not ended.
///
/// `deployment` is the name that tells the metrics of one deployment from those of another.
pub fn metrics(record: &Record, counts: &Counts, deployment: &str) -> Vec<Metric> {
    if matches!(record.status(), Status::Empty | Status::Unfinished) {
        return Vec::new();
    }
    let mut metrics = Made { deployment, all: Vec::new() };
    if matches!(record.status(), Status::Done | Status::Failed) {
        metrics.add(&MetricKind::RUN_DURATION, &[], seconds_of(record.elapsed));
        let path = critical_path(record).iter().map(Link::duration).sum();
        metrics.add(&MetricKind::CRITICAL_PATH, &[], seconds_of(path));
    }
    if record.status() == Status::Done {
        let one_after_another = PhaseTimes::one_after_another(record).total;
        let saved = one_after_another.as_secs_f64() - record.elapsed.as_secs_f64();
        metrics.add(&MetricKind::TIME_SAVED, &[], to_the_millisecond(saved));
    }
    metrics.add(&MetricKind::RUNS, &[record.status().as_str()], 1.0);
    stacks(record, &mut metrics);
    if role_gates(record).next().is_some() {
        metrics.add(&MetricKind::IAM_ROLE_WAIT, &[], seconds_of(waited_for_roles(record)));
    }
    metrics.add(&MetricKind::IAM_CONSISTENCY_FAILURES, &[], number(counts.iam_failures));
    metrics.add(&MetricKind::RESOURCE_TIMEOUTS, &[], number(counts.timeouts));
    metrics.add(&MetricKind::PARALLEL_COMPLETIONS, &[], number(parallel_completions(record)));
    for (class, times) in &counts.retries {
        metrics.add(&MetricKind::RETRIES, &[class.as_str()], number(*times));
    }
    for (operation, times) in &counts.throttles {
        metrics.add(&MetricKind::THROTTLES, &[operation], number(*times));
    }
    // The phase that the run itself is a part of has no status yet.
    let phases = record.build.iter().flat_map(|build| &build.phases).filter(|phase| phase.status.is_some());
    for phase in phases {
        let took = seconds_of(seconds(phase.duration_s));
        metrics.add(&MetricKind::BUILD_PHASE_DURATION, &[&phase.name], took);
    }
    stack_events(counts, &mut metrics);
    metrics.all
}

/// The metrics so far.
struct Made<'a> {
    deployment: &'a str,
    all: Vec<Metric>,
}

impl Made<'_> {
    fn add(&mut self, kind: &'static MetricKind, more: &[&str], value: f64) {
        self.add_all(kind, more, vec![value]);
    }

    fn add_all(&mut self, kind: &'static MetricKind, more: &[&str], values: Vec<f64>) {
        let dimensions: Vec<&str> = std::iter::once(self.deployment).chain(more.iter().copied()).collect();
        self.all.push(Metric::new(kind, &dimensions, values));
    }
}

fn stacks(record: &Record, metrics: &mut Made<'_>) {
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    let mut by_region: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut by_stack: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for stack in record.stacks().filter(|stack| !record.was_done_earlier(stack)) {
        let Some(outcome) = stack.outcome else { continue };
        *outcomes.entry(outcome).or_default() += 1;
        // A stack with nothing to do would hide how long the others take.
        if !matches!(outcome, Outcome::Deployed | Outcome::Deleted) || stack.spans.is_empty() {
            continue;
        }
        let took = seconds_of(stack.duration());
        by_region.entry(stack.step.region.as_deref().unwrap_or_default()).or_default().push(took);
        by_stack.entry(stack.stack_id()).or_default().push(took);
    }
    for (outcome, stacks) in outcomes {
        metrics.add(&MetricKind::STACKS, &[outcome.as_str()], number(stacks));
    }
    for (region, durations) in by_region {
        metrics.add_all(&MetricKind::STACK_DURATION_BY_REGION, &[region], durations);
    }
    if record.stacks().count() <= MOST_NAMED_STACKS {
        for (stack, durations) in by_stack {
            metrics.add_all(&MetricKind::STACK_DURATION, &[stack], durations);
        }
    }
}

/// How long the gates waited for IAM roles in this process. Gates may wait at the same time; the time of each counts.
fn waited_for_roles(record: &Record) -> Duration {
    let began = began(record);
    let waited = |span: &Span| Some(span.finished?.saturating_sub(span.started.max(began)));
    role_gates(record).flat_map(|gate| &gate.spans).filter_map(waited).sum()
}

/// The gates that wait for IAM roles, by the ids that the plan gives to them.
fn role_gates(record: &Record) -> impl Iterator<Item = &StepRecord> {
    record.of_kind(StepKind::Gate).filter(|gate| gate.step.step.starts_with("gate:iam-roles:"))
}

/// How many stacks succeeded in this process while AWS also worked on another one.
fn parallel_completions(record: &Record) -> u64 {
    let spans = |stack: &StepRecord| {
        let whole = |span: &Span| (span.started, span.finished.unwrap_or(record.elapsed));
        stack.spans.iter().map(whole).collect::<Vec<_>>()
    };
    let stacks: Vec<(&StepRecord, Vec<(Duration, Duration)>)> =
        record.stacks().map(|stack| (stack, spans(stack))).collect();
    let is_parallel = |at: usize| {
        let Some(&(started, finished)) = stacks[at].1.last() else { return false };
        let mut others = stacks.iter().enumerate().filter(|(other, _)| *other != at);
        others.any(|(_, (_, spans))| spans.iter().any(|&(from, to)| from < finished && started < to))
    };
    let succeeded = |stack: &StepRecord| {
        let is_new = matches!(stack.outcome, Some(Outcome::Deployed | Outcome::Deleted));
        is_new && !record.was_done_earlier(stack)
    };
    let parallel = (0..stacks.len()).filter(|&at| succeeded(stacks[at].0) && is_parallel(at));
    u64::try_from(parallel.count()).unwrap_or(u64::MAX)
}

fn stack_events(counts: &Counts, metrics: &mut Made<'_>) {
    let mut types: Vec<(&str, u64)> =
        counts.stack_events.iter().map(|(name, times)| (name.as_str(), *times)).collect();
    // A stable sort: types that came equally often stay in the order of their names.
    types.sort_by_key(|&(_, times)| std::cmp::Reverse(times));
    let others: u64 = types.iter().skip(MOST_NAMED_TYPES).map(|(_, times)| times).sum();
    for (name, times) in types.into_iter().take(MOST_NAMED_TYPES) {
        metrics.add(&MetricKind::STACK_EVENTS, &[name], number(times));
    }
    if others > 0 {
        metrics.add(&MetricKind::STACK_EVENTS, &[OTHER_TYPES], number(others));
    }
}

/// When this process began, on the run's clock.
fn began(record: &Record) -> Duration {
    record.parts.last().map_or(Duration::ZERO, |part| part.started)
}

fn seconds_of(duration: Duration) -> f64 {
    to_the_millisecond(duration.as_secs_f64())
}

/// A count as CloudWatch takes it.
#[expect(clippy::cast_precision_loss, reason = "no run has so many events that it matters")]
fn number(count: u64) -> f64 {
    count as f64
}

//! Which limits a stack of a run waited for, although everything that it needs was complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Event, Fact, Limit, LimitWait, Outcome, RunStarted, StepKind, StepRef};
use paceline_text::{duration, near, one_line};

use crate::figures::seconds;

mod json;

pub use json::why_waiting_schema;

/// A shorter wait without a known limit comes from the rounding of times.
const ROUNDING: Duration = Duration::from_millis(20);

/// What a stack of a run waited for.
#[derive(Debug, Clone, Default)]
pub struct WhyWaiting {
    run: String,
    stack: String,
    /// How long the run waited for the leases of other runs before anything started.
    lease: Duration,
    step: Step,
    /// The assets of the stack that waited, the longest wait first.
    assets: Vec<(String, Vec<LimitWait>)>,
}

/// The times of a step, since the start of the run.
#[derive(Debug, Clone, Default)]
struct Step {
    ready: Option<Duration>,
    started: Option<Duration>,
    ended: Option<Duration>,
    outcome: Option<Outcome>,
    before_start: Vec<LimitWait>,
    /// All waits, or those before the start if the step has not ended.
    all: Vec<LimitWait>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStack {
    /// A stack of the run with a similar name.
    pub meant: Option<String>,
}

impl WhyWaiting {
    /// Reads the answer for a stack, by its id or its name, from the events of a run.
    pub fn of(events: &[Event], stack: &str) -> Result<Self, UnknownStack> {
        let is_meant = |step: &StepRef| {
            step.is_of_stack() && [&step.stack, &step.stack_name].contains(&&Some(stack.to_owned()))
        };
        let mentioned = || {
            let planned = events.iter().filter_map(|event| match &event.fact {
                Fact::RunStarted(started) => Some(started.steps.iter().map(|planned| &planned.step)),
                _ => None,
            });
            planned.flatten().chain(events.iter().filter_map(|event| event.fact.step()))
        };
        let Some(step) = mentioned().find(|step| is_meant(step)) else {
            let stacks: BTreeSet<&str> = mentioned().filter_map(|step| step.stack.as_deref()).collect();
            return Err(UnknownStack { meant: near(stack, stacks.into_iter()).map(str::to_owned) });
        };
        let mut steps = Steps::default();
        for event in events {
            steps.hears(event);
        }
        let needs = steps.needs.get(&step.step).into_iter().flatten();
        let assets = needs.filter_map(|need| {
            let (title, asset) = steps.publishing.get(need)?;
            Some((title.clone(), asset.all.clone())).filter(|(_, waits)| !waits.is_empty())
        });
        let mut assets: Vec<(String, Vec<LimitWait>)> = assets.collect();
        assets.sort_by(|a, b| sum(&b.1).cmp(&sum(&a.1)).then_with(|| a.0.cmp(&b.0)));
        Ok(Self {
            run: steps.run,
            stack: step.title.clone(),
            lease: steps.lease,
            step: steps.stacks.remove(&step.step).unwrap_or_default(),
            assets,
        })
    }

    /// The answer for a person.
    pub fn text(&self) -> String {
        let mut out = format!("{}, in the run {}\n", one_line(&self.stack), one_line(&self.run));
        if !self.lease.is_zero() {
            let lease = duration(self.lease);
            let _ = writeln!(out, "  the run waited {lease} for the leases of another run before it started");
        }
        let Step { ready, started, .. } = &self.step;
        let Some(ready) = ready else {
            out.push_str("  it was never ready: something that it needs is not complete\n");
            assets(&mut out, &self.assets);
            return out;
        };
        let _ = writeln!(out, "  ready {} after the start of the run", duration(*ready));
        let queued = duration(self.step.queued());
        let _ = match (started, self.step.outcome) {
            (Some(_), _) => writeln!(out, "  started {queued} later"),
            (None, Some(outcome)) => writeln!(out, "  never started: {outcome} {queued} later"),
            (None, None) => writeln!(out, "  has not started: the journal names the limit at its start"),
        };
        let (before, after, unknown) =
            (&self.step.before_start, self.step.after_start(), self.step.unknown());
        if before.is_empty() && after.is_empty() && unknown.is_zero() && started.is_some() {
            out.push_str("  it waited for no limit\n");
        }
        waits(&mut out, "waited before its start", before);
        if !unknown.is_zero() {
            let _ =
                writeln!(out, "  waited {} for a limit that the journal does not name", duration(unknown));
        }
        waits(&mut out, "waited after its start", &after);
        assets(&mut out, &self.assets);
        out
    }
}

impl Step {
    /// The time for which the step was ready and did not run.
    fn queued(&self) -> Duration {
        let Some(ready) = self.ready else { return Duration::ZERO };
        self.started.or(self.ended).map_or(Duration::ZERO, |until| until.saturating_sub(ready))
    }

    /// The part of that time for which no limit is known.
    fn unknown(&self) -> Duration {
        let unknown = self.queued().saturating_sub(sum(&self.before_start));
        if unknown > ROUNDING { unknown } else { Duration::ZERO }
    }

    /// The waits after the start.
    fn after_start(&self) -> Vec<LimitWait> {
        let before = |limit: &Limit| {
            let before = self.before_start.iter().find(|before| before.limit == *limit);
            before.map_or(0.0, |before| before.waited_s)
        };
        let after = self.all.iter().map(|wait| LimitWait {
            limit: wait.limit.clone(),
            waited_s: wait.waited_s - before(&wait.limit),
        });
        after.filter(|wait| wait.waited_s > 0.0).collect()
    }
}

/// The steps of a run, while its events are read.
#[derive(Debug, Default)]
struct Steps {
    run: String,
    start: Option<Timestamp>,
    lease: Duration,
    needs: BTreeMap<String, Vec<String>>,
    stacks: BTreeMap<String, Step>,
    /// The steps that publish, with their titles.
    publishing: BTreeMap<String, (String, Step)>,
    /// What an earlier part of the run knows of its steps.
    earlier: BTreeMap<String, Step>,
}

impl Steps {
    fn hears(&mut self, event: &Event) {
        self.run.clone_from(&event.run);
        if let Fact::RunStarted(started) = &event.fact {
            self.starts(started, event.at);
        }
        let at = self.start.map_or(Duration::ZERO, |start| {
            Duration::try_from(event.at.duration_since(start)).unwrap_or_default()
        });
        let Some(of) = event.fact.step() else { return };
        let step = match of.kind {
            StepKind::Deploy | StepKind::Delete => self.stacks.entry(of.step.clone()).or_default(),
            StepKind::Publish => {
                let entry = self.publishing.entry(of.step.clone());
                &mut entry.or_insert_with(|| (of.title.clone(), Step::default())).1
            }
            _ => return,
        };
        match &event.fact {
            Fact::StepReady(_) => *step = Step { ready: Some(at), ..Step::default() },
            Fact::StepHeld(_) => *step = Step::default(),
            Fact::StepStarted(started) => {
                step.started = Some(at);
                step.before_start.clone_from(&started.waited);
                step.all.clone_from(&started.waited);
            }
            Fact::StepFinished(finished) => {
                step.ended = Some(at);
                step.outcome = Some(finished.outcome);
                if !finished.waited.is_empty() {
                    step.all.clone_from(&finished.waited);
                }
                if step.started.is_none() {
                    step.before_start.clone_from(&step.all);
                }
                // A resumed run only checks what was done before.
                if let Some(earlier) = self.earlier.get(&of.step).filter(|_| finished.resumed) {
                    *step = Step { outcome: step.outcome, ..earlier.clone() };
                }
            }
            _ => {}
        }
    }

    fn starts(&mut self, started: &RunStarted, at: Timestamp) {
        self.start.get_or_insert(at);
        self.lease += seconds(started.lease_wait_s);
        self.earlier.extend(std::mem::take(&mut self.stacks));
        let published = std::mem::take(&mut self.publishing).into_iter();
        self.earlier.extend(published.map(|(id, (_, step))| (id, step)));
        for planned in &started.steps {
            self.needs.insert(planned.step.step.clone(), planned.needs.clone());
        }
    }
}

fn sum(waits: &[LimitWait]) -> Duration {
    waits.iter().map(|wait| seconds(wait.waited_s)).sum()
}

fn waits(out: &mut String, title: &str, waits: &[LimitWait]) {
    if !waits.is_empty() {
        let _ = writeln!(out, "  {title}:");
    }
    for wait in waits {
        let _ = writeln!(out, "    {}, {}", duration(seconds(wait.waited_s)), shown(&wait.limit));
    }
}

fn assets(out: &mut String, assets: &[(String, Vec<LimitWait>)]) {
    if !assets.is_empty() {
        out.push_str("  its assets waited:\n");
    }
    for (title, waits) in assets {
        for wait in waits {
            let (time, title) = (duration(seconds(wait.waited_s)), one_line(title));
            let _ = writeln!(out, "    {title}: {time}, {}", shown(&wait.limit));
        }
    }
}

/// The limit in the words of the configuration, and what it means.
fn shown(limit: &Limit) -> String {
    let meaning = match limit {
        Limit::Stacks => "as many stack operations ran as may run at the same time",
        Limit::Assets => "as many files were published as may be published at the same time",
        Limit::Images => "as many images were built as may be built at the same time",
        Limit::Resources => "the running stacks of its account and region left no room for its resources",
        Limit::Staggered => {
            "other stacks used a service whose API takes few requests, and the stack had time to wait"
        }
        Limit::ApiRate => "its calls waited for the rate of calls to AWS",
        Limit::Other(limit) => return one_line(limit),
    };
    format!("{limit}: {meaning}")
}

//! Makes spans of the events of a run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use paceline_engine::event::{Cause, Event, Fact, Outcome, RunFinished, RunStarted, StepFinished, StepRef};
use paceline_text::{ExitCode, one_line};

use super::ids::{SpanId, TraceId};
use crate::record::cause_place;

/// The most links and events of a span (OpenTelemetry specification, "Span Limits").
const MOST: usize = 128;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSpan {
    pub(super) trace: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) name: String,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) events: Vec<SpanEvent>,
    pub(super) dropped_events: usize,
    /// The spans of the steps that this step needed, with the ids of the steps.
    pub(super) links: Vec<(SpanId, String)>,
    pub(super) dropped_links: usize,
    pub(super) status: SpanStatus,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute {
    Text(String),
    Number(u64),
    Seconds(f64),
    Flag(bool),
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SpanEvent {
    pub(super) at: Timestamp,
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SpanStatus {
    Unset,
    Fine,
    Error(String),
}

/// The spans of a run, made of its events one after another. The same events give the same spans.
#[derive(Debug, Default)]
pub struct RunSpans {
    run: String,
    started: Option<RunStarted>,
    part: Option<Part>,
    parts: usize,
    /// The time of the last event.
    last: Option<Timestamp>,
    /// The ids of the steps that each step needs.
    needs: BTreeMap<String, Vec<String>>,
    open: BTreeMap<String, OpenSpan>,
    /// The spans of the steps that this part has interrupted, with the titles of the steps. The end of the part tells
    /// whether it failed to finish them or only sleeps.
    interrupted: Vec<(String, RunSpan)>,
    /// How often each step was performed.
    performed: BTreeMap<String, usize>,
    /// The steps that have succeeded.
    done: BTreeSet<String>,
    /// The first failure of this part, for its status.
    first_failure: Option<String>,
}

/// A part of the run that has not ended.
#[derive(Debug)]
struct Part {
    number: usize,
    started: Timestamp,
}

/// The span of a step that is being performed.
#[derive(Debug)]
struct OpenSpan {
    step: StepRef,
    started: Timestamp,
    events: Vec<SpanEvent>,
    dropped: usize,
}

impl RunSpans {
    /// Applies the next event, and returns the spans that end with it. Events of another run are ignored.
    pub fn apply(&mut self, event: &Event) -> Vec<RunSpan> {
        if self.run.is_empty() {
            self.run.clone_from(&event.run);
        } else if self.run != event.run {
            return Vec::new();
        }
        let at = event.at;
        let mut ended = Vec::new();
        match &event.fact {
            Fact::RunStarted(started) => {
                // The process of the part before was killed.
                ended.extend(self.end_part(self.last.unwrap_or(at), None));
                self.start_part(started, at);
            }
            Fact::StepStarted(started) => self.start_step(&started.step, at),
            Fact::StepRetried(retried) => {
                let text = |text: &str| Attribute::Text(one_line(text));
                let mut attributes = vec![
                    ("paceline.retry.reason", text(&retried.reason)),
                    ("paceline.retry.attempt", Attribute::Number(retried.attempt.into())),
                    ("paceline.retry.wait_s", Attribute::Seconds(retried.wait_s)),
                ];
                attributes.extend(
                    retried.class.as_ref().map(|class| ("paceline.retry.class", text(class.as_str()))),
                );
                self.note(&retried.step, SpanEvent { at, name: "retry", attributes });
            }
            Fact::StepWarned(warned) => {
                let attributes = vec![("paceline.warning", Attribute::Text(one_line(&warned.message)))];
                self.note(&warned.step, SpanEvent { at, name: "warning", attributes });
            }
            Fact::StepFinished(finished) => ended.extend(self.end_step(finished, at)),
            Fact::RunFinished(finished) => ended.extend(self.end_part(at, Some(finished))),
            _ => {}
        }
        self.last = self.last.max(Some(at));
        ended
    }

    /// The spans that have not ended at the last event: the process of the run was killed, or is still running.
    pub fn left(&mut self) -> Vec<RunSpan> {
        let Some(last) = self.last else { return Vec::new() };
        let open = std::mem::take(&mut self.open);
        let mut left: Vec<RunSpan> = open
            .into_iter()
            .map(|(id, open)| {
                let status = SpanStatus::Error("the run was interrupted before the step ended".to_owned());
                self.span_of_step(&id, open, last, Vec::new(), status)
            })
            .collect();
        left.extend(self.end_part(last, None));
        left
    }

    fn start_part(&mut self, started: &RunStarted, at: Timestamp) {
        self.parts += 1;
        self.first_failure = None;
        self.part = Some(Part { number: self.parts, started: at });
        if !started.steps.is_empty() {
            let needs = started.steps.iter().map(|it| (it.step.step.clone(), it.needs.clone()));
            self.needs = needs.collect();
        }
        self.started = Some(RunStarted { steps: Vec::new(), phases: Vec::new(), ..started.clone() });
    }

    /// The spans that end with the part: those of the steps that it has interrupted, and its own.
    fn end_part(&mut self, at: Timestamp, finished: Option<&RunFinished>) -> Vec<RunSpan> {
        let mut ended = Vec::new();
        for (title, mut span) in std::mem::take(&mut self.interrupted) {
            // AWS goes on with the step, and another part continues it.
            if finished.is_some_and(|finished| finished.waits_for.contains(&title)) {
                span.status = SpanStatus::Unset;
            }
            ended.push(span);
        }
        ended.extend(self.end_of_part(at, finished));
        ended
    }

    fn end_of_part(&mut self, at: Timestamp, finished: Option<&RunFinished>) -> Option<RunSpan> {
        let Part { number, started } = self.part.take()?;
        let status = match finished {
            None => SpanStatus::Error("the process of the run ended early".to_owned()),
            // The run sleeps, and another part continues it.
            Some(finished) if !finished.waits_for.is_empty() => SpanStatus::Unset,
            Some(finished) => match finished.exit_code {
                ExitCode::Done => SpanStatus::Fine,
                ExitCode::Interrupted => SpanStatus::Error("the run was interrupted".to_owned()),
                code => {
                    let otherwise = || format!("the run ended with exit code {}", code.code());
                    SpanStatus::Error(self.first_failure.take().unwrap_or_else(otherwise))
                }
            },
        };
        let text = |text: &str| Attribute::Text(one_line(text));
        let mut attributes = vec![("paceline.run", text(&self.run))];
        if let Some(run) = &self.started {
            attributes.push(("paceline.app", text(&run.app)));
            attributes.push(("paceline.strategy", text(&run.strategy.to_string())));
            attributes.push(("paceline.resumed", Attribute::Flag(run.resumed)));
            attributes.push(("paceline.simulated", Attribute::Flag(run.simulated)));
        }
        if let Some(finished) = finished {
            attributes.push(("paceline.exit_code", Attribute::Number(finished.exit_code.code().into())));
            let counts =
                finished.stacks.iter().map(|(outcome, count)| format!("{count} {}", outcome.as_str()));
            attributes.push(("paceline.stacks", Attribute::Text(counts.collect::<Vec<_>>().join(", "))));
        }
        Some(RunSpan {
            trace: TraceId::of(&self.run),
            id: SpanId::of_part(&self.run, number),
            parent: (number > 1).then(|| SpanId::of_part(&self.run, 1)),
            name: if number > 1 { "resumed run" } else { "run" }.to_owned(),
            started,
            ended: at.max(started),
            attributes,
            events: Vec::new(),
            dropped_events: 0,
            links: Vec::new(),
            dropped_links: 0,
            status,
        })
    }

    fn start_step(&mut self, step: &StepRef, at: Timestamp) {
        // A killed process has ended no span: the step continues in the next part.
        self.open.entry(step.step.clone()).or_insert_with(|| OpenSpan {
            step: step.clone(),
            started: at,
            events: Vec::new(),
            dropped: 0,
        });
    }

    fn note(&mut self, step: &StepRef, event: SpanEvent) {
        let Some(open) = self.open.get_mut(&step.step) else { return };
        if open.events.len() < MOST {
            open.events.push(event);
        } else {
            open.dropped += 1;
        }
    }

    fn end_step(&mut self, finished: &StepFinished, at: Timestamp) -> Option<RunSpan> {
        let id = finished.step.step.clone();
        let open = self.open.remove(&id);
        // A later part of the run has only looked whether the step is done, or it never began.
        let is_known = finished.resumed && self.done.contains(&id);
        if is_known || (finished.outcome == Outcome::Interrupted && open.is_none()) {
            return None;
        }
        if finished.outcome.is_success() {
            self.done.insert(id.clone());
        }
        let open = open.unwrap_or_else(|| OpenSpan {
            step: finished.step.clone(),
            started: at,
            events: Vec::new(),
            dropped: 0,
        });
        let status = match finished.outcome {
            outcome if outcome.is_success() => SpanStatus::Fine,
            Outcome::Skipped => SpanStatus::Unset,
            Outcome::Interrupted => {
                SpanStatus::Error("the run was interrupted before the step ended".to_owned())
            }
            _ => {
                let cause = finished.cause.as_ref().map_or_else(|| "no cause was given".to_owned(), told);
                let title = one_line(&finished.step.title);
                self.first_failure.get_or_insert_with(|| format!("{title}: {cause}"));
                SpanStatus::Error(cause)
            }
        };
        let text = |text: &str| Attribute::Text(one_line(text));
        let mut attributes = vec![("paceline.outcome", text(finished.outcome.as_str()))];
        attributes.extend(finished.because.as_deref().map(|step| ("paceline.because", text(step))));
        attributes.extend(finished.detail.as_deref().map(|detail| ("paceline.detail", text(detail))));
        let hint = finished.cause.as_ref().and_then(|cause| cause.hint.as_deref());
        attributes.extend(hint.map(|hint| ("paceline.hint", text(hint))));
        let span = self.span_of_step(&id, open, at, attributes, status);
        if finished.outcome == Outcome::Interrupted {
            self.interrupted.push((finished.step.title.clone(), span));
            return None;
        }
        Some(span)
    }

    fn span_of_step(
        &mut self,
        id: &str,
        open: OpenSpan,
        at: Timestamp,
        more: Vec<(&'static str, Attribute)>,
        status: SpanStatus,
    ) -> RunSpan {
        let time = self.performed.entry(id.to_owned()).or_default();
        let span = SpanId::of_step(&self.run, id, *time);
        *time += 1;
        let needs = self.needs.get(id).map_or(&[][..], Vec::as_slice);
        // A step that was not performed has no span.
        let mut linked = needs.iter().filter_map(|need| {
            let last = self.performed.get(need)?.checked_sub(1)?;
            Some((SpanId::of_step(&self.run, need, last), need.clone()))
        });
        let links: Vec<_> = linked.by_ref().take(MOST).collect();
        let dropped_links = linked.count();
        let step = &open.step;
        let text = |text: &str| Attribute::Text(one_line(text));
        let mut attributes = vec![
            ("paceline.step", text(&step.step)),
            ("paceline.kind", text(step.kind.as_str())),
            ("cloud.provider", text("aws")),
        ];
        for (name, value) in [
            ("paceline.stack", &step.stack),
            ("paceline.stack_name", &step.stack_name),
            ("paceline.phase", &step.phase),
            ("cloud.account.id", &step.account),
            ("cloud.region", &step.region),
        ] {
            attributes.extend(value.as_deref().map(|value| (name, text(value))));
        }
        attributes.extend(more);
        RunSpan {
            trace: TraceId::of(&self.run),
            id: span,
            parent: Some(SpanId::of_part(&self.run, 1)),
            name: format!("{} {}", step.kind.as_str(), one_line(&step.title)),
            started: open.started,
            ended: at.max(open.started),
            attributes,
            events: open.events,
            dropped_events: open.dropped,
            links,
            dropped_links,
            status,
        }
    }
}

/// The first cause on one line.
fn told(cause: &Cause) -> String {
    format!("{}{}", cause_place(cause), one_line(&cause.message))
}

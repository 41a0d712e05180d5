//! The run as a Chrome trace, for Perfetto and `chrome://tracing`: a track for each region, with the steps and, below them,
//! the resources of the stacks.
//!
//! The format is the "Trace Event Format": times are in microseconds, on the run's own clock. A region is a process of the
//! trace. Steps that overlap are in several threads of it, because complete events of one thread must not overlap.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_engine::StepKind;
use paceline_engine::event::Outcome;
use paceline_text::one_line;
use serde_json::{Value, json};

use crate::critical_path::critical_path;
use crate::ending::headline;
use crate::record::{Record, Span, StepRecord};

/// The track of steps that have no region, such as syntheses.
const NO_REGION: &str = "no region";
/// The process of the trace that has the parts of the run.
const RUN: u64 = 0;

/// A time during which a step was performed, and its place in the trace.
struct Performed<'a> {
    step: &'a StepRecord,
    start: Duration,
    end: Duration,
    outcome: Option<Outcome>,
    process: u64,
    thread: u64,
}

/// The run as JSON in the Trace Event Format.
pub fn trace(record: &Record) -> String {
    let mut events = vec![name("process_name", RUN, 0, "run")];
    let regions = regions(record);
    for (region, &process) in &regions {
        events.push(name("process_name", process, 0, region));
        events.push(json!({
            "ph": "M", "name": "process_sort_index", "pid": process, "tid": 0, "args": { "sort_index": process },
        }));
    }
    run(record, &mut events);
    let performed = performed(record, &regions);
    for it in &performed {
        events.push(step(record, it));
    }
    for step in &record.steps {
        resources(record, step, process_of(record, step, &regions), &mut events);
        retries(record, step, &performed, &mut events);
    }
    path(record, &performed, &mut events);
    let trace = json!({
        "displayTimeUnit": "ms",
        "otherData": {
            "run": record.run, "app": record.app, "paceline": record.paceline, "result": headline(record),
        },
        "traceEvents": events,
    });
    format!("{trace}\n")
}

/// The parts of the run, so that interruptions can be seen.
fn run(record: &Record, events: &mut Vec<Value>) {
    for (number, part) in record.parts.iter().enumerate() {
        let end = record.parts.get(number + 1).map_or(record.elapsed, |next| next.started);
        events.push(json!({
            "ph": "X", "name": if number == 0 { "run" } else { "resumed run" }, "cat": "run", "pid": RUN, "tid": 0,
            "ts": micros(part.started), "dur": micros(end.saturating_sub(part.started)),
            "args": { "started_at": format!("{:.3}", part.started_at), "paused_s": part.pause.as_secs_f64() },
        }));
    }
}

/// A number for each region, in their order.
fn regions(record: &Record) -> BTreeMap<String, u64> {
    let mut regions: BTreeMap<String, u64> =
        record.steps.iter().map(|step| (region(record, step), 0)).collect();
    for (number, process) in (1..).zip(regions.values_mut()) {
        *process = number;
    }
    regions
}

fn region(record: &Record, step: &StepRecord) -> String {
    record.place(&step.step).unwrap_or_else(|| NO_REGION.to_owned())
}

fn process_of(record: &Record, step: &StepRecord, regions: &BTreeMap<String, u64>) -> u64 {
    regions.get(&region(record, step)).copied().unwrap_or(RUN)
}

/// Every time a step was performed. Each gets the first thread of its region that is free.
fn performed<'a>(record: &'a Record, regions: &BTreeMap<String, u64>) -> Vec<Performed<'a>> {
    let mut all: Vec<Performed<'a>> = Vec::new();
    for step in &record.steps {
        let process = process_of(record, step, regions);
        all.extend(step.spans.iter().map(|&Span { started, finished, outcome, .. }| {
            let end = finished.unwrap_or(record.elapsed).max(started);
            Performed { step, start: started, end, outcome, process, thread: 0 }
        }));
    }
    // Stacks come first, so that they are at the top.
    all.sort_by_key(|it| (it.process, !it.step.step.is_of_stack(), it.start));
    // The end of each thread of each process, for the stacks and for the other steps.
    let mut free: BTreeMap<u64, Vec<(bool, Duration)>> = BTreeMap::new();
    for it in &mut all {
        let is_of_stack = it.step.step.is_of_stack();
        let threads = free.entry(it.process).or_default();
        let found = threads.iter().position(|&(stacks, end)| stacks == is_of_stack && end <= it.start);
        let thread = found.unwrap_or(threads.len());
        if found.is_none() {
            threads.push((is_of_stack, it.end));
        }
        threads[thread].1 = it.end;
        it.thread = thread as u64 + 1;
    }
    all
}

/// A step as a complete event.
fn step(record: &Record, it: &Performed<'_>) -> Value {
    let step = it.step;
    let mut arguments = json!({
        "step": step.step.step,
        "outcome": it.outcome.map_or("not ended", Outcome::as_str),
    });
    let texts = [
        ("phase", step.step.phase.as_deref().map(one_line)),
        ("detail", step.detail.as_deref().map(one_line)),
        ("cause", step.cause.as_ref().map(|_| step.cause_line())),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            arguments[key] = Value::String(text);
        }
    }
    let title = one_line(&step.step.title);
    let name = match &step.step.kind {
        StepKind::Deploy | StepKind::Delete => title,
        _ => record.named(&step.step),
    };
    json!({
        "ph": "X", "name": name, "cat": step.step.kind.as_str(), "pid": it.process, "tid": it.thread,
        "ts": micros(it.start), "dur": micros(it.end.saturating_sub(it.start)), "args": arguments,
    })
}

/// The resources of a stack as asynchronous events: they overlap.
fn resources(record: &Record, step: &StepRecord, process: u64, events: &mut Vec<Value>) {
    let end = step.finished().unwrap_or(record.elapsed);
    let stack = one_line(step.stack_id());
    for (number, resource) in step.resources.iter().enumerate() {
        let finished = resource.finished.unwrap_or(end).max(resource.started);
        let event = |phase: &str, at: Duration| {
            json!({
                "ph": phase, "name": format!("{stack}/{}", resource.logical_id), "cat": "resource", "pid": process,
                "tid": 0, "id": format!("{}/{number}", step.step.step), "ts": micros(at),
                "args": { "type": resource.resource_type, "status": resource.status.as_str() },
            })
        };
        events.extend([event("b", resource.started), event("e", finished)]);
    }
}

/// The retries of a step as instant events in its thread.
fn retries(record: &Record, step: &StepRecord, performed: &[Performed<'_>], events: &mut Vec<Value>) {
    let own = |it: &&Performed<'_>| std::ptr::eq(it.step, step);
    let Some(place) = (!step.retries.is_empty()).then(|| performed.iter().find(own)).flatten() else {
        return;
    };
    for retry in &step.retries {
        events.push(json!({
            "ph": "i", "s": "t", "name": "tried again", "cat": "retry", "pid": place.process, "tid": place.thread,
            "ts": micros(retry.at.min(record.elapsed)),
            "args": { "reason": retry.reason, "attempt": retry.attempt, "wait_s": retry.wait.as_secs_f64() },
        }));
    }
}

/// Arrows from each step of the critical path to the next.
fn path(record: &Record, performed: &[Performed<'_>], events: &mut Vec<Value>) {
    let links = critical_path(record);
    for (number, pair) in links.windows(2).enumerate() {
        let find = |of: &StepRecord, started: Duration| {
            performed.iter().find(|it| std::ptr::eq(it.step, of) && it.start == started)
        };
        let (Some(from), Some(to)) =
            (find(pair[0].step, pair[0].started), find(pair[1].step, pair[1].started))
        else {
            continue;
        };
        // An arrow starts within its step, not at the end of it.
        let inside = from.end.saturating_sub(Duration::from_micros(1)).max(from.start).min(to.start);
        let event = |phase: &str, it: &Performed<'_>, at: Duration| {
            json!({
                "ph": phase, "bp": "e", "name": "decided when the run finished", "cat": "critical path",
                "id": number, "pid": it.process, "tid": it.thread, "ts": micros(at),
            })
        };
        events.extend([event("s", from, inside), event("f", to, to.start)]);
    }
}

fn name(kind: &str, process: u64, thread: u64, name: &str) -> Value {
    json!({ "ph": "M", "name": kind, "pid": process, "tid": thread, "args": { "name": name } })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

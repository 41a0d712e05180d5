//! Arranges the steps in the rows of the timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paceline_engine::StepKind;
use paceline_text::{count, one_line};

use crate::record::{Record, Span, StepRecord};

/// A row of the timeline.
#[derive(Debug)]
pub(super) enum Row<'a> {
    /// The name of a phase or of a kind of step, and the times of all steps below it.
    Heading { name: String, about: String, times: Option<(Duration, Duration)> },
    /// A stack, with its gates.
    Stack { step: &'a StepRecord, gates: Vec<&'a StepRecord> },
    /// A step that is not a stack.
    Other(&'a StepRecord),
    /// Steps packed together, so that none overlap in one line.
    Packed { label: String, lines: Vec<Vec<&'a StepRecord>> },
}

/// The rows of a run: the assets, the phases with their stacks, and the other steps.
pub(super) fn rows(record: &Record) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let published: Vec<_> = started(record.of_kind(StepKind::Publish));
    if !published.is_empty() {
        let label = count(published.len(), "asset");
        rows.push(Row::Packed { label, lines: pack(&published, record.elapsed) });
    }

    let stacks: BTreeSet<&str> = record.stacks().map(StepRecord::stack_id).collect();
    let mut gates: BTreeMap<&str, Vec<&StepRecord>> = BTreeMap::new();
    let mut loose = Vec::new();
    for gate in started(record.of_kind(StepKind::Gate)) {
        match gate.step.stack.as_deref().filter(|id| stacks.contains(id)) {
            Some(stack) => gates.entry(stack).or_default().push(gate),
            None => loose.push(gate),
        }
    }
    let phases = record.phases();
    let has_phases = phases.iter().any(|phase| !phase.name.is_empty());
    for phase in phases {
        if has_phases {
            let name = if phase.name.is_empty() { "in no phase".to_owned() } else { one_line(phase.name) };
            let about = count(phase.stacks.len(), "stack");
            rows.push(Row::Heading { name, about, times: times(&phase.stacks, record.elapsed) });
        }
        let mut stacks = phase.stacks;
        // A stack that was never started has no time; it comes last, in the order of the plan.
        stacks.sort_by_key(|stack| (stack.spans.is_empty(), stack.spans.first().map(|span| span.started)));
        for step in stacks {
            let gates = gates.remove(step.stack_id()).unwrap_or_default();
            rows.push(Row::Stack { step, gates });
        }
    }
    let has_row = |step: &StepRecord| {
        step.step.is_of_stack() || matches!(step.step.kind, StepKind::Publish | StepKind::Gate)
    };
    loose.extend(started(record.steps.iter().filter(|step| !has_row(step))));
    if !loose.is_empty() {
        let times = times(&loose, record.elapsed);
        let about = count(loose.len(), "step");
        rows.push(Row::Heading { name: "between stacks".to_owned(), about, times });
        rows.extend(loose.into_iter().map(Row::Other));
    }
    rows
}

/// The start and the end of a bar.
pub(super) fn extent(span: &Span, elapsed: Duration) -> (Duration, Duration) {
    (span.started, span.finished.unwrap_or(elapsed).max(span.started))
}

/// The first start and the last end of steps.
fn times(steps: &[&StepRecord], elapsed: Duration) -> Option<(Duration, Duration)> {
    let spans = || steps.iter().flat_map(|step| &step.spans).map(|span| extent(span, elapsed));
    Some((spans().map(|(start, _)| start).min()?, spans().map(|(_, end)| end).max()?))
}

fn started<'a>(steps: impl Iterator<Item = &'a StepRecord>) -> Vec<&'a StepRecord> {
    steps.filter(|step| !step.spans.is_empty()).collect()
}

/// Puts each step in the first line that is free when it starts.
fn pack<'a>(steps: &[&'a StepRecord], elapsed: Duration) -> Vec<Vec<&'a StepRecord>> {
    let mut steps = steps.to_vec();
    steps.sort_by_key(|step| step.started());
    let mut lines: Vec<(Duration, Vec<&StepRecord>)> = Vec::new();
    for step in steps {
        let Some((start, end)) = step.spans.last().map(|span| extent(span, elapsed)) else { continue };
        match lines.iter_mut().find(|(free, _)| *free <= start) {
            Some((free, line)) => {
                *free = end;
                line.push(step);
            }
            None => lines.push((end, vec![step])),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

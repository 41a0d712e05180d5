//! The words about a step that the timeline shows when a person points at it.

use std::fmt::Write;
use std::time::Duration;

use paceline_engine::StepKind;
use paceline_engine::event::Outcome;
use paceline_text::{count, duration};

use super::SHORT_WAIT;
use super::rows::extent;
use crate::critical_path::released_by;
use crate::figures::clock;
use crate::record::{Record, StepRecord};

/// The story of a step: its name and outcome, then a line for each wait, each time it was performed, and each finding.
pub(super) fn story(record: &Record, step: &StepRecord) -> String {
    let is_started = !step.spans.is_empty() || step.outcome != Some(Outcome::Interrupted);
    let word = if is_started { step.word() } else { "not started" };
    let mut out = format!("{}: {word}", record.named(&step.step));
    for (number, span) in step.spans.iter().enumerate() {
        if let Some(ready) = span.ready {
            let needs = if number == 0 { ready } else { Duration::ZERO };
            let room = span.started.saturating_sub(ready);
            if needs >= SHORT_WAIT {
                let last = released_by(record, step).map(|need| record.named(&need.step));
                let last = last.map(|last| format!(", the last of them {last}")).unwrap_or_default();
                line(&mut out, &format!("waited {} for other steps{last}", duration(needs)));
            }
            if room >= SHORT_WAIT {
                line(&mut out, &format!("waited {} for the concurrency limit", duration(room)));
            }
        }
        let (start, end) = extent(span, record.elapsed);
        let took = duration(end.saturating_sub(start));
        let times = format!("{} to {}, {took}", clock(start), clock(end));
        line(
            &mut out,
            &match span.outcome {
                Some(outcome) if step.spans.len() > 1 => format!("{times}: {outcome}"),
                Some(_) => times,
                None => format!("{times} until the last event"),
            },
        );
    }
    if step.outcome == Some(Outcome::Skipped) {
        line(&mut out, &format!("skipped {}", record.why_skipped(step)));
    } else if let Some(detail) = &step.detail {
        line(&mut out, detail);
    }
    if step.failed() || step.cause.is_some() {
        line(&mut out, &step.cause_line());
    } else if let Some(failing) = &step.failing {
        line(&mut out, failing);
    }
    if !step.retries.is_empty() {
        line(&mut out, &format!("tried again {}", count(step.retries.len(), "time")));
    }
    if step.step.kind != StepKind::Publish {
        for resource in &step.slowest {
            line(&mut out, &format!("{} {}", duration(resource.took), resource.logical_id));
        }
    }
    for warning in &step.warnings {
        line(&mut out, &format!("warning: {warning}"));
    }
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = write!(out, "\n{}", paceline_text::one_line(text));
}

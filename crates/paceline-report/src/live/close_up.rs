//! What a reader asks about one stack of a run.

use std::fmt::Write as _;

use jiff::Timestamp;
use paceline_text::{Style, Tone, duration, one_line};

use crate::ending::FailureLines;
use crate::record::{Record, StepRecord};

/// The most resources that are named.
const MOST: usize = 10;

/// The state of a stack: its operation, and the resources on which AWS works, the longest first.
pub fn state_of_stack(record: &Record, step: &StepRecord, now: Timestamp, style: Style) -> String {
    let mut text = heading(record, step, now, style);
    let mut going: Vec<_> = step.resources.iter().filter(|span| span.finished.is_none()).collect();
    going.sort_by_key(|span| span.started);
    for span in going.iter().take(MOST) {
        let for_so_long = duration(record.clock(now).saturating_sub(span.started));
        let (id, kind) = (one_line(&span.logical_id), one_line(&span.resource_type));
        let line = format!("{id} ({kind}) {} for {for_so_long}", span.status);
        add(&mut text, style, &line);
    }
    if going.len() > MOST {
        add(&mut text, style, &format!("and {} more", going.len() - MOST));
    }
    text
}

/// Why a stack failed or fails, with a hint and a link to its events in the console.
pub fn cause_of_stack(record: &Record, step: &StepRecord, now: Timestamp, style: Style) -> String {
    let mut text = heading(record, step, now, style);
    let FailureLines { cause, hint, link } = FailureLines::of(record, step);
    if step.cause.is_some() {
        add(&mut text, style, &cause);
        if let Some(hint) = hint {
            add(&mut text, style, &format!("hint: {hint}"));
        }
    } else if let Some(failing) = &step.failing {
        add(&mut text, style, failing);
    } else {
        let waits =
            record.waits(step).filter(|_| step.running).map(|waits| format!("; it {}", waits.shown()));
        add(&mut text, style, &format!("nothing has failed{}", waits.unwrap_or_default()));
    }
    // A link must stay on one line to be clickable.
    if let Some(link) = link {
        let _ = writeln!(text, "  {link}");
    }
    text
}

fn heading(record: &Record, step: &StepRecord, now: Timestamp, style: Style) -> String {
    let status = step.in_aws.as_ref().and_then(|operation| operation.status.as_ref());
    let word =
        if step.running { status.map_or("in progress", |status| status.as_str()) } else { step.word() };
    let took =
        step.started().map(|started| step.finished().unwrap_or(record.clock(now)).saturating_sub(started));
    let took = took.map(|took| format!(", {}", duration(took))).unwrap_or_default();
    let done = if step.total > 0 {
        format!(", {} of {} resources done", step.done, step.total)
    } else {
        String::new()
    };
    let line = format!("{}: {word}{took}{done}", record.label(&step.step));
    let tone = if step.running && step.failing.is_none() { Tone::Strong } else { step.tone() };
    let lines = style.lines(&line, 0);
    lines.iter().map(|line| style.paint(tone, line) + "\n").collect()
}

fn add(text: &mut String, style: Style, line: &str) {
    for line in style.lines(line, 2) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {line}");
    }
}

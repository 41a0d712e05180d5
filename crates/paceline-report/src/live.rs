//! The live part of a terminal: the running stacks, what each one waits for, and the time that is left.
//!
//! A frame is a function of the record and the time, so the caller decides when to draw one.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::StackStatus;
use paceline_engine::event::StepKind;
use paceline_text::{Style, Tone, one_line};

use crate::figures::clock;
use crate::record::{Record, StepRecord};

mod bar;
mod close_up;
mod focus;
mod table;
mod time_left;

pub use self::close_up::{cause_of_stack, state_of_stack};
pub use self::focus::{Focus, Move};
use self::table::Row;
use self::time_left::TimeLeft;

/// The size of a terminal, and whether it shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// In columns.
    pub width: u16,
    /// In lines.
    pub height: u16,
    /// Whether to use ANSI colours.
    pub color: bool,
}

/// The lines that stay free above the live part, for what has just been printed.
const FREE_LINES: usize = 4;
/// The fewest lines of a frame, if the terminal has that many.
const FEWEST_LINES: usize = 3;
/// On a narrower terminal, nothing is drawn.
const FEWEST_COLUMNS: usize = 16;
/// The last column stays free, because some terminals break the line there.
const LAST_COLUMN: usize = 1;

impl Screen {
    fn columns(self) -> usize {
        usize::from(self.width).saturating_sub(LAST_COLUMN)
    }

    /// The most lines of a frame. The cursor stays on a line below it.
    fn lines(self) -> usize {
        let height = usize::from(self.height).saturating_sub(1);
        height.saturating_sub(FREE_LINES).max(FEWEST_LINES.min(height))
    }

    /// Whether a frame says anything on a terminal of this size.
    fn has_room(self) -> bool {
        self.lines() > 0 && self.columns() >= FEWEST_COLUMNS
    }

    fn style(self) -> Style {
        Style { color: self.color, width: Some(self.width) }
    }
}

/// What the caller knows of a run, and what the reader has chosen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Live<'a> {
    /// The most stack operations at a time, if it is known.
    pub at_once: Option<usize>,
    /// The reader's choice, if keys are read.
    pub focus: Option<&'a Focus>,
}

/// The live part of a run at a point in time: a line for each running stack and for each other running step, a line for
/// all running assets, and a line for the whole run. If keys are read, a line names the selected stack and the keys.
///
/// Every line fits the width of the screen. If there are more lines than the screen has, a line says how many are left
/// out. Empty before the first event and after the end of the run.
pub fn frame(record: &Record, now: Timestamp, live: Live<'_>, screen: Screen) -> Vec<String> {
    if record.steps.is_empty() || record.exit_code.is_some() || !screen.has_room() {
        return Vec::new();
    }
    let now = record.at.map_or(now, |at| at.max(now));
    let (assets, steps): (Vec<_>, Vec<_>) =
        running(record).into_iter().partition(|step| step.step.kind == StepKind::Publish);
    let selected = live.focus.and_then(|focus| focus.selected(record));
    let mut rows: Vec<Row> = steps.iter().map(|step| row(record, step, now)).collect();
    for (row, step) in rows.iter_mut().zip(&steps) {
        row.is_selected = selected.is_some_and(|selected| selected.step.step == step.step.step);
    }
    rows.extend(assets_row(record, &assets, now));
    let keys = live.focus.map(|focus| focus.line(record, screen)).filter(|_| screen.lines() > FEWEST_LINES);
    let below = 1 + usize::from(keys.is_some());
    let mut lines = table::table(&rows, screen, screen.lines().saturating_sub(below));
    lines.push(bar::line(record, now, TimeLeft::of(record, now, live.at_once), screen));
    lines.extend(keys);
    lines
}

/// The running steps. What goes wrong comes first, then what has been running longest. So a line keeps its place.
fn running(record: &Record) -> Vec<&StepRecord> {
    let mut running: Vec<&StepRecord> = record.steps.iter().filter(|step| step.running).collect();
    running.sort_by_key(|step| (!has_trouble(step), step.started()));
    running
}

fn has_trouble(step: &StepRecord) -> bool {
    step.failing.is_some() || step.unanswered.is_some()
}

fn row(record: &Record, step: &StepRecord, now: Timestamp) -> Row {
    let is_of_stack = step.step.is_of_stack();
    let (tone, waits) = waits_for(step, now);
    let elapsed = elapsed(record, step, now);
    Row {
        name: if is_of_stack { one_line(&step.step.title) } else { record.named(&step.step) },
        place: record.place(&step.step).filter(|_| is_of_stack).unwrap_or_default(),
        elapsed: clock(elapsed),
        left: if step.failing.is_some() { String::new() } else { left(record, step, now) },
        waits,
        tone,
        is_selected: false,
    }
}

/// How long a step has been running.
fn elapsed(record: &Record, step: &StepRecord, now: Timestamp) -> Duration {
    record.clock(now).saturating_sub(step.started().unwrap_or(record.elapsed))
}

/// What a step waits for.
fn waits_for(step: &StepRecord, now: Timestamp) -> (Tone, String) {
    let resource = step.waited_for(now).map(|waits| {
        let what = waits.what.replace("AWS::", "");
        if waits.others > 0 { format!("{what} and {} more", waits.others) } else { what }
    });
    if let Some(failing) = &step.failing {
        let rolls_back = step.in_aws.as_ref().and_then(|it| it.status.as_ref());
        let what = if rolls_back.is_some_and(StackStatus::is_rollback) { "rolls back" } else { "fails" };
        // The reason has been printed.
        let resource = failing.split(": ").next().unwrap_or(failing);
        return (Tone::Bad, format!("{what}: {}", resource.replace("AWS::", "")));
    }
    if let Some(retry) = &step.unanswered {
        return (Tone::Warn, format!("attempt {}: {}", retry.attempt, retry.reason));
    }
    let resources = || format!("{} of {} resources done", step.done, step.total);
    (Tone::Plain, resource.unwrap_or_else(|| if step.total > 0 { resources() } else { String::new() }))
}

/// How much longer a step will probably take, such as `~5 min`, or how much longer than its forecast it has taken.
fn left(record: &Record, step: &StepRecord, now: Timestamp) -> String {
    let elapsed = elapsed(record, step, now);
    match time_left::of_step(record, step, now) {
        Some(left) if !left.is_zero() => format!("~{}", time_left::rough(left)),
        Some(_) if elapsed > step.expected => {
            format!("{} late", time_left::rough(elapsed.saturating_sub(step.expected)))
        }
        _ => String::new(),
    }
}

/// All running assets in one row.
fn assets_row(record: &Record, running: &[&StepRecord], now: Timestamp) -> Option<Row> {
    let first = running.first()?;
    let all = record.of_kind(StepKind::Publish).count();
    let ended = record.of_kind(StepKind::Publish).filter(|step| step.outcome.is_some()).count();
    let title = one_line(&first.step.title);
    let waits = if running.len() > 1 { format!("{title} and {} more", running.len() - 1) } else { title };
    let trouble = running.iter().find_map(|step| step.unanswered.as_ref());
    let (tone, waits) = match trouble {
        Some(retry) => (Tone::Warn, format!("attempt {}: {}", retry.attempt, retry.reason)),
        None => (Tone::Plain, waits),
    };
    let left = running.iter().filter_map(|step| time_left::of_step(record, step, now)).max();
    let left = left.filter(|left| !left.is_zero()).map(|left| format!("~{}", time_left::rough(left)));
    Some(Row {
        name: format!("assets {ended} of {all}"),
        place: String::new(),
        elapsed: clock(elapsed(record, first, now)),
        left: left.unwrap_or_default(),
        waits,
        tone,
        is_selected: false,
    })
}

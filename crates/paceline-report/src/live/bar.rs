//! The line of the whole run: a bar, the stacks, the time so far and the time that is left.

use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::Outcome;
use paceline_text::{Tone, columns, count, cut};

use super::Screen;
use super::time_left::TimeLeft;
use crate::figures::clock;
use crate::record::Record;

const WIDEST_BAR: usize = 30;
const NARROWEST_BAR: usize = 8;
const GAP: &str = "  ";

/// The line of the whole run. The bar shows the time so far as a part of all time; without a forecast, the stacks that
/// are done as a part of all stacks.
pub(super) fn line(record: &Record, now: Timestamp, left: Option<TimeLeft>, screen: Screen) -> String {
    let elapsed = record.clock(now);
    let all = record.stacks().count();
    let ended = record.stacks().filter(|step| step.outcome.is_some()).count();
    let done = record.stacks().filter(|step| step.outcome.is_some_and(Outcome::is_success)).count();
    let failed = record.stacks().filter(|step| step.failed()).count();
    let word = if record.only_deletes() { "deleted" } else { "done" };
    let of_all = format!("{done} of {}", count(all, "stack"));
    let mut parts = vec![(Tone::Strong, format!("{of_all} {word}"))];
    if failed > 0 {
        parts.push((Tone::Bad, format!("{failed} failed")));
    }
    if record.stopping.is_some() {
        parts.push((Tone::Warn, "stopping".to_owned()));
    }
    parts.push((Tone::Plain, clock(elapsed)));
    let shown = left.map(TimeLeft::shown).filter(|shown| !shown.is_empty());
    parts.extend(shown.map(|shown| (Tone::Plain, shown)));
    let room = screen.columns();
    let text_of =
        |parts: &[(Tone, String)]| parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(GAP);
    if columns(&text_of(&parts)) > room {
        // The rows have times, too.
        parts.retain(|(_, text)| *text != clock(elapsed));
    }
    let text = text_of(&parts);
    let bar_room = room.saturating_sub(columns(&text) + GAP.len()).min(WIDEST_BAR);
    let style = screen.style();
    if bar_room < NARROWEST_BAR {
        return cut(&text, room);
    }
    let part = match left {
        Some(left) if !(elapsed + left.most).is_zero() => thousandths(elapsed, elapsed + left.most),
        _ => ended * 1000 / all.max(1),
    };
    let painted: Vec<String> = parts.iter().map(|(tone, text)| style.paint(*tone, text)).collect();
    format!("{}{GAP}{}", bar(part, bar_room), painted.join(GAP))
}

/// The part that one duration is of another, in thousandths.
fn thousandths(part: Duration, whole: Duration) -> usize {
    usize::try_from(part.as_millis() * 1000 / whole.as_millis().max(1)).unwrap_or_default()
}

fn bar(thousandths: usize, width: usize) -> String {
    let full = (thousandths * width / 1000).min(width);
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

//! The axis of the timeline, and the lines where a run was interrupted.

use std::fmt::Write;
use std::time::Duration;

use paceline_text::duration;

use super::{Layout, TOP};
use crate::figures::clock;
use crate::record::Record;

/// The distances between two ticks, in seconds.
const STEPS: [u64; 13] = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600];
/// The least distance between two ticks in pixels.
const APART: f64 = 58.0;

/// The height of the axis: one line more if the run was interrupted.
pub(super) fn height(record: &Record) -> f64 {
    if record.parts.len() > 1 { TOP + 14.0 } else { TOP }
}

/// Draws a vertical line and its time at regular distances.
pub(super) fn ticks(out: &mut String, record: &Record, layout: Layout, bottom: f64) -> std::fmt::Result {
    let longest = record.elapsed.as_secs();
    let scale = layout.chart / record.elapsed.as_secs_f64().max(0.001);
    let most = layout.chart / APART;
    let fits = |step: &u64| Duration::from_secs(longest / step).as_secs_f64() <= most;
    let step = STEPS.into_iter().find(fits).unwrap_or_else(|| (longest / 10).max(1));
    let top = height(record);
    let mut at = 0;
    while at <= longest {
        let time = Duration::from_secs(at);
        let x = layout.labels + time.as_secs_f64() * scale;
        writeln!(
            out,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom:.1}\"/>\
             <text class=\"dim time\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            top - 9.0,
            clock(time)
        )?;
        at += step;
    }
    Ok(())
}

/// Draws a line where the run was interrupted, and says for how long.
pub(super) fn pauses(out: &mut String, record: &Record, layout: Layout, bottom: f64) -> std::fmt::Result {
    let scale = layout.chart / record.elapsed.as_secs_f64().max(0.001);
    // The run's clock stands still during a pause. Parts that start at the same time share a line.
    let mut parts = record.parts.iter().skip(1).peekable();
    while let Some(part) = parts.next() {
        let mut pause = part.pause;
        while let Some(next) = parts.next_if(|next| next.started == part.started) {
            pause = pause.saturating_add(next.pause);
        }
        let x = layout.labels + part.started.as_secs_f64() * scale;
        let is_left = x < layout.labels + layout.chart / 2.0;
        let (beside, anchor) = if is_left { (x + 4.0, "start") } else { (x - 4.0, "end") };
        writeln!(
            out,
            "<path class=\"pause\" d=\"M{x:.1} 2 V14\"/>\
             <line class=\"pause\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{bottom:.1}\"/>\
             <text class=\"dim\" x=\"{beside:.1}\" y=\"11\" text-anchor=\"{anchor}\">interrupted for {}</text>",
            height(record) - 5.0,
            duration(pause)
        )?;
    }
    Ok(())
}

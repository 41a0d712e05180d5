//! Compares the forecast of a run with its measured duration.

use std::time::Duration;

use paceline_engine::event::Outcome;
use paceline_text::{count, duration};

use crate::critical_path::forecast;
use crate::record::{Record, StepRecord};

/// A step is off if its duration differs from the forecast by more than this many percent,
const OFF_PERCENT: u32 = 20;
/// and by at least this time.
const OFF: Duration = Duration::from_secs(15);
/// How many steps are named.
const FEW: usize = 5;

/// The forecast and the duration of the run, then of the steps that were off, the largest difference first. Empty for a
/// run that did not succeed, was resumed, or has no forecast.
pub(crate) fn against_forecast(record: &Record) -> Vec<String> {
    let is_whole = record.all_succeeded() && record.parts.len() == 1;
    let Some(expected) = forecast(record).filter(|_| is_whole) else { return Vec::new() };
    let mut lines = vec![format!(
        "Forecast {}, took {}{}",
        duration(expected),
        duration(record.elapsed),
        difference(expected, record.elapsed)
    )];
    let mut off: Vec<&StepRecord> = record.steps.iter().filter(|step| is_off(step)).collect();
    off.sort_by_key(|step| std::cmp::Reverse(step.expected.abs_diff(step.duration())));
    for step in off.iter().take(FEW) {
        let (expected, took) = (step.expected, step.duration());
        lines.push(format!(
            "{}: forecast {}, took {}{}",
            record.named(&step.step),
            duration(expected),
            duration(took),
            difference(expected, took)
        ));
    }
    if off.len() > FEW {
        lines.push(format!("and {} that were off", count(off.len() - FEW, "more step")));
    }
    lines
}

fn is_off(step: &StepRecord) -> bool {
    let is_done = matches!(step.outcome, Some(Outcome::Deployed | Outcome::Deleted));
    let difference = step.expected.abs_diff(step.duration());
    is_done && !step.expected.is_zero() && difference >= OFF && difference * 100 > step.expected * OFF_PERCENT
}

/// The difference in percent, such as ` (12 % longer)`. Empty if it rounds to zero.
fn difference(expected: Duration, took: Duration) -> String {
    let percent = 100.0 * (took.as_secs_f64() / expected.as_secs_f64().max(0.001) - 1.0);
    let word = if percent < 0.0 { "shorter" } else { "longer" };
    let rounded = format!("{:.0}", percent.abs());
    if rounded == "0" { String::new() } else { format!(" ({rounded} % {word})") }
}

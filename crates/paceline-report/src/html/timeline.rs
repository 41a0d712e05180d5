//! The timeline as SVG: a row for each stack, grouped by phase, on the run's own clock.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use paceline_engine::event::{Outcome, StepKind};
use paceline_text::{columns, cut, duration};

use super::escape;
use super::rows::{Row, extent, rows};
use crate::critical_path::critical_path;
use crate::figures::clock;
use crate::record::{Record, Span, StepRecord};

const LABELS: f64 = 250.0;
const CHART: f64 = 900.0;
/// Space for the text to the right of a bar that ends last.
const RIGHT: f64 = 90.0;
const TOP: f64 = 24.0;
const ROW: f64 = 20.0;
const BAR: f64 = 13.0;
/// Height of a line of packed assets.
const THIN: f64 = 5.0;
/// A bar is at least this wide, so that short steps are visible.
const LEAST: f64 = 1.5;
/// The approximate width of a character.
const CHARACTER: f64 = 6.0;

/// Writes the figure with its legend, unless no step was ever started.
pub(super) fn write(out: &mut String, record: &Record) -> std::fmt::Result {
    if record.steps.iter().all(|step| step.spans.is_empty()) {
        return Ok(());
    }
    let rows = rows(record);
    let mut chart = Chart {
        record,
        scale: CHART / record.elapsed.as_secs_f64().max(0.001),
        critical: BTreeMap::new(),
        body: String::new(),
    };
    let links = critical_path(record);
    chart.critical = links.iter().map(|link| (link.step.step.step.as_str(), 0.0)).collect();
    let mut y = TOP;
    for (i, row) in rows.iter().enumerate() {
        y += chart.row(row, y, i)?;
    }
    chart.pauses(y)?;
    for pair in links.windows(2) {
        chart.link(pair[0].step, pair[0].finished, pair[1].step, pair[1].started)?;
    }

    writeln!(out, "<h2>Timeline</h2>")?;
    legend(out, record)?;
    let (width, height) = (LABELS + CHART + RIGHT, y + 6.0);
    writeln!(
        out,
        "<div class=\"scroll\"><svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-label=\"Timeline of the run\">"
    )?;
    ticks(out, record.elapsed, chart.scale, y)?;
    out.push_str(&chart.body);
    writeln!(out, "</svg></div>")
}

fn legend(out: &mut String, record: &Record) -> std::fmt::Result {
    write!(out, "<p class=\"legend\">")?;
    for outcome in [
        Outcome::Deployed,
        Outcome::Deleted,
        Outcome::Unchanged,
        Outcome::Failed,
        Outcome::RolledBack,
        Outcome::Interrupted,
    ] {
        if record.steps.iter().any(|step| {
            (step.step.kind != StepKind::Publish || step.failed()) && step.outcome == Some(outcome)
        }) {
            write!(out, "<span><i class=\"{outcome}\"></i>{outcome}</span>")?;
        }
    }
    if record.steps.iter().any(|step| step.running) {
        write!(out, "<span><i class=\"running\"></i>running</span>")?;
    }
    for (kind, word) in [(StepKind::Publish, "assets"), (StepKind::Gate, "gates")] {
        if record.of_kind(kind.clone()).any(|step| !step.spans.is_empty()) {
            write!(out, "<span><i class=\"{kind}\"></i>{word}</span>")?;
        }
    }
    writeln!(out, "<span>outlined: what decided when the run finished</span></p>")
}

struct Chart<'a> {
    record: &'a Record,
    /// Pixels per second.
    scale: f64,
    /// The vertical position of each step on the critical path.
    critical: BTreeMap<&'a str, f64>,
    body: String,
}

impl<'a> Chart<'a> {
    fn x(&self, at: Duration) -> f64 {
        LABELS + at.as_secs_f64() * self.scale
    }

    /// Draws a row and returns its height.
    fn row(&mut self, row: &Row<'a>, y: f64, i: usize) -> Result<f64, std::fmt::Error> {
        if i % 2 == 1 && !matches!(row, Row::Heading(_) | Row::Packed { .. }) {
            let width = LABELS + CHART + RIGHT;
            writeln!(
                self.body,
                "<rect class=\"band\" x=\"0\" y=\"{y:.1}\" width=\"{width:.0}\" height=\"{ROW}\"/>"
            )?;
        }
        match row {
            Row::Heading(name) => {
                let name = escape(&cut(name, 60));
                writeln!(self.body, "<text class=\"phase\" x=\"0\" y=\"{:.1}\">{name}</text>", y + 15.0)?;
                Ok(ROW + 2.0)
            }
            Row::Stack { step, gates } => {
                let ends = gates.iter().filter_map(|gate| gate.finished());
                self.step(step, &self.record.label(&step.step), ends.max().unwrap_or_default(), y)?;
                for gate in gates {
                    self.bars(gate, "gate", y + 7.0, BAR - 7.0)?;
                }
                Ok(ROW)
            }
            Row::Other(step) => {
                // An app may have the name of a stack.
                let label = self.record.label(&step.step);
                let label = if step.step.kind == StepKind::Synth { format!("synth {label}") } else { label };
                self.step(step, &label, Duration::ZERO, y)?;
                Ok(ROW)
            }
            Row::Packed { label, lines } => {
                self.label(label, label, y)?;
                for (line, steps) in lines.iter().enumerate() {
                    let y = y + 4.0 + THIN * f64::from(u32::try_from(line).unwrap_or(u32::MAX));
                    for step in steps {
                        self.bars(step, "publish", y, THIN - 1.0)?;
                    }
                }
                let lines = f64::from(u32::try_from(lines.len()).unwrap_or(u32::MAX));
                Ok((lines * THIN + 8.0).max(ROW))
            }
        }
    }

    fn label(&mut self, text: &str, title: &str, y: f64) -> std::fmt::Result {
        let text = escape(&cut(text, 38));
        let title = escape(title);
        writeln!(self.body, "<text x=\"8\" y=\"{:.1}\">{text}<title>{title}</title></text>", y + 14.0)
    }

    /// Draws a step in a row of its own: label, bars, and a text to the right of them. `until` is the end of other bars in
    /// the row.
    fn step(&mut self, step: &'a StepRecord, label: &str, until: Duration, y: f64) -> std::fmt::Result {
        self.label(label, label, y)?;
        let Some(last) = step.spans.last() else {
            let text = match step.outcome {
                Some(Outcome::Skipped) => format!("skipped {}", self.record.why_skipped(step)),
                _ => step.word().to_owned(),
            };
            let text = escape(&cut(&text, 120));
            return writeln!(
                self.body,
                "<text class=\"dim\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                LABELS + 4.0,
                y + 14.0
            );
        };
        if step.queued() >= Duration::from_secs(1)
            && let Some(ready) = last.ready
        {
            let middle = y + ROW / 2.0;
            writeln!(
                self.body,
                "<line class=\"wait\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\">\
                 <title>waited {} for room</title></line>",
                self.x(ready),
                self.x(last.started),
                duration(step.queued())
            )?;
        }
        let class = if step.step.kind == StepKind::Gate { "gate" } else { "" };
        self.bars(step, class, y + 3.5, BAR)?;
        for retry in &step.retries {
            let x = self.x(retry.at);
            writeln!(
                self.body,
                "<circle class=\"retry\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{}: attempt {}: {}</title></circle>",
                y + ROW / 2.0,
                clock(retry.at),
                retry.attempt,
                escape(&retry.reason)
            )?;
        }
        self.behind(step, last, until, y)
    }

    /// Writes the duration, and the outcome if it is not a success: to the right of the bar, or to the left if there is no
    /// space on the right.
    fn behind(&mut self, step: &StepRecord, last: &Span, until: Duration, y: f64) -> std::fmt::Result {
        let (start, end) = extent(last, self.record.elapsed);
        let mut text = duration(end.saturating_sub(start));
        if !step.outcome.is_some_and(Outcome::is_success) {
            text = format!("{}, {text}", step.word());
        }
        let wide = CHARACTER * f64::from(u32::try_from(columns(&text)).unwrap_or(u32::MAX));
        let behind = self.x(end.max(until)).max(self.x(start) + LEAST) + 5.0;
        let (x, anchor) = if behind + wide > LABELS + CHART + RIGHT && self.x(start) - LABELS > wide {
            (self.x(start) - 5.0, "end")
        } else {
            (behind, "start")
        };
        writeln!(
            self.body,
            "<text class=\"dim\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>",
            y + 14.0
        )
    }

    fn bars(&mut self, step: &'a StepRecord, class: &str, y: f64, height: f64) -> std::fmt::Result {
        let id = step.step.step.as_str();
        let mut outline = "";
        if let Some(place) = self.critical.get_mut(id) {
            *place = y + height / 2.0;
            outline = " critical";
        }
        for span in &step.spans {
            let (start, end) = extent(span, self.record.elapsed);
            let outcome = span.outcome.map_or("running", Outcome::as_str);
            let good = span.outcome.is_none_or(Outcome::is_success);
            // A failed step has the colour of its outcome, not of its kind.
            let class = if good && !class.is_empty() { class } else { outcome };
            let (x, width) =
                (self.x(start), (end.saturating_sub(start).as_secs_f64() * self.scale).max(LEAST));
            let mut title = format!(
                "{} {}: {outcome}, {} to {}, {}",
                step.step.kind,
                self.record.label(&step.step),
                clock(start),
                clock(end),
                duration(end.saturating_sub(start))
            );
            for more in [&step.detail, &step.failing].into_iter().flatten() {
                let _ = write!(title, "\n{more}");
            }
            if step.failed() {
                let _ = write!(title, "\n{}", step.cause_line());
            }
            for resource in &step.slowest {
                let _ = write!(title, "\n{} {}", duration(resource.took), resource.logical_id);
            }
            writeln!(
                self.body,
                "<rect class=\"{class}{outline}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\" rx=\"2\"><title>{}</title></rect>",
                escape(&title)
            )?;
        }
        Ok(())
    }

    /// Draws a line from the end of a step on the critical path to the start of the next.
    fn link(
        &mut self,
        from: &StepRecord,
        finished: Duration,
        to: &StepRecord,
        started: Duration,
    ) -> std::fmt::Result {
        let place =
            |step: &StepRecord| self.critical.get(step.step.step.as_str()).copied().unwrap_or_default();
        let (y1, y2) = (place(from), place(to));
        let (x1, x2) = (self.x(finished.min(started)), self.x(started));
        writeln!(self.body, "<path class=\"link\" d=\"M{x1:.1} {y1:.1} V{y2:.1} H{x2:.1}\"/>")
    }

    /// Draws a line where the run was interrupted.
    fn pauses(&mut self, bottom: f64) -> std::fmt::Result {
        for part in self.record.parts.iter().skip(1) {
            let x = self.x(part.started);
            writeln!(
                self.body,
                "<line class=\"pause\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\">\
                 <title>interrupted for {}</title></line>",
                TOP - 4.0,
                duration(part.pause)
            )?;
        }
        Ok(())
    }
}

fn ticks(out: &mut String, elapsed: Duration, scale: f64, bottom: f64) -> std::fmt::Result {
    const STEPS: [u64; 13] = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600];
    let longest = elapsed.as_secs();
    let step = STEPS.into_iter().find(|step| longest / step <= 14).unwrap_or(longest / 14 + 1);
    let mut at = 0;
    while at <= longest {
        let at_time = Duration::from_secs(at);
        let x = LABELS + at_time.as_secs_f64() * scale;
        writeln!(
            out,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
             <text class=\"dim\" x=\"{x:.1}\" y=\"15\" text-anchor=\"middle\">{}</text>",
            clock(at_time)
        )?;
        at += step;
    }
    Ok(())
}

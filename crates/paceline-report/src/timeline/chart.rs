//! Draws the rows of the timeline.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use paceline_engine::event::{Outcome, StepKind};
use paceline_text::{columns, cut, duration, one_line};

use super::resources::Data;
use super::rows::{Row, extent};
use super::story::story;
use super::{BAR, Drawing, LEAST, Layout, ROW, SHORT_WAIT, THIN, axis, resources, times};
use crate::critical_path::Link;
use crate::figures::clock;
use crate::markup::escape;
use crate::record::{Record, Span, StepRecord};

/// Draws one row after another.
pub(super) struct Chart<'a> {
    record: &'a Record,
    layout: Layout,
    /// Pixels per second.
    scale: f64,
    /// The steps on the critical path: the row of each, and the middle of its bar within that row.
    critical: BTreeMap<&'a str, (usize, f64)>,
    /// The top of each row.
    tops: Vec<f64>,
    /// The position below the last row.
    y: f64,
    /// The number of headings so far.
    headings: usize,
    /// The regions, and the resources of the rows.
    data: Data,
    /// The lines between the steps of the critical path. They are drawn first, so that they hide nothing.
    links: String,
    out: String,
}

impl<'a> Chart<'a> {
    pub(super) fn new(record: &'a Record, layout: Layout, scale: f64, links: &[Link<'a>]) -> Self {
        let critical = links.iter().map(|link| (link.step.step.step.as_str(), (0, 0.0))).collect();
        let places = record.steps.iter().filter(|step| step.step.kind != StepKind::Publish);
        let mut regions: Vec<String> = places.filter_map(|step| record.place(&step.step)).collect();
        regions.sort();
        regions.dedup();
        let (tops, y) = (Vec::new(), axis::height(record));
        let data = Data { left: layout.labels, scale, regions, ..Data::default() };
        let (links, out) = (String::new(), String::new());
        Self { record, layout, scale, critical, tops, y, headings: 0, data, links, out }
    }

    /// Draws the rows, then the lines between the steps of the critical path.
    pub(super) fn write(&mut self, rows: &[Row<'a>], links: &[Link<'a>]) -> std::fmt::Result {
        for row in rows {
            let height = match row {
                Row::Packed { lines, .. } => (times(lines.len()) * THIN + 8.0).max(ROW),
                Row::Heading { .. } => ROW + 2.0,
                Row::Stack { .. } | Row::Other(_) => ROW,
            };
            self.tops.push(self.y);
            self.row(row, height)?;
            self.y += height;
        }
        links.windows(2).try_for_each(|pair| self.link(&pair[0], &pair[1]))
    }

    pub(super) fn finish(self) -> Drawing {
        let mut elements = String::with_capacity(self.out.len() + 4096);
        // Writing to a string does not fail.
        let _ = axis::ticks(&mut elements, self.record, self.layout, self.y);
        elements.push_str(&self.links);
        elements.push_str(&self.out);
        let _ = axis::pauses(&mut elements, self.record, self.layout, self.y);
        Drawing {
            elements,
            height: self.y + 6.0,
            has_regions: self.data.regions.len() > 1,
            has_phases: self.headings > 0,
            data: serde_json::to_string(&self.data).unwrap_or_default(),
        }
    }

    fn x(&self, at: Duration) -> f64 {
        self.layout.labels + at.as_secs_f64() * self.scale
    }

    fn row(&mut self, row: &Row<'a>, height: f64) -> std::fmt::Result {
        match row {
            Row::Heading { name, about, times } => {
                self.open("head", height, &format!(" data-p=\"{}\"", self.headings))?;
                self.headings += 1;
                self.heading(name, about, *times)?;
            }
            Row::Stack { step, gates } => {
                self.step_row(step, gates, height)?;
            }
            Row::Other(step) => self.step_row(step, &[], height)?,
            Row::Packed { label, lines } => {
                self.open("row", height, "")?;
                write!(self.out, "<title>{}</title>", escape(&packed(label, lines)))?;
                self.band(height)?;
                self.label(label, None)?;
                for (line, steps) in lines.iter().enumerate() {
                    let y = 4.0 + THIN * times(line);
                    for step in steps {
                        write!(self.out, "<g><title>{}</title>", escape(&story(self.record, step)))?;
                        self.bars(step, "publish", y, THIN - 1.0)?;
                        write!(self.out, "</g>")?;
                    }
                }
            }
        }
        writeln!(self.out, "</g>")
    }

    fn open(&mut self, class: &str, height: f64, attributes: &str) -> std::fmt::Result {
        let y = self.y;
        write!(
            self.out,
            "<g class=\"{class}\" role=\"img\" transform=\"translate(0 {y:.0})\" data-h=\"{height:.0}\"{attributes}>"
        )
    }

    fn band(&mut self, height: f64) -> std::fmt::Result {
        let odd = if self.tops.len().is_multiple_of(2) { " odd" } else { "" };
        let width = self.layout.width();
        write!(self.out, "<rect class=\"band{odd}\" width=\"{width:.0}\" height=\"{height:.0}\"/>")
    }

    fn heading(&mut self, name: &str, about: &str, times: Option<(Duration, Duration)>) -> std::fmt::Result {
        let (name, right) = (escape(&cut(name, 34)), self.layout.labels - 14.0);
        write!(self.out, "<text class=\"phase\" x=\"0\" y=\"15\">{name}</text>")?;
        write!(self.out, "<text class=\"dim\" x=\"{right:.0}\" y=\"15\" text-anchor=\"end\">{about}</text>")?;
        let Some((start, end)) = times else { return Ok(()) };
        let (x, width) = (self.x(start), self.width(start, end));
        write!(
            self.out,
            "<rect class=\"whole\" x=\"{x:.1}\" y=\"9\" width=\"{width:.1}\" height=\"3\" rx=\"1\"/>"
        )?;
        self.beside(x, x + width, &duration(end.saturating_sub(start)), 15.0)
    }

    /// Writes the name on the left, with its region at the right end of that column.
    fn label(&mut self, name: &str, region: Option<&str>) -> std::fmt::Result {
        let room = self.layout.labels - 22.0;
        let region = region.map(|region| cut(region, 30));
        let taken = region.as_deref().map_or(0.0, |region| times(columns(region) + 2));
        let most = (room / self.layout.character - taken).max(8.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a small count")]
        let name = escape(&cut_middle(name, most as usize));
        write!(self.out, "<text class=\"name\" x=\"8\" y=\"14\">{name}</text>")?;
        let Some(region) = region else { return Ok(()) };
        let (region, right) = (escape(&region), self.layout.labels - 14.0);
        write!(self.out, "<text class=\"dim\" x=\"{right:.0}\" y=\"14\" text-anchor=\"end\">{region}</text>")
    }

    /// Draws a step in a row of its own: the name, waits, bars, gates, and a text to the right of them.
    fn step_row(&mut self, step: &'a StepRecord, gates: &[&'a StepRecord], height: f64) -> std::fmt::Result {
        let place = self.record.place(&step.step);
        let region = place.as_ref().and_then(|place| self.data.regions.binary_search(place).ok());
        let mut attributes = String::new();
        if let Some(heading) = self.headings.checked_sub(1) {
            write!(attributes, " data-p=\"{heading}\"")?;
        }
        if let Some(region) = region {
            write!(attributes, " data-r=\"{region}\"")?;
        }
        let shown: Vec<&StepRecord> = gates.iter().copied().chain([step]).collect();
        let extents = || shown.iter().flat_map(|it| &it.spans).map(|span| extent(span, self.record.elapsed));
        if let (Some(start), Some(end)) = (extents().map(|it| it.0).min(), extents().map(|it| it.1).max()) {
            write!(attributes, " data-s=\"{:.1}\" data-e=\"{:.1}\"", self.x(start), self.x(end))?;
        }
        let resources = resources::of_step(self.record, step);
        if !resources.is_empty() {
            let row = self.tops.len().saturating_sub(1);
            write!(attributes, " data-row=\"{row}\"")?;
            self.data.resources.insert(row, resources);
        }
        let is_critical = shown.iter().any(|it| self.critical.contains_key(it.step.step.as_str()));
        self.open(if is_critical { "row decided" } else { "row" }, height, &attributes)?;
        write!(self.out, "<title>{}</title>", escape(&story(self.record, step)))?;
        self.band(height)?;
        let title = one_line(&step.step.title);
        match &step.step.kind {
            StepKind::Deploy | StepKind::Delete => self.label(&title, place.as_deref())?,
            // An app may have the name of a stack.
            StepKind::Synth => self.label(&format!("synthesis of {title}"), None)?,
            kind => self.label(&format!("{} {title}", one_line(kind.as_str())), place.as_deref())?,
        }
        let Some(last) = step.spans.last() else {
            let text = match step.outcome {
                Some(Outcome::Skipped) => format!("skipped {}", self.record.why_skipped(step)),
                Some(Outcome::Interrupted) => "not started".to_owned(),
                _ => step.word().to_owned(),
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a small count"
            )]
            let most = (self.layout.chart / self.layout.character) as usize;
            let (text, x) = (escape(&cut(&text, most)), self.layout.labels + 4.0);
            return write!(self.out, "<text class=\"dim why\" x=\"{x:.1}\" y=\"14\">{text}</text>");
        };
        self.waits(step)?;
        let class = if step.step.kind == StepKind::Gate { "gate" } else { "" };
        self.bars(step, class, 3.5, BAR)?;
        self.retries(step)?;
        for gate in gates {
            write!(self.out, "<g><title>{}</title>", escape(&story(self.record, gate)))?;
            self.bars(gate, "gate", 7.0, BAR - 7.0)?;
            write!(self.out, "</g>")?;
        }
        self.after(step, last, gates)
    }

    /// Draws the time before each bar: a dotted line while the step waited for others, a dashed one while it waited for the
    /// concurrency limit.
    fn waits(&mut self, step: &StepRecord) -> std::fmt::Result {
        for (number, span) in step.spans.iter().enumerate() {
            let Some(ready) = span.ready else { continue };
            let began = if number == 0 { Duration::ZERO } else { ready };
            for (class, from, to) in [("needs", began, ready), ("room", ready, span.started)] {
                if to.saturating_sub(from) >= SHORT_WAIT {
                    let (x1, x2) = (self.x(from), self.x(to));
                    write!(
                        self.out,
                        "<line class=\"{class}\" x1=\"{x1:.1}\" x2=\"{x2:.1}\" y1=\"10\" y2=\"10\"/>"
                    )?;
                }
            }
        }
        Ok(())
    }

    fn bars(&mut self, step: &'a StepRecord, class: &str, y: f64, height: f64) -> std::fmt::Result {
        let row = self.tops.len().saturating_sub(1);
        let mut outline = "";
        if let Some(place) = self.critical.get_mut(step.step.step.as_str()) {
            *place = (row, y + height / 2.0);
            outline = " critical";
        }
        for span in &step.spans {
            let (start, end) = extent(span, self.record.elapsed);
            let outcome = span.outcome.map_or("running", Outcome::as_str);
            let good = span.outcome.is_none_or(Outcome::is_success);
            // A failed step has the colour of its outcome, not of its kind.
            let class = if good && !class.is_empty() { class } else { outcome };
            let (x, width) = (self.x(start), self.width(start, end));
            write!(
                self.out,
                "<rect class=\"bar {class}{outline}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\" rx=\"2\"/>"
            )?;
        }
        Ok(())
    }

    fn width(&self, start: Duration, end: Duration) -> f64 {
        (end.saturating_sub(start).as_secs_f64() * self.scale).max(LEAST)
    }

    /// Marks each retry, and the pause before it.
    fn retries(&mut self, step: &StepRecord) -> std::fmt::Result {
        for retry in &step.retries {
            let x = self.x(retry.at);
            let until = retry.at.saturating_add(retry.wait).min(self.record.elapsed);
            let wide = until.saturating_sub(retry.at).as_secs_f64() * self.scale;
            write!(
                self.out,
                "<g><title>{}: attempt {} in {}: {}</title>",
                clock(retry.at),
                retry.attempt,
                duration(retry.wait),
                escape(&retry.reason)
            )?;
            if wide >= LEAST {
                write!(
                    self.out,
                    "<rect class=\"backoff\" x=\"{x:.1}\" y=\"3.5\" width=\"{wide:.1}\" height=\"{BAR}\"/>"
                )?;
            }
            write!(self.out, "<circle class=\"retry\" cx=\"{x:.1}\" cy=\"10\" r=\"3.5\"/></g>")?;
        }
        Ok(())
    }

    /// Writes the duration after the bars, and the outcome if it is not a success.
    fn after(&mut self, step: &StepRecord, last: &Span, gates: &[&StepRecord]) -> std::fmt::Result {
        let (start, end) = extent(last, self.record.elapsed);
        let mut text = duration(end.saturating_sub(start));
        if !step.outcome.is_some_and(Outcome::is_success) {
            text = format!("{}, {text}", step.word());
        }
        let mut right = self.x(end).max(self.x(start) + LEAST);
        // A gate that waited again much later leaves the space behind the bar free.
        for span in gates.iter().flat_map(|gate| &gate.spans) {
            let (start, end) = extent(span, self.record.elapsed);
            if self.x(start) < right + 10.0 + self.layout.character * times(columns(&text)) {
                right = right.max(self.x(end));
            }
        }
        self.beside(self.x(start), right, &text, 14.0)
    }

    /// Writes a text to the right of a bar, to its left if there is no space on the right, or else at its end.
    fn beside(&mut self, left: f64, right: f64, text: &str, y: f64) -> std::fmt::Result {
        let wide = self.layout.character * times(columns(text));
        let (x, anchor, class) = if right + 5.0 + wide <= self.layout.width() {
            (right + 5.0, "start", "dim took")
        } else if left - 5.0 - wide >= self.layout.labels {
            (left - 5.0, "end", "dim took")
        } else {
            (right - 5.0, "end", "within")
        };
        write!(
            self.out,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        )
    }

    /// Draws a line from the end of a step on the critical path to the start of the next.
    fn link(&mut self, from: &Link<'_>, to: &Link<'_>) -> std::fmt::Result {
        let place = |link: &Link<'_>| self.critical.get(link.step.step.step.as_str()).copied();
        let (Some((a, y1)), Some((b, y2))) = (place(from), place(to)) else { return Ok(()) };
        let top = |row: usize| self.tops.get(row).copied().unwrap_or_default();
        let (x1, x2) = (self.x(from.finished.min(to.started)), self.x(to.started));
        writeln!(
            self.links,
            "<path class=\"link\" d=\"M{x1:.1} {:.1} V{:.1} H{x2:.1}\" data-link=\"{a} {y1} {b} {y2} {x1:.1} {x2:.1}\"/>",
            top(a) + y1,
            top(b) + y2
        )
    }
}

/// The story of steps that are packed in one row: how many ended in which way.
fn packed(label: &str, lines: &[Vec<&StepRecord>]) -> String {
    let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
    for step in lines.iter().flatten() {
        *ended.entry(step.word()).or_default() += 1;
    }
    let ended: Vec<String> = ended.iter().map(|(word, number)| format!("{number} {word}")).collect();
    format!("{label}: {}", ended.join(", "))
}

/// At most so many characters, with an ellipsis in the middle: names of one app often differ only at their end.
fn cut_middle(text: &str, most: usize) -> String {
    let long = columns(text);
    if long <= most {
        return text.to_owned();
    }
    let (head, tail) = (most / 3, most.saturating_sub(most / 3 + 1));
    text.chars().take(head).chain(['…']).chain(text.chars().skip(long - tail)).collect()
}

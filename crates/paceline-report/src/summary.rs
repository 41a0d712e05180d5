//! The summary that is printed at the end of a run: the outcome of every stack and, if all succeeded, where the time
//! went. [`ending`](crate::ending) is printed after it.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, presets};
use paceline_engine::event::{Outcome, StepKind};
use paceline_text::{Style, Tone, columns, count, cut, distinct, duration, one_line};

use crate::build_phases::before_the_run;
use crate::comparison::{Comparison, Table, table};
use crate::critical_path::{critical_path, what_to_shorten};
use crate::ending::headline;
use crate::figures::clock;
use crate::forecast_check::against_forecast;
use crate::gate_times;
use crate::record::{KeptResources, Record, Status, StepRecord};

/// The width of the table if no width is given.
const WIDTH: u16 = 100;
/// The column of the name of a stack, after the word for its outcome.
const BEHIND_WORD: usize = 14;
/// A longer chain is shortened in the middle.
const LONG_CHAIN: usize = 24;

/// The summary of a run as text. Its table compares the run with other schedules, if they are given.
pub fn summary(record: &Record, comparison: Option<&Comparison>, style: Style) -> String {
    let mut out = String::new();
    let text = Text { record, style };
    // Writing to a string does not fail.
    let _ = text.write(&mut out, comparison);
    out
}

struct Text<'a> {
    record: &'a Record,
    style: Style,
}

impl Text<'_> {
    fn write(&self, out: &mut String, comparison: Option<&Comparison>) -> std::fmt::Result {
        let record = self.record;
        if record.status() == Status::Done {
            writeln!(out, "{}", self.style.paint(Tone::Good, &headline(record)))?;
        }
        if let Some(before) = before_the_run(record) {
            self.indented(out, 0, &before)?;
        }
        self.phases(out)?;
        self.asides(out)?;
        self.forecast(out)?;
        // An incomplete run does not show where the time goes, and its result should be read at once.
        if matches!(record.status(), Status::Done | Status::Unfinished) {
            self.path(out)?;
            if let Some(table) = table(record, comparison) {
                self.heading(out, &format!("Where the time went, in {}", table.unit.name()))?;
                writeln!(out, "{}", self.table(&table))?;
            }
        }
        if record.status() != Status::Done && !out.is_empty() {
            writeln!(out)?;
        }
        Ok(())
    }

    fn heading(&self, out: &mut String, text: &str) -> std::fmt::Result {
        writeln!(out, "\n{}", self.style.paint(Tone::Strong, text))
    }

    fn indented(&self, out: &mut String, indent: usize, text: &str) -> std::fmt::Result {
        for line in self.style.lines(text, indent) {
            writeln!(out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    fn phases(&self, out: &mut String) -> std::fmt::Result {
        let phases = self.record.phases();
        let labels = self.record.stacks().map(|step| columns(&self.record.label(&step.step)));
        let wide = labels.max().unwrap_or_default().min(44);
        for phase in &phases {
            self.heading(
                out,
                &if phase.name.is_empty() { "Stacks".to_owned() } else { one_line(phase.name) },
            )?;
            let mut stacks = phase.stacks.clone();
            stacks.sort_by_key(|step| !step.failed());
            for step in stacks {
                let (word, tone) = (step.word(), step.tone());
                let word = self.style.paint(tone, &format!("{word:<11}"));
                let label = self.record.label(&step.step);
                let what = what(self.record, step);
                let width = self.style.width.map_or(usize::MAX, usize::from);
                if BEHIND_WORD + wide.max(columns(&label)) + 2 + columns(&what) <= width {
                    writeln!(out, "{}", format!("  {word} {label:<wide$}  {what}").trim_end())?;
                } else {
                    writeln!(out, "  {word} {label}")?;
                    self.indented(out, BEHIND_WORD, &what)?;
                }
                for warning in &step.warnings {
                    self.indented(out, BEHIND_WORD, &format!("warning: {warning}"))?;
                }
            }
        }
        Ok(())
    }

    /// Writes the steps that were not run, the gates and the retries.
    fn asides(&self, out: &mut String) -> std::fmt::Result {
        let not_run = not_run(self.record);
        if !not_run.is_empty() {
            self.heading(out, "Not run")?;
            for step in not_run {
                self.indented(out, 2, &step)?;
            }
        }
        let gates = gate_times::gates(self.record);
        if !gates.is_empty() {
            self.heading(out, "Gates")?;
            for gate in gates {
                self.indented(out, 2, &gate)?;
            }
        }
        let mut retried = self.record.steps.iter().filter(|step| !step.retries.is_empty()).peekable();
        if retried.peek().is_some() {
            self.heading(out, "Tried again")?;
            for step in retried {
                self.indented(out, 2, &retries(self.record, step))?;
            }
        }
        Ok(())
    }

    fn forecast(&self, out: &mut String) -> std::fmt::Result {
        for (number, line) in against_forecast(self.record).into_iter().enumerate() {
            if number == 0 {
                writeln!(out)?;
            }
            self.indented(out, if number == 0 { 0 } else { 2 }, &line)?;
        }
        Ok(())
    }

    fn path(&self, out: &mut String) -> std::fmt::Result {
        let links = critical_path(self.record);
        if links.len() < 2 {
            return Ok(());
        }
        self.heading(out, "What decided when it finished")?;
        for (i, link) in links.iter().enumerate() {
            if links.len() > LONG_CHAIN && (LONG_CHAIN / 2..links.len() - LONG_CHAIN / 2).contains(&i) {
                if i == LONG_CHAIN / 2 {
                    writeln!(out, "  … {}", count(links.len() - LONG_CHAIN, "more step"))?;
                }
                continue;
            }
            let idle = if link.idle.as_secs() >= 10 {
                format!(", after waiting {}", duration(link.idle))
            } else {
                String::new()
            };
            let line = format!(
                "  {} {}: {}{idle}",
                clock(link.started),
                self.record.named(&link.step.step),
                duration(link.duration())
            );
            writeln!(out, "{line}")?;
        }
        if let Some(first) = what_to_shorten(self.record).first() {
            self.indented(out, 2, &shorten(self.record, first))?;
        }
        Ok(())
    }

    fn table(&self, table: &Table) -> String {
        let mut text = comfy_table::Table::new();
        text.load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.style.width.unwrap_or(WIDTH))
            .set_header(table.header.clone());
        for row in &table.rows {
            text.add_row(row.iter().map(|lines| Cell::new(lines.join("\n"))));
        }
        for column in text.column_iter_mut().skip(2) {
            // Two lines in a heading are better than a broken name.
            column.set_constraint(ColumnConstraint::UpperBoundary(comfy_table::Width::Fixed(14)));
            column.set_cell_alignment(CellAlignment::Right);
        }
        text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

/// The commands, gates and syntheses that were not run, each with the reason.
pub(crate) fn not_run(record: &Record) -> Vec<String> {
    let others = record.steps.iter().filter(|step| {
        let is_listed = !step.step.is_of_stack() && step.step.kind != StepKind::Publish;
        is_listed && step.spans.is_empty()
    });
    let sentences = others.filter_map(|step| match step.outcome? {
        Outcome::Skipped => Some(format!("{}, {}", record.named(&step.step), record.why_skipped(step))),
        Outcome::Interrupted => Some(format!("{}, because the run was stopped", record.named(&step.step))),
        _ => None,
    });
    sentences.collect()
}

/// The details of a stack after its outcome, such as its duration.
pub(crate) fn what(record: &Record, step: &StepRecord) -> String {
    match step.outcome {
        Some(Outcome::Skipped) => record.why_skipped(step),
        Some(outcome @ (Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged | Outcome::Prepared)) => {
            let earlier = if record.was_done_earlier(step) { " (earlier)" } else { "" };
            // The resources that a deletion has kept, or what a change set changes.
            let detail =
                step.detail.as_deref().filter(|_| matches!(outcome, Outcome::Deleted | Outcome::Prepared));
            let detail = detail.map(|detail| format!("; {}", one_line(detail))).unwrap_or_default();
            format!("{}{earlier}{detail}", duration(step.duration()))
        }
        Some(_) if step.spans.is_empty() => "not started".to_owned(),
        Some(Outcome::Interrupted) => {
            let goes_on = step.in_aws.as_ref().filter(|it| it.accepted && !record.simulated);
            let goes_on = goes_on.map_or("", |_| ", and goes on in AWS");
            format!("{}{goes_on}", duration(step.duration()))
        }
        Some(_) => duration(step.duration()),
        None if step.total > 0 => format!("{} of {}", step.done, count(step.total, "resource")),
        None => String::new(),
    }
}

/// How many times a step was tried again, and the reasons.
pub(crate) fn retries(record: &Record, step: &StepRecord) -> String {
    let reasons = distinct(step.retries.iter().map(|retry| retry.reason.as_str()));
    let more = reasons.len().saturating_sub(2);
    let mut text = reasons.iter().take(2).map(|reason| cut(reason, 200)).collect::<Vec<_>>().join("; ");
    if more > 0 {
        let _ = write!(text, "; {}", count(more, "more reason"));
    }
    let n = step.retries.len();
    let times = |n: usize| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let kept: Vec<KeptResources> = step.retries.iter().filter_map(|retry| retry.kept).collect();
    let saved: Duration = kept.iter().map(|kept| kept.saved).sum();
    let from = match kept.len() {
        0 => String::new(),
        all if all == n => format!(" from the point of failure, {} saved", duration(saved)),
        some => format!(" ({} from the point of failure, {} saved)", times(some), duration(saved)),
    };
    format!("{}, {}{from}: {text}", record.label(&step.step), times(n))
}

/// A sentence that names the step to shorten first.
pub(crate) fn shorten(record: &Record, first: &crate::critical_path::Shortening<'_>) -> String {
    let mut text = format!("To finish earlier, shorten {}", record.named(&first.step.step));
    if let Some(twin) = first.twin {
        let _ =
            write!(text, " together with {}, which takes as long at the same time", record.named(&twin.step));
    } else {
        text.push_str(" first");
    }
    if first.gain.as_secs() > 0 {
        let _ = write!(text, ": at most {} can be gained there", duration(first.gain));
    }
    let slowest: Vec<String> = first
        .slowest
        .iter()
        .take(2)
        .filter(|resource| resource.took.as_secs() > 0)
        .map(|resource| {
            format!("{} ({}) took {}", resource.logical_id, resource.resource_type, duration(resource.took))
        })
        .collect();
    if !slowest.is_empty() {
        let _ = write!(text, "; {}", slowest.join(", "));
    }
    text
}

//! What is printed at the end of a run: what went wrong and what to do, how every stack ended, and where
//! the time went.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, presets};
use paceline_engine::event::Outcome;

use crate::build::before_the_run;
use crate::comparison::{Comparison, Table, table};
use crate::path::{critical_path, what_to_shorten};
use crate::record::{Record, Status, StepRecord};
use crate::text::{Style, Tone, chars, clock, count, cut, one_line, words};
use crate::wait;

/// How wide the table is when no width was given.
const WIDTH: u16 = 100;
/// Where the name of a stack begins, behind the word that says how it ended.
const BEHIND_WORD: usize = 14;
/// Longer chains are abridged in the middle.
const LONG_CHAIN: usize = 24;
/// For so many stacks the command is shown that shows how they are.
const LOOKS: usize = 5;

/// The summary of a run as text. The table compares with other schedules when they are given.
pub fn summary(record: &Record, comparison: Option<&Comparison>, style: Style) -> String {
    let mut out = String::new();
    let text = Text { record, style };
    // Writing to a string does not fail.
    let _ = text.write(&mut out, comparison);
    out
}

/// One sentence on how the run went; every report begins with it.
pub(crate) fn headline(record: &Record) -> String {
    let simulated = if record.simulated { " (simulated)" } else { "" };
    let took = words(record.elapsed);
    let stacks = record.stacks().count();
    let good = record.stacks().filter(|step| step.outcome.is_some_and(Outcome::is_success)).count();
    let of = format!("{good} of {}", count(stacks, "stack"));
    let done = if record.deletes() { "deleted or not there" } else { "done" };
    match record.status() {
        Status::Empty => "No events: nothing is known of the run".to_owned(),
        Status::Done if record.deletes() => {
            let deleted = record.outcomes().get(&Outcome::Deleted).copied().unwrap_or_default();
            let absent = record.outcomes().get(&Outcome::Unchanged).copied().unwrap_or_default();
            let absent = match absent {
                0 => String::new(),
                1 => ", 1 was not there".to_owned(),
                n => format!(", {n} were not there"),
            };
            format!("{} deleted in {took}{absent}{simulated}", count(deleted, "stack"))
        }
        Status::Done => format!("{} done in {took}{simulated}", count(stacks, "stack")),
        Status::Failed => format!("Failed: {of} {done} in {took}{simulated}"),
        Status::Refused => format!("Refused before anything was touched{simulated}"),
        Status::Interrupted => format!("Interrupted: {of} {done} in {took}{simulated}"),
        Status::Unfinished => format!("Not finished: {of} {done} in the first {took}{simulated}"),
    }
}

/// What to do next, when the run is not at its end.
pub(crate) fn how_to_resume(record: &Record) -> Option<&'static str> {
    match record.status() {
        Status::Interrupted => Some("To go on where it stopped, run the same command again"),
        Status::Unfinished => Some("If it was killed: to go on where it stopped, run the same command again"),
        Status::Failed | Status::Refused if record.deletes() => {
            Some("When the cause is removed, run the same command again: it goes on with what is left")
        }
        Status::Failed | Status::Refused => Some(
            "When the cause is removed, run the same command again: stacks that are done stay as they are",
        ),
        Status::Empty | Status::Done => None,
    }
}

struct Text<'a> {
    record: &'a Record,
    style: Style,
}

impl Text<'_> {
    fn write(&self, out: &mut String, comparison: Option<&Comparison>) -> std::fmt::Result {
        let record = self.record;
        let tone = match record.status() {
            Status::Done => Tone::Good,
            Status::Failed | Status::Refused => Tone::Bad,
            Status::Empty | Status::Unfinished | Status::Interrupted => Tone::Warn,
        };
        writeln!(out, "{}", self.style.paint(tone, &headline(record)))?;
        if let Some(before) = before_the_run(record) {
            self.indented(out, 0, &before)?;
        }
        self.failures(out)?;
        self.phases(out)?;
        self.asides(out)?;
        self.path(out)?;
        if let Some(table) = table(record, comparison) {
            self.heading(out, &format!("Where the time went, in {}", table.unit.name()))?;
            writeln!(out, "{}", self.table(&table))?;
        }
        if let Some(reason) = &record.stopping {
            writeln!(out)?;
            self.indented(out, 0, &format!("The run was stopped: {reason}"))?;
        }
        self.going_on(out)?;
        if let Some(how) = how_to_resume(record) {
            writeln!(out)?;
            self.indented(out, 0, how)?;
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

    fn failures(&self, out: &mut String) -> std::fmt::Result {
        let troubles = self.record.troubles();
        if troubles.is_empty() {
            return Ok(());
        }
        self.heading(out, "What went wrong")?;
        for trouble in troubles {
            let line = format!("  {}: {}", trouble.who(self.record), trouble.what());
            writeln!(out, "{}", self.style.paint(tone(trouble.first), &line))?;
            let Some(cause) = &trouble.first.cause else { continue };
            let at = cause.at.as_deref().map(|at| format!("{}: ", one_line(at))).unwrap_or_default();
            self.indented(out, 4, &format!("{at}{}", cause.message))?;
            if let Some(hint) = &cause.hint {
                self.indented(out, 4, &format!("hint: {hint}"))?;
            }
        }
        Ok(())
    }

    fn phases(&self, out: &mut String) -> std::fmt::Result {
        let phases = self.record.phases();
        let labels = self.record.stacks().map(|step| chars(&self.record.label(&step.step)));
        let wide = labels.max().unwrap_or_default().min(44);
        for phase in &phases {
            self.heading(
                out,
                &if phase.name.is_empty() { "Stacks".to_owned() } else { one_line(phase.name) },
            )?;
            let mut stacks = phase.stacks.clone();
            stacks.sort_by_key(|step| !step.failed());
            for step in stacks {
                let (word, tone) = (step.word(), tone(step));
                let word = self.style.paint(tone, &format!("{word:<11}"));
                let label = self.record.label(&step.step);
                let what = what(self.record, step);
                let width = self.style.width.map_or(usize::MAX, usize::from);
                if BEHIND_WORD + wide.max(chars(&label)) + 2 + chars(&what) <= width {
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

    fn going_on(&self, out: &mut String) -> std::fmt::Result {
        for (sentence, commands) in self.record.going_on() {
            writeln!(out)?;
            self.indented(out, 0, &sentence)?;
            // A command is copied as a whole, so that it is not broken into lines.
            for command in commands.iter().take(LOOKS) {
                writeln!(out, "  {command}")?;
            }
            if commands.len() > LOOKS {
                writeln!(out, "  … and so on for {}", count(commands.len() - LOOKS, "more stack"))?;
            }
        }
        Ok(())
    }

    /// Gates and retries.
    fn asides(&self, out: &mut String) -> std::fmt::Result {
        let gates = wait::gates(self.record);
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
            let kind = if link.step.step.is_of_stack() {
                String::new()
            } else {
                format!("{} ", link.step.step.kind)
            };
            let idle = if link.idle.as_secs() >= 10 {
                format!(", after waiting {}", words(link.idle))
            } else {
                String::new()
            };
            let line = format!(
                "  {} {kind}{}: {}{idle}",
                clock(link.started),
                self.record.label(&link.step.step),
                words(link.duration())
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
            // Rather two lines in a heading than a name that is broken.
            column.set_constraint(ColumnConstraint::UpperBoundary(comfy_table::Width::Fixed(14)));
            column.set_cell_alignment(CellAlignment::Right);
        }
        text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

fn tone(step: &StepRecord) -> Tone {
    match step.outcome {
        Some(outcome) if outcome.is_success() => Tone::Good,
        Some(_) if step.failed() => Tone::Bad,
        Some(_) => Tone::Warn,
        None => Tone::Plain,
    }
}

/// What there is to say of a stack beside how it ended.
pub(crate) fn what(record: &Record, step: &StepRecord) -> String {
    match step.outcome {
        Some(Outcome::Skipped) => record.why_skipped(step),
        Some(outcome @ (Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged)) => {
            let earlier = if step.resumed { " (earlier)" } else { "" };
            // What a deletion has left behind.
            let detail = step.detail.as_deref().filter(|_| outcome == Outcome::Deleted);
            let detail = detail.map(|detail| format!("; {}", one_line(detail))).unwrap_or_default();
            format!("{}{earlier}{detail}", words(step.duration()))
        }
        Some(_) if step.spans.is_empty() => "not started".to_owned(),
        Some(Outcome::Interrupted) => {
            let goes_on = step.in_aws.as_ref().filter(|it| it.accepted && !record.simulated);
            let goes_on = goes_on.map_or("", |_| ", and goes on in AWS");
            format!("{}{goes_on}", words(step.duration()))
        }
        Some(_) => words(step.duration()),
        None if step.total > 0 => format!("{} of {}", step.done, count(step.total, "resource")),
        None => String::new(),
    }
}

/// How often a step was tried again, and why.
pub(crate) fn retries(record: &Record, step: &StepRecord) -> String {
    let mut reasons: Vec<&str> = step.retries.iter().map(|retry| retry.reason.as_str()).collect();
    reasons.dedup();
    let more = reasons.len().saturating_sub(2);
    let mut text = reasons.iter().take(2).map(|reason| cut(reason, 200)).collect::<Vec<_>>().join("; ");
    if more > 0 {
        let _ = write!(text, "; {}", count(more, "more reason"));
    }
    let n = step.retries.len();
    let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
    format!("{}, {times}: {text}", record.label(&step.step))
}

/// What to look at first.
pub(crate) fn shorten(record: &Record, first: &crate::path::Shortening<'_>) -> String {
    let mut text = format!("To finish earlier, shorten {} first", record.label(&first.step.step));
    if first.gain.as_secs() > 0 {
        let _ = write!(text, ": at most {} can be gained there", words(first.gain));
    }
    let slowest: Vec<String> = first
        .slowest
        .iter()
        .take(2)
        .filter(|resource| resource.took.as_secs() > 0)
        .map(|resource| {
            format!("{} ({}) took {}", resource.logical_id, resource.resource_type, words(resource.took))
        })
        .collect();
    if !slowest.is_empty() {
        let _ = write!(text, "; {}", slowest.join(", "));
    }
    text
}

//! The summary as Markdown, for a pull request or a build's artifacts.

use std::collections::BTreeSet;
use std::fmt::Write;

use paceline_engine::event::Outcome;
use paceline_text::{count, duration, in_markdown as inline, one_line};

use crate::build_phases::before_the_run;
use crate::comparison::{Comparison, table};
use crate::critical_path::{critical_path, what_to_shorten};
use crate::ending::{FailureLines, headline, how_to_resume};
use crate::figures::clock;
use crate::forecast_check::against_forecast;
use crate::gate_times;
use crate::record::{LeftRunning, Record, StepRecord};
use crate::summary::{not_run, retries, shorten, what};

/// The summary of a run as Markdown.
pub fn markdown(record: &Record, comparison: Option<&Comparison>) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, record, comparison);
    out
}

fn write(out: &mut String, record: &Record, comparison: Option<&Comparison>) -> std::fmt::Result {
    writeln!(out, "# {}", inline(&headline(record)))?;
    if !record.run.is_empty() {
        writeln!(out, "\nRun {} of {}.", inline(&record.run), inline(&record.app))?;
    }
    if let Some(before) = before_the_run(record) {
        writeln!(out, "\n{}.", inline(&before))?;
    }
    for LeftRunning { sentence, waits, commands } in record.left_running() {
        writeln!(out, "\n**{}**\n", inline(&sentence))?;
        for wait in &waits {
            writeln!(out, "- {}", inline(wait))?;
        }
        if !waits.is_empty() {
            // Without this paragraph, the code would be part of the last list item.
            writeln!(out, "\nTo look:\n")?;
        }
        for command in commands {
            writeln!(out, "    {command}")?;
        }
    }
    if let Some(how) = how_to_resume(record) {
        writeln!(out, "\n{}.", inline(how))?;
    }
    let troubles = record.troubles();
    if !troubles.is_empty() {
        writeln!(out, "\n## What went wrong\n")?;
        for trouble in troubles {
            let step = trouble.first;
            writeln!(out, "- **{}** {}  ", inline(&trouble.who(record)), trouble.what())?;
            writeln!(out, "  {}", inline(&step.cause_line()))?;
            if let Some(hint) = step.cause.as_ref().and_then(|cause| cause.hint.as_ref()) {
                writeln!(out, "  \n  Hint: {}", inline(&one_line(hint)))?;
            }
            if let Some(link) = FailureLines::of(record, trouble.first).link {
                writeln!(out, "  \n  [The stack in the console]({link})")?;
            }
        }
    }
    if let Some(table) = table(record, comparison) {
        writeln!(out, "\n## Where the time went, in {}\n", table.unit.name())?;
        writeln!(out, "| {} |", table.header.join(" | "))?;
        let rule: Vec<&str> = (0..table.header.len()).map(|i| if i < 2 { "---" } else { "---:" }).collect();
        writeln!(out, "| {} |", rule.join(" | "))?;
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(|lines| inline(&lines.join(", "))).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
    }
    let forecast = against_forecast(record);
    let has_more = forecast.len() > 1;
    for (number, line) in forecast.into_iter().enumerate() {
        writeln!(out, "{}{}", if number == 0 { "\n" } else { "- " }, inline(&line))?;
        if number == 0 && has_more {
            writeln!(out)?;
        }
    }
    let links = critical_path(record);
    if links.len() > 1 {
        writeln!(out, "\n## What decided when it finished\n")?;
        for link in &links {
            let step = inline(&record.named(&link.step.step));
            writeln!(out, "1. {step}: from {}, {}", clock(link.started), duration(link.duration()))?;
        }
        if let Some(first) = what_to_shorten(record).first() {
            writeln!(out, "\n{}.", inline(&shorten(record, first)))?;
        }
    }
    stacks(out, record)?;
    let not_run = not_run(record);
    if !not_run.is_empty() {
        writeln!(out, "\n## Not run\n")?;
        for step in not_run {
            writeln!(out, "- {}", inline(&step))?;
        }
    }
    let gates = gate_times::gates(record);
    if !gates.is_empty() {
        writeln!(out, "\n## Gates\n")?;
        for gate in gates {
            writeln!(out, "- {}", inline(&gate))?;
        }
    }
    let mut retried = record.steps.iter().filter(|step| !step.retries.is_empty()).peekable();
    if retried.peek().is_some() {
        writeln!(out, "\n## Tried again\n")?;
        for step in retried {
            writeln!(out, "- {}", inline(&retries(record, step)))?;
        }
    }
    Ok(())
}

/// How many stacks are listed at most: a comment on GitHub may have 65,536 characters.
const LISTED: usize = 200;

/// The ids of the stacks to list: those that did not succeed, then those that took longest.
fn listed(record: &Record) -> BTreeSet<&str> {
    let mut stacks: Vec<&StepRecord> = record.stacks().collect();
    stacks.sort_by_key(|step| {
        let is_good = step.outcome.is_some_and(Outcome::is_success);
        (!step.failed(), is_good, std::cmp::Reverse(step.duration()))
    });
    stacks.truncate(LISTED);
    stacks.into_iter().map(|step| step.step.step.as_str()).collect()
}

fn stacks(out: &mut String, record: &Record) -> std::fmt::Result {
    let phases = record.phases();
    if phases.is_empty() {
        return Ok(());
    }
    let listed = listed(record);
    writeln!(out, "\n## Stacks\n\n| phase | stack | ended | |\n| --- | --- | --- | --- |")?;
    for phase in phases {
        let mut stacks = phase.stacks.clone();
        stacks.retain(|step| listed.contains(step.step.step.as_str()));
        stacks.sort_by_key(|step| !step.failed());
        for step in stacks {
            let ended = if step.failed() { format!("**{}**", step.word()) } else { step.word().to_owned() };
            writeln!(
                out,
                "| {} | {} | {ended} | {} |",
                inline(phase.name),
                inline(&record.label(&step.step)),
                inline(&what(record, step))
            )?;
        }
    }
    let left_out = record.stacks().count() - listed.len();
    if left_out > 0 {
        writeln!(out, "\n{} not listed.", count(left_out, "more stack"))?;
    }
    Ok(())
}

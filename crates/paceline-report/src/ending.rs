//! The last lines that are printed of a run, so that the end of a build's log says how it ended and what to do.

use std::collections::BTreeMap;
use std::fmt::Write;

use paceline_engine::event::{Outcome, StepKind};
use paceline_text::{Style, Tone, count, duration, first_few, one_line};

use crate::console_link::stack_link;
use crate::record::{LeftRunning, Record, Status, StepRecord, cause_place, kinds};

/// How many stacks are named for which a run sleeps.
const NAMED: usize = 3;
/// For how many stacks the command that shows their status is printed.
const LOOKS: usize = 5;

/// The paths of the files that a run leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The folder of reports.
    pub reports: Option<String>,
    /// The file of all events.
    pub journal: Option<String>,
}

/// The last lines of a run: how it ended, what failed and where, what to do, and where to read more.
pub fn ending(record: &Record, kept: &Kept, style: Style) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = Ending { record, style }.write(&mut out, kept);
    out
}

/// The last lines when the process ends in the middle of a run: the operations that still run in AWS, the commands that
/// show them, and how to resume.
pub fn cut_short(record: &Record, kept: &Kept, style: Style) -> String {
    let mut out = String::new();
    if matches!(record.status(), Status::Unfinished | Status::Interrupted) {
        // Writing to a string does not fail.
        let _ = Ending { record, style }.cut_short(&mut out, kept);
    }
    out
}

/// One sentence about the result of the run. Every report begins with it.
pub(crate) fn headline(record: &Record) -> String {
    let simulated = if record.simulated { " (simulated)" } else { "" };
    let took = duration(record.elapsed);
    let stacks = record.stacks().count();
    if let (Some(run), Status::Done) = (&record.undoes, record.status()) {
        let of = count(stacks, "stack");
        return format!("Rolled back {}: {of} done in {took}{simulated}", one_line(run));
    }
    let good = record.stacks().filter(|step| step.outcome.is_some_and(Outcome::is_success)).count();
    let only_deletes = record.only_deletes();
    let done = if only_deletes { "deleted or not there" } else { "done" };
    let of = format!("{good} of {} {done}", count(stacks, "stack"));
    if record.prepares && record.status() == Status::Done {
        let unchanged = record.outcomes().get(&Outcome::Unchanged).copied().unwrap_or_default();
        let prepared = count(stacks - unchanged.min(stacks), "stack");
        let unchanged = if unchanged == 0 { String::new() } else { format!(", {unchanged} unchanged") };
        return format!("Prepared {prepared} in {took}{unchanged}; nothing was deployed{simulated}");
    }
    match record.status() {
        Status::Empty => "No events: nothing is known of the run".to_owned(),
        Status::Done if only_deletes => {
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
        Status::Failed if good == stacks => {
            let what = failed_beside_stacks(record).unwrap_or_else(|| "it".to_owned());
            let all = match stacks {
                0 => String::new(),
                1 => format!("; the stack is {done}"),
                _ => format!("; all {stacks} stacks are {done}"),
            };
            format!("Failed: {what} failed in a run of {took}{all}{simulated}")
        }
        Status::Failed => format!("Failed: {of} in {took}{simulated}"),
        Status::Refused => format!("Refused before anything was touched{simulated}"),
        Status::Interrupted if !record.waits_for.is_empty() => {
            let stacks = first_few(&record.waits_for, NAMED);
            format!("Asleep after {took}: {of}; CloudFormation works on {stacks}{simulated}")
        }
        Status::Interrupted if good == stacks && stacks > 0 => {
            format!("Interrupted after {took}: {of}, but not all of the other steps{simulated}")
        }
        Status::Interrupted => format!("Interrupted: {of} in {took}{simulated}"),
        Status::Unfinished => format!("Not finished: {of} in the first {took}{simulated}"),
    }
}

/// The failed steps that are not stacks, if there are any: `command smoke-test`, or `2 commands, 1 gate`.
pub(crate) fn failed_beside_stacks(record: &Record) -> Option<String> {
    let failed: Vec<&StepRecord> = record.failures().filter(|step| !step.step.is_of_stack()).collect();
    match failed.as_slice() {
        [] => None,
        [one] => Some(record.named(&one.step)),
        _ => {
            let mut of_kind: BTreeMap<&StepKind, usize> = BTreeMap::new();
            for step in failed {
                *of_kind.entry(&step.step.kind).or_default() += 1;
            }
            Some(of_kind.into_iter().map(|(kind, n)| kinds(n, kind)).collect::<Vec<_>>().join(", "))
        }
    }
}

/// How to resume the run, if it is not done.
pub(crate) fn how_to_resume(record: &Record) -> Option<&'static str> {
    match record.status() {
        Status::Interrupted if !record.waits_for.is_empty() => Some(
            "A build continues the run when CloudFormation has ended one of these operations. The same command continues it at \
             once",
        ),
        Status::Interrupted => Some("To continue the run, run the same command again"),
        Status::Unfinished => Some("If it was killed: to continue the run, run the same command again"),
        Status::Failed | Status::Refused if record.only_deletes() => {
            Some("When the cause is removed, run the same command again: it continues with the rest")
        }
        Status::Failed | Status::Refused => Some(
            "When the cause is removed, run the same command again: stacks that are done stay as they are",
        ),
        Status::Empty | Status::Done => None,
    }
}

/// The lines below the name of a failed step: the cause, the hint, and a link to its stack.
pub(crate) struct FailureLines {
    pub(crate) cause: String,
    pub(crate) hint: Option<String>,
    pub(crate) link: Option<String>,
}

impl FailureLines {
    pub(crate) fn of(record: &Record, step: &StepRecord) -> Self {
        let link = stack_link(record, step);
        let Some(cause) = &step.cause else {
            let hint = link.as_ref().map(|_| "read the events of the stack:".to_owned());
            return Self { cause: "no cause was given".to_owned(), hint, link };
        };
        Self { cause: format!("{}{}", cause_place(cause), cause.message), hint: cause.hint.clone(), link }
    }
}

struct Ending<'a> {
    record: &'a Record,
    style: Style,
}

impl Ending<'_> {
    fn write(&self, out: &mut String, kept: &Kept) -> std::fmt::Result {
        let record = self.record;
        let status = record.status();
        // The summary of a run that is done begins with the headline.
        if status != Status::Done {
            let tone =
                if matches!(status, Status::Failed | Status::Refused) { Tone::Bad } else { Tone::Warn };
            writeln!(out, "{}", self.style.paint(tone, &headline(record)))?;
        }
        if let Some(reason) = &record.stopping {
            self.indented(out, 0, &format!("The run was stopped: {reason}"))?;
        }
        self.left_running(out)?;
        self.troubles(out)?;
        if let Some(how) = how_to_resume(record) {
            writeln!(out)?;
            self.indented(out, 0, how)?;
        }
        match status {
            Status::Done if kept.reports.is_some() => writeln!(out)?,
            Status::Done => {}
            _ => where_kept(out, "Journal", kept.journal.as_deref())?,
        }
        where_kept(out, "Reports", kept.reports.as_deref())
    }

    fn cut_short(&self, out: &mut String, kept: &Kept) -> std::fmt::Result {
        self.left_running(out)?;
        writeln!(out, "\nTo continue the run, run the same command again")?;
        where_kept(out, "Journal", kept.journal.as_deref())
    }

    fn indented(&self, out: &mut String, indent: usize, text: &str) -> std::fmt::Result {
        for line in self.style.lines(text, indent) {
            writeln!(out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    fn troubles(&self, out: &mut String) -> std::fmt::Result {
        let troubles = self.record.troubles();
        if troubles.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.style.paint(Tone::Strong, "What went wrong"))?;
        for trouble in troubles {
            let line = format!("  {}: {}", trouble.who(self.record), trouble.what());
            writeln!(out, "{}", self.style.paint(trouble.first.tone(), &line))?;
            let lines = FailureLines::of(self.record, trouble.first);
            self.indented(out, 4, &lines.cause)?;
            if let Some(hint) = &lines.hint {
                self.indented(out, 4, &format!("hint: {hint}"))?;
            }
            // A link must stay on one line to be clickable.
            if let Some(link) = &lines.link {
                writeln!(out, "    {link}")?;
            }
        }
        Ok(())
    }

    fn left_running(&self, out: &mut String) -> std::fmt::Result {
        for LeftRunning { sentence, waits, commands } in self.record.left_running() {
            writeln!(out)?;
            self.indented(out, 0, &sentence)?;
            for wait in waits.iter().take(LOOKS) {
                self.indented(out, 2, wait)?;
            }
            // A command must stay on one line to be copied.
            for command in commands.iter().take(LOOKS) {
                writeln!(out, "  {command}")?;
            }
            if commands.len() > LOOKS {
                writeln!(out, "  … and so on for {}", count(commands.len() - LOOKS, "more stack"))?;
            }
        }
        Ok(())
    }
}

fn where_kept(out: &mut String, what: &str, path: Option<&str>) -> std::fmt::Result {
    match path {
        Some(path) => writeln!(out, "{what}: {}", one_line(path)),
        None => Ok(()),
    }
}

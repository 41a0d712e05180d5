//! Prints the run live, for people who watch a terminal or read the log of a build.
//!
//! Each fact that matters is a line. Resources are counted in one line every few minutes, and all assets are one line.
//! The time of a line is the time of its event, so a replay prints the same lines.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use paceline_engine::event::{Cause, Event, Fact, RunFinished, RunStarted, StepKind};
use paceline_text::{ExitCode, Style, Tone, count, duration, one_line};

use crate::Report;
use crate::ending::failed_beside_stacks;
use crate::figures::clock;
use crate::record::Record;

mod progress;
mod steps;

/// How much the console prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Failures and warnings.
    Problems,
    /// What happens to each step as well.
    #[default]
    Steps,
    /// Each change of a resource as well.
    Resources,
}

/// How much the console says, and how.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    /// Colours and width.
    pub style: Style,
    /// How much to print.
    pub detail: Detail,
    /// Whether a [`frame`](crate::frame) shows the running steps, so that the console prints only what has ended.
    pub is_live: bool,
    /// How often to print the running steps.
    pub progress_every: Duration,
    /// Whether a failure is printed with the hint about it, which the [`ending`](crate::ending) of the run has, too.
    pub hints: bool,
    /// Whether the caller reports signals, so that the console does not.
    pub signals_are_announced: bool,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        Self {
            style: Style::default(),
            detail: Detail::default(),
            is_live: false,
            progress_every: Duration::from_mins(2),
            hints: true,
            signals_are_announced: false,
        }
    }
}

/// A longer message is cut off; the summary has all of it.
const MOST_LINES: usize = 12;
/// The width of the word that says what happened.
const WORD: usize = 10;

/// Prints what happens in the run as lines of text. The lines about one event are flushed together, so a writer can keep
/// them together.
#[derive(Debug)]
pub struct Console<W> {
    out: W,
    options: ConsoleOptions,
    record: Record,
    /// When the last progress line was printed.
    progress: Duration,
    /// Since when a progress line is due.
    due: Option<Duration>,
    /// The text of the last progress line, without times.
    heartbeat: String,
    /// How many times the usual pause the next progress line waits if it would say nothing new.
    patience: u32,
    published: bool,
    /// How many stacks were done before the interruption and no line has mentioned yet.
    earlier: usize,
    /// The last cause that was printed for a stopped step.
    printed_cause: Option<Cause>,
    /// The id of the step whose resources are printed, whatever the detail.
    followed: Option<String>,
}

impl<W: Write> Console<W> {
    /// Writes to `out`.
    pub fn new(out: W, options: ConsoleOptions) -> Self {
        Self {
            out,
            options,
            record: Record::default(),
            progress: Duration::ZERO,
            due: None,
            heartbeat: String::new(),
            patience: 1,
            published: false,
            earlier: 0,
            printed_cause: None,
            followed: None,
        }
    }

    /// Takes an event of an earlier part of the run, which was printed then.
    pub fn replay(&mut self, event: &Event) {
        self.record.apply(event);
    }

    /// Prints each change of the resources of the step with this id from now on, and of no other.
    pub fn follow(&mut self, step: Option<&str>) {
        self.followed = step.map(str::to_owned);
    }

    /// The record of all events so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn is_quiet(&self) -> bool {
        self.options.detail == Detail::Problems
    }

    /// The time since this part of the run started, which is what the clock of the build shows.
    fn now(&self) -> Duration {
        self.in_part(self.record.elapsed)
    }

    fn in_part(&self, at: Duration) -> Duration {
        at.saturating_sub(self.record.parts.last().map_or(Duration::ZERO, |part| part.started))
    }

    /// Prints one fact: the time, a word, and a text whose further lines are indented.
    fn say(&mut self, tone: Tone, word: &str, text: &str) -> io::Result<()> {
        if self.earlier > 0 {
            let stacks = count(std::mem::take(&mut self.earlier), "stack");
            self.say(Tone::Dim, "resumed", &format!("{stacks} had been done before the interruption"))?;
        }
        let style = self.options.style;
        let time = clock(self.now());
        let indent = time.len() + 1 + WORD;
        let word = style.paint(tone, &format!("{word:<WORD$}"));
        let time = style.paint(Tone::Dim, &time);
        let mut lines = style.lines(text, indent).into_iter();
        writeln!(self.out, "{time} {word}{}", lines.next().unwrap_or_default())?;
        for line in lines {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// Prints more about the last fact.
    fn add(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let style = self.options.style;
        let indent = clock(self.now()).len() + 1 + WORD;
        let lines = style.lines(text, indent);
        for line in lines.iter().take(MOST_LINES) {
            writeln!(self.out, "{:indent$}{}", "", style.paint(tone, line))?;
        }
        if lines.len() > MOST_LINES {
            let more = count(lines.len() - MOST_LINES, "more line");
            writeln!(self.out, "{:indent$}… {more}", "")?;
        }
        Ok(())
    }

    fn run_started(&mut self, run: &RunStarted) -> io::Result<()> {
        self.progress = self.record.elapsed;
        self.due = None;
        self.heartbeat.clear();
        self.published = false;
        let assets = run.steps.iter().filter(|planned| planned.step.kind == StepKind::Publish).count();
        let stacks = || run.steps.iter().filter(|planned| planned.step.is_of_stack());
        let places: BTreeSet<_> = stacks()
            .filter_map(|planned| Some((&planned.step.account, planned.step.region.as_ref()?)))
            .collect();
        let accounts: BTreeSet<_> = places.iter().map(|(account, _)| account).collect();
        let to_delete = if self.record.only_deletes() { " to delete" } else { "" };
        let mut parts = vec![format!("{}{to_delete}", count(stacks().count(), "stack"))];
        if run.phases.len() > 1 {
            parts.push(count(run.phases.len(), "phase"));
        }
        match assets {
            0 => {}
            n => parts.push(count(n, "asset")),
        }
        if places.len() > 1 {
            parts.push(count(places.len(), if accounts.len() > 1 { "environment" } else { "region" }));
        }
        let simulated = if run.simulated { "; simulated" } else { "" };
        let resumed = if run.resumed { "; resumed after an interruption" } else { "" };
        let undoes = run.undoes.as_ref().map(|run| format!("; rolls back {run}"));
        let prepares = run.prepares.then(|| "; prepares a deployment".to_owned());
        let executes = run.executes.as_ref().map(|run| format!("; executes {run}"));
        let undoes = undoes.or(prepares).or(executes).unwrap_or_default();
        let text =
            format!("{} of {}: {}{undoes}{simulated}{resumed}", self.record.run, run.app, parts.join(", "));
        self.say(Tone::Strong, "run", &text)
    }

    fn run_finished(&mut self, finished: &RunFinished) -> io::Result<()> {
        self.publishing(true)?;
        let counts: Vec<String> = finished
            .stacks
            .iter()
            .filter(|&(_, &n)| n > 0)
            .map(|(outcome, n)| format!("{n} {outcome}"))
            .collect();
        let counts = if counts.is_empty() { "no stacks".to_owned() } else { counts.join(", ") };
        let (tone, word) = match finished.exit_code {
            ExitCode::Done => (Tone::Good, "finished"),
            ExitCode::Interrupted => (Tone::Warn, "stopped"),
            _ => (Tone::Bad, "FAILED"),
        };
        let took = duration(crate::figures::seconds(finished.duration_s));
        let others = failed_beside_stacks(&self.record).filter(|_| finished.exit_code != ExitCode::Done);
        let others = others.map(|others| format!(", {others} failed")).unwrap_or_default();
        self.say(tone, word, &format!("{counts}{others}, in {took}"))
    }
}

/// Whether the reason for stopping is a signal, and not the deadline or a failure.
pub(crate) fn is_signal(reason: &str) -> bool {
    matches!(reason, "SIGINT" | "SIGTERM" | "SIGHUP" | "Ctrl-C")
}

impl<W: Write> Console<W> {
    fn print(&mut self, event: &Event) -> io::Result<()> {
        let was_failing = event
            .fact
            .step()
            .and_then(|step| self.record.step(&step.step))
            .is_some_and(|step| step.failing.is_some());
        let quiet = self.is_quiet();
        if !quiet {
            self.progress_before(event)?;
        }
        self.record.apply(event);
        match &event.fact {
            Fact::RunStarted(run) if !quiet => self.run_started(run)?,
            Fact::RunApproved(approved) => {
                let by = approved.by.as_deref().map(|by| format!(" by {}", one_line(by))).unwrap_or_default();
                let why =
                    approved.reason.as_deref().map(|it| format!(": {}", one_line(it))).unwrap_or_default();
                self.say(Tone::Warn, "approved", &format!("{}{by}{why}", one_line(&approved.rule)))?;
            }
            Fact::StepStarted(fact) if !quiet && !self.options.is_live => self.started(&fact.step)?,
            Fact::StackProgress(progress) => {
                let is_followed = self.followed.as_ref() == Some(&progress.step.step);
                if self.options.detail == Detail::Resources || is_followed {
                    self.resource(progress)?;
                }
                if !was_failing {
                    self.failing(&progress.step)?;
                }
            }
            Fact::StepHeld(held) if !quiet && held.step.is_of_stack() => {
                let because = self.record.step(&held.because);
                let because = because.map_or_else(|| held.because.clone(), |it| self.record.label(&it.step));
                let label = self.record.label(&held.step);
                self.say(
                    Tone::Warn,
                    "waits",
                    &format!("{label} does not start yet: {because} {}", one_line(&held.reason)),
                )?;
            }
            Fact::StepRetried(retried) if !quiet => self.retried(retried)?,
            Fact::StepWarned(warned) => {
                let text = format!("{}: {}", self.record.label(&warned.step), one_line(&warned.message));
                self.say(Tone::Warn, "warning", &text)?;
            }
            Fact::CommandOutput(output) if !quiet => {
                let text = format!("{}: {}", self.record.label(&output.step), one_line(&output.line));
                self.say(Tone::Plain, "output", &text)?;
            }
            Fact::StepFinished(finished) => self.finished(&finished.step, finished.resumed)?,
            Fact::RunStopping { reason } if self.options.signals_are_announced && is_signal(reason) => {}
            Fact::RunStopping { reason } => {
                self.say(Tone::Warn, "stopping", &format!("{}; nothing new will start", one_line(reason)))?;
            }
            Fact::RunFinished(finished) if !quiet => self.run_finished(finished)?,
            _ => {}
        }
        if !quiet {
            self.progress_after(event)?;
        }
        Ok(())
    }
}

impl<W: Write> Report for Console<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.print(event)?;
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

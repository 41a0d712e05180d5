//! The run as it goes, for people who watch a terminal or read the log of a build.
//!
//! A line for each fact that matters, and nothing else: resources that come and go are counted in a line
//! every few minutes, and dozens of assets are one line. Time is the time of the events, so a replay prints
//! the same lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use paceline_engine::event::{
    Cause, Event, Fact, Outcome, RunFinished, RunStarted, StepKind, StepRef, StepRetried,
};
use paceline_text::{ExitCode, Style, Tone, count, duration, one_line};

use crate::Report;
use crate::ending::failed_beside_stacks;
use crate::figures::clock;
use crate::record::{Record, StepRecord};

mod progress;

/// How much the console says, and how.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    /// Colours and width.
    pub style: Style,
    /// Whether to say only what went wrong.
    pub quiet: bool,
    /// How often to say what is going on.
    pub progress_every: Duration,
    /// Whether somebody else says it when a signal stops the run.
    pub signals_are_told: bool,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        Self {
            style: Style::default(),
            quiet: false,
            progress_every: Duration::from_mins(2),
            signals_are_told: false,
        }
    }
}

/// Waiting for room for less than this is not worth a word.
const SHORT_WAIT: Duration = Duration::from_secs(10);
/// An asset that took this long gets a line of its own.
const LONG_PUBLISH: Duration = Duration::from_mins(1);
/// A message that goes on for longer is cut off; the summary has all of it.
const MOST_LINES: usize = 12;
/// Columns of the word that says what happened.
const WORD: usize = 10;

/// Prints what happens in the run as lines of text.
#[derive(Debug)]
pub struct Console<W> {
    out: W,
    options: ConsoleOptions,
    record: Record,
    /// When the last progress line was due.
    progress: Duration,
    /// What it said, but for times.
    heartbeat: String,
    /// For how many times the usual pause nothing is said when there is nothing new to say.
    patience: u32,
    published: bool,
    /// Stacks that an earlier part of the run had done already, as far as no line mentioned them.
    earlier: usize,
    /// Why the last step that said why was stopped.
    told: Option<Cause>,
}

impl<W: Write> Console<W> {
    /// Writes to `out`.
    pub fn new(out: W, options: ConsoleOptions) -> Self {
        Self {
            out,
            options,
            record: Record::default(),
            progress: Duration::ZERO,
            heartbeat: String::new(),
            patience: 1,
            published: false,
            earlier: 0,
            told: None,
        }
    }

    /// Takes an event of an earlier part of the run, which was printed then.
    pub fn replay(&mut self, event: &Event) {
        self.record.apply(event);
    }

    /// What the events add up to so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// The time in this part of the run: what the clock of the build says.
    fn now(&self) -> Duration {
        self.in_part(self.record.elapsed)
    }

    fn in_part(&self, at: Duration) -> Duration {
        at.saturating_sub(self.record.parts.last().map_or(Duration::ZERO, |part| part.started))
    }

    /// One fact: the time, a word, and text that is indented where it goes on.
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

    /// More about the fact before it.
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
        let resumed = if run.resumed { "; goes on after an interruption" } else { "" };
        let text = format!("{} of {}: {}{simulated}{resumed}", self.record.run, run.app, parts.join(", "));
        self.say(Tone::Strong, "run", &text)
    }

    fn started(&mut self, step: &StepRef) -> io::Result<()> {
        let Some(step) = self.record.step(&step.step) else { return Ok(()) };
        // Gates and assets are worth a line when it is known how they ended.
        if !matches!(
            step.step.kind,
            StepKind::Deploy | StepKind::Delete | StepKind::Synth | StepKind::Command
        ) {
            return Ok(());
        }
        if step.looks_again() {
            return Ok(());
        }
        let mut text = self.record.label(&step.step);
        if step.step.is_of_stack() && step.expected >= Duration::from_secs(1) {
            let _ = write!(text, ", about {}", duration(step.expected));
        }
        if step.queued() >= SHORT_WAIT {
            let _ = write!(text, ", waited {} for room", duration(step.queued()));
        }
        let word = if step.step.is_of_stack() { "start" } else { step.step.kind.as_str() }.to_owned();
        self.say(Tone::Plain, &word, &text)
    }

    fn retried(&mut self, retried: &StepRetried) -> io::Result<()> {
        // Something that is tried again all the time is said ever less often.
        if retried.attempt > 4 && !retried.attempt.is_power_of_two() {
            return Ok(());
        }
        let when = match retried.after.as_slice() {
            [] => format!("in {}", duration(crate::figures::seconds(retried.wait_s))),
            after => {
                let label = |id: &String| {
                    self.record.step(id).map_or_else(|| id.clone(), |it| self.record.label(&it.step))
                };
                let labels = after.iter().map(label).collect::<Vec<_>>().join(", ");
                format!("when {labels} {} ended", if after.len() == 1 { "has" } else { "have" })
            }
        };
        let text = format!(
            "{}: {}; attempt {} {when}",
            self.record.label(&retried.step),
            one_line(&retried.reason),
            retried.attempt,
        );
        self.say(Tone::Warn, "retry", &text)
    }

    fn finished(&mut self, step: &StepRef, resumed: bool) -> io::Result<()> {
        let Some(step) = self.record.step(&step.step).cloned() else { return Ok(()) };
        let is_asset = step.step.kind == StepKind::Publish;
        match step.outcome {
            Some(Outcome::Failed | Outcome::RolledBack) => self.failed(&step)?,
            Some(Outcome::Skipped) if !is_asset => {
                let text = format!("{}, {}", self.record.named(&step.step), self.record.why_skipped(&step));
                self.say(Tone::Warn, "skipped", &text)?;
            }
            Some(Outcome::Interrupted) if !is_asset && !step.spans.is_empty() => {
                self.interrupted(&step)?;
            }
            Some(Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged)
                if self.record.was_done_earlier(&step) =>
            {
                self.earlier += usize::from(step.step.is_of_stack() && !self.options.quiet);
            }
            Some(Outcome::Deployed | Outcome::Deleted) if resumed && !self.options.quiet => {
                self.ended_meanwhile(&step)?;
            }
            Some(outcome @ (Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged))
                if !self.options.quiet =>
            {
                self.succeeded(&step, outcome)?;
            }
            _ => {}
        }
        if is_asset { self.publishing(false) } else { Ok(()) }
    }

    fn succeeded(&mut self, step: &StepRecord, outcome: Outcome) -> io::Result<()> {
        let label = self.record.label(&step.step);
        let took = duration(step.duration());
        let detail =
            step.detail.as_deref().map(|detail| format!(": {}", one_line(detail))).unwrap_or_default();
        match step.step.kind {
            StepKind::Publish if step.duration() < LONG_PUBLISH => Ok(()),
            StepKind::Gate => self.say(Tone::Plain, "gate", &format!("{label}{detail}, waited {took}")),
            StepKind::Deploy | StepKind::Delete if outcome == Outcome::Unchanged => {
                self.say(Tone::Good, step.word(), &format!("{label}{detail}"))
            }
            StepKind::Delete => self.say(Tone::Good, "deleted", &format!("{label} in {took}{detail}")),
            _ => self.say(Tone::Good, "done", &format!("{label} in {took}{detail}")),
        }
    }

    /// Something went on in AWS after an interruption, and had ended when it was looked at again.
    fn ended_meanwhile(&mut self, step: &StepRecord) -> io::Result<()> {
        if !step.step.is_of_stack() {
            return Ok(());
        }
        let text = format!("{}: it went on in AWS and is complete", self.record.label(&step.step));
        self.say(Tone::Good, "done", &text)
    }

    fn interrupted(&mut self, step: &StepRecord) -> io::Result<()> {
        let after = duration(step.duration());
        match step.in_aws.as_ref().filter(|_| !self.record.simulated) {
            Some(it) if it.accepted => {
                let shown = self.record.in_aws_shown(step, it);
                self.say(Tone::Warn, "left", &format!("still going on in AWS: {shown}, after {after}"))?;
                if let Some(waits) = self.record.waited_for(step) {
                    self.add(Tone::Plain, &format!("it {}", waits.shown()))?;
                }
            }
            Some(it) => {
                let shown = self.record.in_aws_shown(step, it);
                self.say(
                    Tone::Warn,
                    "left",
                    &format!("may be going on in AWS: {shown}, sent and not answered yet"),
                )?;
            }
            None => {
                let text = format!("{} after {after}", self.record.label(&step.step));
                self.say(Tone::Warn, "stopped", &text)?;
            }
        }
        // What stops one, such as credentials that have expired, stops many.
        if step.cause.is_some() && self.told != step.cause {
            self.cause(step)?;
            self.told.clone_from(&step.cause);
        }
        Ok(())
    }

    fn failed(&mut self, step: &StepRecord) -> io::Result<()> {
        let rolled_back = if step.outcome == Some(Outcome::RolledBack) { ", rolled back" } else { "" };
        let text =
            format!("{} after {}{rolled_back}", self.record.named(&step.step), duration(step.duration()));
        self.say(Tone::Bad, "FAILED", &text)?;
        self.cause(step)
    }

    fn cause(&mut self, step: &StepRecord) -> io::Result<()> {
        if let Some(cause) = &step.cause {
            let at = cause.at.as_deref().map(|at| format!("{}: ", one_line(at))).unwrap_or_default();
            self.add(Tone::Plain, &format!("{at}{}", cause.message))?;
            if let Some(hint) = &cause.hint {
                self.add(Tone::Strong, &format!("hint: {hint}"))?;
            }
        }
        Ok(())
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

/// Whether a signal stops the run, and not its deadline or a failure.
fn is_signal(reason: &str) -> bool {
    matches!(reason, "SIGINT" | "SIGTERM" | "SIGHUP" | "Ctrl-C")
}

impl<W: Write> Report for Console<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let was_failing = event
            .fact
            .step()
            .and_then(|step| self.record.step(&step.step))
            .is_some_and(|step| step.failing.is_some());
        self.record.apply(event);
        let quiet = self.options.quiet;
        match &event.fact {
            Fact::RunStarted(run) if !quiet => self.run_started(run)?,
            Fact::StepStarted(step) if !quiet => self.started(step)?,
            Fact::StackProgress(progress) => {
                if !was_failing {
                    self.failing(&progress.step)?;
                }
                if !quiet {
                    self.progress_when_due()?;
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
            Fact::StepRetried(retried) if !quiet => {
                self.retried(retried)?;
                self.progress_when_due()?;
            }
            Fact::StepWarned(warned) => {
                let text = format!("{}: {}", self.record.label(&warned.step), one_line(&warned.message));
                self.say(Tone::Warn, "warning", &text)?;
            }
            Fact::RunWaiting { .. } if !quiet => self.progress_when_due()?,
            Fact::CommandOutput(output) if !quiet => {
                let text = format!("{}: {}", self.record.label(&output.step), one_line(&output.line));
                self.say(Tone::Plain, "output", &text)?;
            }
            Fact::StepFinished(finished) => {
                self.finished(&finished.step, finished.resumed)?;
                if !quiet {
                    self.progress_when_due()?;
                }
            }
            Fact::RunStopping { reason } if self.options.signals_are_told && is_signal(reason) => {}
            Fact::RunStopping { reason } => {
                self.say(Tone::Warn, "stopping", &format!("{}; nothing new will start", one_line(reason)))?;
            }
            Fact::RunFinished(finished) if !quiet => self.run_finished(finished)?,
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

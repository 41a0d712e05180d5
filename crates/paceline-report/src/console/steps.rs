//! The lines about single steps: that one starts, is tried again, or has ended.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use paceline_engine::event::{Outcome, StackProgress, StepKind, StepRef, StepRetried};
use paceline_text::{Tone, count, duration, one_line};

use super::Console;
use crate::record::{StepRecord, cause_place};

/// A step that waited less than this before its start is not worth a note.
const SHORT_WAIT: Duration = Duration::from_secs(10);
/// An asset that took this long gets a line of its own.
const LONG_PUBLISH: Duration = Duration::from_mins(1);

impl<W: Write> Console<W> {
    pub(super) fn started(&mut self, step: &StepRef) -> io::Result<()> {
        let Some(step) = self.record.step(&step.step) else { return Ok(()) };
        // Other gates and assets get a line when they end.
        let is_told = step.step.is_bake()
            || matches!(
                step.step.kind,
                StepKind::Deploy | StepKind::Delete | StepKind::Synth | StepKind::Command
            );
        if !is_told {
            return Ok(());
        }
        if step.looks_again() {
            return Ok(());
        }
        let mut text = self.record.label(&step.step);
        if (step.step.is_of_stack() || step.step.is_bake()) && step.expected >= Duration::from_secs(1) {
            let _ = write!(text, ", about {}", duration(step.expected));
        }
        if step.queued() >= SHORT_WAIT {
            let _ = write!(text, ", waited {} for room", duration(step.queued()));
        }
        let word = if step.step.is_of_stack() { "start" } else { step.step.kind.as_str() }.to_owned();
        self.say(Tone::Plain, &word, &text)
    }

    /// Prints a change of a resource, or of the stack itself.
    pub(super) fn resource(&mut self, progress: &StackProgress) -> io::Result<()> {
        let title = one_line(&progress.step.title);
        let what = one_line(&progress.logical_id);
        let kind = one_line(&progress.resource_type);
        let reason = progress.reason.as_deref().map(|reason| format!(": {}", one_line(reason)));
        let text = format!("{title}: {what} ({kind}) {}{}", progress.status, reason.unwrap_or_default());
        self.say(Tone::Dim, "resource", &text)
    }

    pub(super) fn retried(&mut self, retried: &StepRetried) -> io::Result<()> {
        // A step that tries again many times is printed less and less often.
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
        let from = retried.kept.as_ref().map(|kept| {
            let saved = crate::figures::seconds(kept.saved_s);
            let saved =
                if saved.as_secs() > 0 { format!(", {} saved", duration(saved)) } else { String::new() };
            let of = count(kept.of, "resource");
            format!(" from the point of failure: {} of {of} kept{saved}", kept.resources)
        });
        let text = format!(
            "{}: {}; attempt {} {when}{}",
            self.record.label(&retried.step),
            one_line(&retried.reason),
            retried.attempt,
            from.unwrap_or_default(),
        );
        self.say(Tone::Warn, "retry", &text)
    }

    pub(super) fn finished(&mut self, step: &StepRef, resumed: bool) -> io::Result<()> {
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
            Some(Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged | Outcome::Prepared)
                if self.record.was_done_earlier(&step) =>
            {
                self.earlier += usize::from(step.step.is_of_stack() && !self.is_quiet());
            }
            Some(Outcome::Deployed | Outcome::Deleted) if resumed && !self.is_quiet() => {
                self.ended_meanwhile(&step)?;
            }
            Some(
                outcome @ (Outcome::Deployed | Outcome::Deleted | Outcome::Unchanged | Outcome::Prepared),
            ) if !self.is_quiet() => {
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
            StepKind::Deploy | StepKind::Delete
                if matches!(outcome, Outcome::Unchanged | Outcome::Prepared) =>
            {
                self.say(Tone::Good, step.word(), &format!("{label}{detail}"))
            }
            StepKind::Delete => self.say(Tone::Good, "deleted", &format!("{label} in {took}{detail}")),
            _ => self.say(Tone::Good, "done", &format!("{label} in {took}{detail}")),
        }
    }

    /// A stack whose operation ended in AWS between the interruption and the resumption.
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
                let shown = self.record.operation_label(step, it);
                self.say(Tone::Warn, "left", &format!("still going on in AWS: {shown}, after {after}"))?;
                if let Some(waits) = self.record.waited_for(step) {
                    self.add(Tone::Plain, &format!("it {}", waits.shown()))?;
                }
            }
            Some(it) => {
                let shown = self.record.operation_label(step, it);
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
        // One cause, such as expired credentials, may stop many steps: print it once.
        if step.cause.is_some() && self.printed_cause != step.cause {
            self.cause(step)?;
            self.printed_cause.clone_from(&step.cause);
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
            self.add(Tone::Plain, &format!("{}{}", cause_place(cause), cause.message))?;
            if let Some(hint) = cause.hint.as_ref().filter(|_| self.options.hints) {
                self.add(Tone::Strong, &format!("hint: {hint}"))?;
            }
        }
        Ok(())
    }
}

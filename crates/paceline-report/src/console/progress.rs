//! The lines that sum up many events: the running steps, and the assets.

use std::io::{self, Write};
use std::time::Duration;

use paceline_engine::event::{Event, Fact, Outcome, StepKind, StepRef};
use paceline_text::{Tone, columns, count, duration, one_line};

use super::Console;
use crate::figures::clock;
use crate::record::StepRecord;

/// How long a progress line may be when no width was given.
const LINE: usize = 100;
/// For how many steps the awaited resource is printed.
const DETAILS: usize = 3;
/// A line that says nothing new is printed after this many times the usual pause at the latest.
const MOST_PATIENCE: u32 = 8;

/// A part of a progress line: all running steps, or what one of them waits for.
struct Detail {
    /// The same without times and whole, to find out whether it is new.
    what: String,
    text: String,
}

impl<W: Write> Console<W> {
    /// Prints that a resource failed, long before its stack has been rolled back.
    pub(super) fn failing(&mut self, step: &StepRef) -> io::Result<()> {
        let Some(failing) = self.record.step(&step.step).and_then(|step| step.failing.clone()) else {
            return Ok(());
        };
        let label = self.record.label(step);
        self.say(Tone::Bad, "failing", &label)?;
        self.add(Tone::Plain, &failing)
    }

    /// Prints a progress line that has been due since an earlier event about a resource. The events of one poll come at the
    /// same time: in the middle of them, the line would name what has just ended.
    pub(super) fn progress_before(&mut self, event: &Event) -> io::Result<()> {
        let is_later = self.due.is_some_and(|due| self.record.clock(event.at) > due);
        if is_later && matches!(event.fact, Fact::StackProgress(_)) {
            return self.progress_line();
        }
        Ok(())
    }

    /// Prints a progress line if one is due. If the event is about a resource, the line waits for the next event.
    pub(super) fn progress_after(&mut self, event: &Event) -> io::Result<()> {
        let now = self.record.elapsed;
        if self.options.is_live || now.saturating_sub(self.progress) < self.options.progress_every {
            return Ok(());
        }
        match &event.fact {
            Fact::StackProgress(_) => {
                self.due = self.due.or(Some(now));
                Ok(())
            }
            Fact::StepFinished(_) if self.due == Some(now) => Ok(()),
            Fact::StepRetried(_) | Fact::RunWaiting { .. } | Fact::StepFinished(_) => self.progress_line(),
            _ => Ok(()),
        }
    }

    /// Prints the running steps and what they wait for: every few minutes if that has changed, otherwise less and less
    /// often.
    fn progress_line(&mut self) -> io::Result<()> {
        self.due = None;
        let quiet_for = self.record.elapsed.saturating_sub(self.progress);
        let Some(Detail { what, text: line }) = self.running() else {
            self.progress = self.record.elapsed;
            return Ok(());
        };
        let details = self.details();
        let mut news: Vec<&str> = details.iter().map(|detail| detail.what.as_str()).collect();
        // The order may change with time alone, which is no news.
        news.sort_unstable();
        let news = format!("{what}\n{}", news.join("\n"));
        if news == self.heartbeat {
            if quiet_for < self.options.progress_every * self.patience {
                return Ok(());
            }
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        } else {
            self.heartbeat = news;
            self.patience = 2;
        }
        self.progress = self.record.elapsed;
        self.say(Tone::Dim, "running", &line)?;
        for detail in details {
            self.add(Tone::Dim, &detail.text)?;
        }
        Ok(())
    }

    /// All running steps in one line. If they do not fit, the last ones are left out.
    fn running(&self) -> Option<Detail> {
        let mut running = Vec::new();
        let mut without_places = Vec::new();
        let mut publishing = 0;
        for step in self.record.steps.iter().filter(|step| step.running) {
            let title = one_line(&step.step.title);
            let place = self.record.place(&step.step);
            let text = match &step.step.kind {
                StepKind::Publish => {
                    publishing += 1;
                    continue;
                }
                StepKind::Deploy | StepKind::Delete if step.total > 0 => {
                    format!("{title} {}/{}", step.done, step.total)
                }
                StepKind::Deploy | StepKind::Delete => title,
                kind => format!("{kind} {title}"),
            };
            let place = place.filter(|_| step.step.is_of_stack());
            running.push(place.map_or_else(|| text.clone(), |place| format!("{text} ({place})")));
            without_places.push(text);
        }
        if running.is_empty() && publishing == 0 {
            return None;
        }
        if publishing > 0 {
            let all = self.record.of_kind(StepKind::Publish).count();
            let ended = self.record.of_kind(StepKind::Publish).filter(|step| step.outcome.is_some()).count();
            running.push(format!("assets {ended}/{all}"));
            without_places.push(format!("assets {ended}/{all}"));
        }
        let done = self.record.stacks().filter(|step| step.outcome.is_some()).count();
        let done = format!("; {done} of {} done", count(self.record.stacks().count(), "stack"));
        let width = self.options.style.width.map_or(LINE, usize::from);
        let indent = clock(self.now()).len() + 1 + super::WORD;
        let room = width.saturating_sub(indent + columns(&done));
        let mut list = running.join(", ");
        let what = format!("{list}{done}");
        if columns(&list) > room {
            list = fit(&without_places, room);
        }
        Some(Detail { what, text: format!("{list}{done}") })
    }

    /// What the slowest steps wait for, and the steps that AWS does not answer.
    fn details(&self) -> Vec<Detail> {
        let mut details = Vec::new();
        for step in self.record.steps.iter().filter(|step| step.running) {
            let Some(waits) = self.record.waits(step) else { continue };
            let (left, so_far) = (waits.left(), waits.so_far);
            // The line above names the region of a stack.
            let is_of_stack = step.step.is_of_stack();
            let name = if is_of_stack { one_line(&step.step.title) } else { self.record.named(&step.step) };
            if let Some(retry) = &step.unanswered {
                let ago = duration(self.record.elapsed.saturating_sub(retry.at));
                let text = format!(
                    "{name}: tried again {ago} ago (attempt {}), nothing heard since: {}",
                    retry.attempt, retry.reason
                );
                details.push((
                    Duration::MAX,
                    so_far,
                    Detail { what: format!("{name}{}", retry.attempt), text },
                ));
            } else if so_far >= self.options.progress_every || !waits.what.is_empty() {
                let text = format!("{name} {}", waits.shown());
                details.push((left, so_far, Detail { what: format!("{name} {}", waits.what), text }));
            }
        }
        details.sort_by(|a, b| (b.0, b.1, &a.2.what).cmp(&(a.0, a.1, &b.2.what)));
        details.into_iter().take(DETAILS).map(|(_, _, detail)| detail).collect()
    }

    /// Prints the assets in one line, when all have ended or at the end of the run.
    pub(super) fn publishing(&mut self, at_the_end: bool) -> io::Result<()> {
        let all = self.record.of_kind(StepKind::Publish).count();
        if self.published || all == 0 || self.is_quiet() {
            return Ok(());
        }
        let of = |outcome: Outcome| {
            self.record.of_kind(StepKind::Publish).filter(|step| step.outcome == Some(outcome)).count()
        };
        let ended = self.record.of_kind(StepKind::Publish).filter(|step| step.outcome.is_some()).count();
        if ended < all && !at_the_end {
            return Ok(());
        }
        self.published = true;
        let earlier = self
            .record
            .of_kind(StepKind::Publish)
            .filter(|step| step.resumed && step.outcome == Some(Outcome::Deployed))
            .count();
        let there = of(Outcome::Unchanged) + earlier;
        let good = of(Outcome::Deployed) + of(Outcome::Unchanged);
        if there == all {
            return self.say(Tone::Plain, "assets", &format!("{} already there", were(all)));
        }
        let start =
            self.record.of_kind(StepKind::Publish).filter_map(StepRecord::started).min().unwrap_or_default();
        let end =
            self.record.of_kind(StepKind::Publish).filter_map(StepRecord::finished).max().unwrap_or_default();
        let took = duration(end.saturating_sub(start).max(Duration::ZERO));
        let mut asides = Vec::new();
        if there > 0 {
            asides.push(format!("{there} {} already there", if there == 1 { "was" } else { "were" }));
        }
        let failed = of(Outcome::Failed) + of(Outcome::RolledBack);
        for (n, what) in [(failed, "failed"), (all - good - failed, "not published")] {
            if n > 0 {
                asides.push(format!("{n} {what}"));
            }
        }
        let asides = if asides.is_empty() { String::new() } else { format!(" ({})", asides.join(", ")) };
        let published =
            if good == all { count(all, "asset") } else { format!("{good} of {}", count(all, "asset")) };
        self.say(Tone::Plain, "assets", &format!("published {published} in {took}{asides}"))
    }
}

fn were(all: usize) -> String {
    if all == 1 { "the one asset was".to_owned() } else { format!("all {all} assets were") }
}

/// As many items as fit, and how many are left out.
fn fit(items: &[String], room: usize) -> String {
    let mut list = String::new();
    for (i, item) in items.iter().enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        let left = items.len() - i;
        let rest = if left > 1 { format!(", {} more", left - 1) } else { String::new() };
        if i > 0 && columns(&list) + columns(separator) + columns(item) + columns(&rest) > room {
            return format!("{list}, {left} more");
        }
        list.push_str(separator);
        list.push_str(item);
    }
    list
}

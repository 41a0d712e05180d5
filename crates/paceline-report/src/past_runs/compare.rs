//! What two runs took, step by step, and which differences are outside the usual spread.
//!
//! The usual spread of a step is the range of what it took in up to ten runs before the later one, for the same operation.
//! A difference counts only if it is at least [`LEAST`], the later duration is outside that range by more than a tenth, and
//! at least [`FEWEST`] runs made up the range. A step with fewer earlier runs is listed apart: nobody can say whether its
//! difference is usual.

use std::fmt::Write as _;
use std::time::Duration;

use paceline_plan::StepOperation;
use paceline_plan::history::{Entry, History, HistoryKind};
use paceline_text::{Style, Tone, count, duration, one_line};

use super::PastRun;
use crate::figures::seconds;

/// A smaller difference is no news.
const LEAST: Duration = Duration::from_secs(5);
/// A range of fewer runs says nothing.
const FEWEST: usize = 3;
/// How many steps of a kind of change are named in the text.
const NAMED: usize = 12;

/// What a step usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// The shortest of the earlier runs.
    pub from: Duration,
    /// The longest of them.
    pub to: Duration,
    /// How many runs there were.
    pub runs: usize,
}

/// A step that both runs performed with the same operation.
#[derive(Debug, Clone, PartialEq)]
pub struct StepChange {
    /// Its name, with the region.
    pub name: String,
    /// What was done, such as `update`.
    pub operation: &'static str,
    /// What it took in the first run.
    pub before: Duration,
    /// What it took in the second run.
    pub after: Duration,
    /// What it usually takes; `None` with fewer than three earlier runs.
    pub usual: Option<Usual>,
}

impl StepChange {
    pub(super) fn differs(&self) -> bool {
        self.before.abs_diff(self.after) >= LEAST
    }

    /// Whether the second run took longer or shorter than usual.
    pub(super) fn is_unusual(&self) -> bool {
        self.usual.is_some_and(|usual| {
            self.after > usual.to + usual.to / 10 || self.after < usual.from.saturating_sub(usual.from / 10)
        })
    }
}

/// A step that only one of the runs performed, or that the other performed with another operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoneStep {
    /// Its name, with the region.
    pub name: String,
    /// What was done, such as `update`.
    pub operation: &'static str,
    /// Whether it is an asset. The text counts assets and does not name them.
    pub is_asset: bool,
}

/// Two runs side by side.
#[derive(Debug, Clone)]
pub struct RunComparison {
    /// The names of the runs, the earlier one first.
    pub runs: [String; 2],
    /// How long each worked, where that is known.
    pub took: [Option<Duration>; 2],
    /// The steps that both performed with the same operation, the largest difference first.
    pub steps: Vec<StepChange>,
    /// The steps that only one of them performed, or that the two performed with different operations.
    pub only: [Vec<LoneStep>; 2],
}

impl RunComparison {
    /// Compares two runs. The history has what is usual.
    pub fn of(first: &PastRun, second: &PastRun, history: &History) -> Self {
        let of_steps = |run: &PastRun| -> Vec<Entry> {
            run.entries.iter().filter(|entry| entry.kind != HistoryKind::Run).cloned().collect()
        };
        let (before, after) = (of_steps(first), of_steps(second));
        let mut steps = Vec::new();
        let mut only_after = Vec::new();
        for entry in &after {
            match before.iter().find(|other| other.is_like(entry)) {
                Some(other) => steps.push(StepChange {
                    name: name(entry),
                    operation: word(entry),
                    before: seconds(other.seconds),
                    after: seconds(entry.seconds),
                    usual: usual(history, entry),
                }),
                None => only_after.push(lone(entry)),
            }
        }
        let only_before = before.iter().filter(|entry| !after.iter().any(|other| other.is_like(entry)));
        let only_before = only_before.map(lone).collect();
        steps.sort_by(|a, b| {
            b.before.abs_diff(b.after).cmp(&a.before.abs_diff(a.after)).then_with(|| a.name.cmp(&b.name))
        });
        Self {
            runs: [first.run.clone(), second.run.clone()],
            took: [first.took, second.took],
            steps,
            only: [only_before, only_after],
        }
    }

    /// The comparison for people.
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out, style);
        out
    }

    fn write(&self, out: &mut String, style: Style) -> std::fmt::Result {
        let [first, second] = &self.runs;
        let took = |took: Option<Duration>| took.map_or_else(|| "unknown".to_owned(), duration);
        writeln!(out, "{first}: {}", took(self.took[0]))?;
        writeln!(out, "{second}: {}{}", took(self.took[1]), self.difference())?;
        let (known, unknown): (Vec<_>, Vec<_>) =
            self.steps.iter().filter(|step| step.differs()).partition(|step| step.usual.is_some());
        let (unusual, usual): (Vec<_>, Vec<_>) = known.into_iter().partition(|step| step.is_unusual());
        let (slower, faster): (Vec<_>, Vec<_>) =
            unusual.into_iter().partition(|step| step.after > step.before);
        section(out, style, Tone::Bad, "Slower than usual", &slower)?;
        section(out, style, Tone::Good, "Faster than usual", &faster)?;
        section(out, style, Tone::Strong, "Different, within the usual spread", &usual)?;
        let heading = format!("Different, with fewer than {FEWEST} earlier runs to compare with");
        section(out, style, Tone::Strong, &heading, &unknown)?;
        let same = self.steps.iter().filter(|step| !step.differs()).count();
        if same > 0 {
            writeln!(out, "\n{} took the same time, within {}", count(same, "step"), duration(LEAST))?;
        }
        for (run, only) in self.runs.iter().zip(&self.only) {
            if !only.is_empty() {
                writeln!(out)?;
                for line in style.lines(&format!("Only in {run}: {}", listed(only)), 0) {
                    writeln!(out, "{line}")?;
                }
            }
        }
        if self.steps.is_empty() && self.only.iter().all(Vec::is_empty) {
            writeln!(out, "\nNeither run has measured steps, so there is nothing to compare")?;
        }
        Ok(())
    }

    fn difference(&self) -> String {
        let [Some(before), Some(after)] = self.took else { return String::new() };
        if before.abs_diff(after) < Duration::from_secs(1) {
            return ", the same".to_owned();
        }
        let word = if after > before { "longer" } else { "shorter" };
        format!(", {} {word}", duration(before.abs_diff(after)))
    }
}

fn lone(entry: &Entry) -> LoneStep {
    let is_asset = matches!(entry.kind, HistoryKind::File | HistoryKind::Image);
    LoneStep { name: name(entry), operation: word(entry), is_asset }
}

/// The steps by name, and how many assets.
fn listed(steps: &[LoneStep]) -> String {
    let (assets, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| step.is_asset);
    let mut parts: Vec<String> =
        others.iter().take(NAMED).map(|step| format!("{} ({})", step.name, step.operation)).collect();
    if let Some(more @ 1..) = others.len().checked_sub(NAMED) {
        parts.push(count(more, "more step"));
    }
    if !assets.is_empty() {
        parts.push(count(assets.len(), "asset"));
    }
    parts.join(", ")
}

fn section(
    out: &mut String,
    style: Style,
    tone: Tone,
    heading: &str,
    steps: &[&StepChange],
) -> std::fmt::Result {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.paint(tone, heading))?;
    for step in steps.iter().take(NAMED) {
        let sign = if step.after > step.before { "+" } else { "−" };
        let usually = step.usual.map_or_else(String::new, |usual| {
            format!(
                "; usually {} to {} in {}",
                duration(usual.from),
                duration(usual.to),
                count(usual.runs, "run")
            )
        });
        let text = format!(
            "{} ({}): {} → {} ({sign}{}{usually})",
            step.name,
            step.operation,
            duration(step.before),
            duration(step.after),
            duration(step.before.abs_diff(step.after)),
        );
        for (number, line) in style.lines(&text, 4).iter().enumerate() {
            writeln!(out, "{}{line}", if number == 0 { "  " } else { "    " })?;
        }
    }
    if let Some(more @ 1..) = steps.len().checked_sub(NAMED) {
        writeln!(out, "  and {more} more")?;
    }
    Ok(())
}

/// What a step took in the runs before this one, for the same operation.
fn usual(history: &History, entry: &Entry) -> Option<Usual> {
    let earlier = history.before(entry);
    let (from, to) = (earlier.iter().copied().reduce(f64::min)?, earlier.iter().copied().reduce(f64::max)?);
    (earlier.len() >= FEWEST).then(|| Usual { from: seconds(from), to: seconds(to), runs: earlier.len() })
}

fn name(entry: &Entry) -> String {
    let kind = match entry.kind {
        HistoryKind::Stack => "",
        HistoryKind::File => "file asset ",
        HistoryKind::Image => "image ",
        HistoryKind::Gate => "gate after ",
        HistoryKind::Command => "command ",
        HistoryKind::Synth => "synthesis of ",
        HistoryKind::Run => "run ",
    };
    let place = entry.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
    one_line(&format!("{kind}{}{place}", entry.name))
}

fn word(entry: &Entry) -> &'static str {
    match (entry.operation, entry.kind) {
        (StepOperation::Create, _) => "create",
        (StepOperation::Update, _) => "update",
        (StepOperation::Delete, _) => "delete",
        (StepOperation::Unchanged, _) => "unchanged",
        (StepOperation::Done, HistoryKind::File | HistoryKind::Image) => "publish",
        (StepOperation::Done, HistoryKind::Gate) => "wait",
        (StepOperation::Done, HistoryKind::Synth) => "synthesize",
        (StepOperation::Done, _) => "run",
    }
}

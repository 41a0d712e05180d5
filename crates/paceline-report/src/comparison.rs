//! Compares a run with other schedules of the same stacks: how long they would have taken.

use std::time::Duration;

use paceline_engine::StepKind;
use paceline_text::{count, one_line};

use crate::figures::Unit;
use crate::record::{Phase, Record, StepRecord};

/// The same run in other schedules, with the durations that were measured in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// One stack after the other, as a script of `cdk deploy` commands does it.
    pub sequential: PhaseTimes,
    /// Each phase starts when the one before is complete. Scheduled with the measured durations.
    pub phased: PhaseTimes,
}

/// How long the phases take in a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhaseTimes {
    /// The time of each phase, by its name.
    pub phases: Vec<(String, Duration)>,
    /// The whole run.
    pub total: Duration,
}

impl PhaseTimes {
    /// The stacks of a run one after the other, each with its measured duration, and the syntheses and commands. Assets
    /// and gates do not count, because such a script has none. The bake of a rollout counts: it was asked for, and no order
    /// of the stacks makes it shorter.
    pub fn one_after_another(record: &Record) -> Self {
        let of = |phase: &Phase<'_>| phase.stacks.iter().map(|stack| stack.duration()).sum();
        let phases: Vec<(String, Duration)> =
            record.phases().iter().map(|phase| (phase.name.to_owned(), of(phase))).collect();
        let others =
            record.steps.iter().filter(|step| matches!(step.step.kind, StepKind::Synth | StepKind::Command));
        let others: Duration = others.chain(bakes(record)).map(StepRecord::duration).sum();
        Self { total: others + phases.iter().map(|&(_, time)| time).sum::<Duration>(), phases }
    }

    /// The phases of a run in another schedule. `step` gives the start and the end of the step with an id.
    pub fn scheduled(
        record: &Record,
        total: Duration,
        step: impl Fn(&str) -> Option<(Duration, Duration)>,
    ) -> Self {
        let of = |phase: &Phase<'_>| {
            let times = || phase.stacks.iter().filter_map(|stack| step(&stack.step.step));
            let start = times().map(|(start, _)| start).min().unwrap_or_default();
            let end = times().map(|(_, end)| end).max().unwrap_or_default();
            end.saturating_sub(start)
        };
        let phases = record.phases().iter().map(|phase| (phase.name.to_owned(), of(phase))).collect();
        Self { phases, total }
    }

    fn phase(&self, name: &str) -> Option<Duration> {
        self.phases.iter().find(|(phase, _)| phase == name).map(|&(_, time)| time)
    }
}

/// The table, before it becomes text, Markdown or HTML.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) unit: Unit,
    pub(crate) header: Vec<&'static str>,
    /// Cells, each with the lines in it.
    pub(crate) rows: Vec<Vec<Vec<String>>>,
    /// How many rows come before the totals.
    pub(crate) parts: usize,
}

/// How many stacks a cell lists at most.
const LISTED: usize = 8;

/// One row for each phase, for the bake of a rollout and for the total. There is no table if no stack was started. Other
/// schedules are left out unless every stack succeeded, because the duration of a failed stack cannot be compared.
pub(crate) fn table(record: &Record, comparison: Option<&Comparison>) -> Option<Table> {
    let comparison = comparison.filter(|_| record.all_succeeded());
    let phases = record.phases();
    if record.stacks().all(|stack| stack.spans.is_empty()) {
        return None;
    }
    let unit = Unit::of(record.elapsed);
    let figure = |duration: Option<Duration>| vec![duration.map_or("–".to_owned(), |d| unit.figure(d))];

    let mut header = vec!["phase", "stacks"];
    if comparison.is_some() {
        header.extend(["one after another", "phases as barriers"]);
    }
    header.push("as it ran");

    let mut rows = Vec::new();
    for phase in &phases {
        let mut names: Vec<String> =
            phase.stacks.iter().take(LISTED).map(|stack| one_line(&stack.step.title)).collect();
        let more = phase.stacks.len() - names.len();
        if more > 0 {
            names.push(format!("{more} more"));
        }
        let name = if phase.name.is_empty() { "(none)".to_owned() } else { one_line(phase.name) };
        let mut row = vec![vec![name], names];
        if let Some(comparison) = comparison {
            row.push(figure(comparison.sequential.phase(phase.name)));
            row.push(figure(comparison.phased.phase(phase.name)));
        }
        row.push(as_it_ran(record, unit, phase.stacks.iter().copied()));
        rows.push(row);
    }
    for bake in bakes(record) {
        let mut row = vec![vec![record.label(&bake.step)], Vec::new()];
        if comparison.is_some() {
            row.extend([figure(Some(bake.duration())), figure(Some(bake.duration()))]);
        }
        row.push(as_it_ran(record, unit, [bake]));
        rows.push(row);
    }
    let parts = rows.len();

    let mut total = vec![vec!["total".to_owned()], vec![count(record.stacks().count(), "stack")]];
    let mut saving = vec![vec!["saved".to_owned()], Vec::new()];
    if let Some(comparison) = comparison {
        for other in [comparison.sequential.total, comparison.phased.total] {
            total.push(figure(Some(other)));
            saving.push(saved(other, record.elapsed, unit));
        }
    }
    total.push(figure(Some(record.elapsed)));
    rows.push(total);
    if comparison.is_some() {
        saving.push(Vec::new());
        rows.push(saving);
    }

    Some(Table { unit, header, rows, parts })
}

/// The bakes that were begun.
fn bakes(record: &Record) -> impl Iterator<Item = &StepRecord> {
    record.steps.iter().filter(|step| step.step.is_bake() && !step.spans.is_empty())
}

/// The cell of some steps: the time from the first start to the last end, and the first start.
fn as_it_ran<'a>(
    record: &Record,
    unit: Unit,
    steps: impl IntoIterator<Item = &'a StepRecord>,
) -> Vec<String> {
    let spans = steps.into_iter().filter_map(|step| {
        let start = step.started()?;
        Some((start, step.finished().unwrap_or(record.elapsed)))
    });
    match spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
        Some((start, end)) => {
            vec![unit.figure(end.saturating_sub(start)), format!("from {}", unit.figure(start))]
        }
        None => vec!["–".to_owned()],
    }
}

/// The time that was saved compared with another schedule. Negative if that would have been faster.
fn saved(other: Duration, ran: Duration, unit: Unit) -> Vec<String> {
    let difference = other.abs_diff(ran);
    let figure = unit.figure(difference);
    // A difference that rounds to zero has no sign and no percentage.
    if figure == unit.figure(Duration::ZERO) {
        return vec![figure];
    }
    let sign = if other < ran { "-" } else { "" };
    let percent = format!("{:.0}", 100.0 * difference.as_secs_f64() / other.as_secs_f64().max(0.001));
    let percent = if percent == "0" { "below 1".to_owned() } else { format!("{sign}{percent}") };
    vec![format!("{sign}{figure}"), format!("({percent} %)")]
}

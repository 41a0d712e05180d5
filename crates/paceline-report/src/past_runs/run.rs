//! One earlier run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use paceline_engine::event::{Event, Outcome};
use paceline_plan::StepOperation;
use paceline_plan::history::{Entry, History, HistoryKind};

use crate::figures::seconds;
use crate::history::HistoryEntries;
use crate::record::{Record, Status};

/// A run, as far as it is known.
#[derive(Debug, Clone)]
pub struct PastRun {
    /// Its name.
    pub run: String,
    /// When it started, from its journal; for a run without a journal, when its first measured step ended.
    pub at: Option<Timestamp>,
    /// The folder of its assembly, as it was given; empty if only older history lines are left.
    pub app: String,
    /// Whether it deleted stacks and deployed none.
    pub deletes: bool,
    /// The run that it rolled back, as far as its journal is still there.
    pub undoes: Option<String>,
    /// How it ended; `None` without a journal, if the history does not say that it succeeded.
    pub status: Option<Status>,
    /// How long it worked. Interruptions do not count.
    pub took: Option<Duration>,
    /// How many stacks ended in which outcome. Without a journal, only successes are known.
    pub stacks: BTreeMap<Outcome, usize>,
    /// Whether it was simulated, so that its durations are not real.
    pub simulated: bool,
    /// The measured steps.
    pub(super) entries: Vec<Entry>,
}

impl PastRun {
    /// A run from the events of its journal. `None` if the journal has no event.
    pub fn of(events: &[Event]) -> Option<Self> {
        let record = Record::of(events);
        if record.status() == Status::Empty {
            return None;
        }
        let mut entries = HistoryEntries::default();
        for event in events {
            entries.apply(event);
        }
        Some(Self {
            at: record.parts.first().map(|part| part.started_at),
            app: record.app.clone(),
            deletes: record.only_deletes(),
            undoes: record.undoes.clone(),
            status: Some(record.status()),
            took: Some(record.elapsed),
            stacks: record.outcomes(),
            simulated: record.simulated,
            entries: entries.entries().to_vec(),
            run: record.run,
        })
    }

    /// The runs of a history.
    pub fn of_history(history: &History) -> Vec<Self> {
        history.runs().into_iter().map(|(run, entries)| Self::of_entries(run, &entries)).collect()
    }

    fn of_entries(run: &str, entries: &[&Entry]) -> Self {
        let whole = entries.iter().find(|entry| entry.kind == HistoryKind::Run);
        let mut stacks: BTreeMap<Outcome, usize> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.kind == HistoryKind::Stack) {
            let outcome = match entry.operation {
                StepOperation::Delete => Outcome::Deleted,
                StepOperation::Unchanged => Outcome::Unchanged,
                _ => Outcome::Deployed,
            };
            *stacks.entry(outcome).or_default() += 1;
        }
        Self {
            run: run.to_owned(),
            at: entries.iter().filter_map(|entry| entry.at.parse().ok()).min(),
            app: whole.map(|entry| entry.name.clone()).unwrap_or_default(),
            deletes: stacks.keys().eq([&Outcome::Deleted]),
            undoes: None,
            status: whole.map(|_| Status::Done),
            took: whole.map(|entry| seconds(entry.seconds)),
            stacks,
            simulated: false,
            entries: entries.iter().map(|&entry| entry.clone()).collect(),
        }
    }
}

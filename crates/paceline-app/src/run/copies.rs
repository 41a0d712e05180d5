//! Runs of other machines, whose copies are in the staging buckets of the app.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8Path;
use jiff::Timestamp;
use paceline_assembly::Assembly;
use paceline_aws::{KeptRun, KeptRuns, PreflightError};
use paceline_config::{HistoryPlace, JournalCopy};
use paceline_engine::{Event, FetchedRun, import, journal_path, parse_events, read_events, runs_in};

use super::RUNS;
use super::outer_stack::this_build;
use super::prepared::has_prepared;
use crate::app::{App, configured};
use crate::failure::Failure;
use crate::settings::{AppPaths, LAST, is_name_of_run};
use crate::terminal;

/// So many of the runs that were written last are looked at.
const LOOKED_AT: usize = 10;

/// What the runs of an app keep in the staging buckets.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Whether a run keeps its journal there.
    pub(super) journal: bool,
    /// Whether the durations of a run go there.
    pub(super) history: bool,
    /// The app, if its staging buckets can be looked at.
    assembly: Option<Arc<Assembly>>,
}

impl Copies {
    pub(super) fn of(app: &App) -> Self {
        let journal = match app.config.journal.bucket {
            JournalCopy::InBuilds => this_build().is_some(),
            JournalCopy::Always => true,
            JournalCopy::Never => false,
        };
        let history = app.config.journal.history == HistoryPlace::Shared;
        Self { journal, history, assembly: Some(Arc::clone(&app.assembly)) }
    }

    /// The app, if its staging buckets can be looked at.
    pub(super) fn assembly(&self) -> Option<&Assembly> {
        self.assembly.as_deref()
    }

    /// Brings interrupted runs of other machines to this folder, with the runs that were written after them. `wanted` is the
    /// run that the user has named. `with_ended` also brings the newest runs that have ended.
    pub(super) async fn bring(
        &self,
        wanted: Option<&str>,
        with_ended: bool,
    ) -> Result<Option<Brought>, Failure> {
        let Some(assembly) = &self.assembly else { return Ok(None) };
        let wanted = wanted.filter(|run| !run.is_empty());
        let is_here = |run: &str| journal_path(Utf8Path::new(RUNS), run).is_file();
        if wanted.map_or(!self.journal, |run| is_here(run) && !self.journal) {
            return Ok(None);
        }
        match (Box::pin(bring(assembly, wanted, with_ended)).await, wanted) {
            (Err(failure), None) => {
                terminal::note(&format!("runs of other machines are not known: {}", failure.first()));
                Ok(None)
            }
            (brought, _) => brought,
        }
    }
}

async fn bring(
    assembly: &Assembly,
    wanted: Option<&str>,
    with_ended: bool,
) -> Result<Option<Brought>, Failure> {
    let kept = Box::pin(KeptRuns::open(&terminal::wire(), assembly)).await?;
    let listed = kept.list(Timestamp::now()).await.map_err(PreflightError::from)?;
    let newest_here = newest_here();
    let oldest = match wanted {
        Some(run) if run != LAST => listed.iter().position(|kept| kept.run == run),
        None if with_ended => listed.len().min(LOOKED_AT).checked_sub(1),
        // A run of this folder that is newer decides, as it does without a bucket. A run that was brought before may have
        // gone on since.
        _ => listed.iter().take(LOOKED_AT).rposition(|kept| {
            let may_go_on = !kept.has_ended && (wanted.is_some() || kept.written() > newest_here);
            may_go_on || is_unfinished_here(&kept.run)
        }),
    };
    let Some(oldest) = oldest else { return Ok(None) };
    let fetched = Box::pin(kept.fetch_all(&listed[..=oldest])).await.map_err(PreflightError::from)?;
    // Other apps of these environments have their runs in the same buckets.
    let (mut runs, mut ours) = (Vec::new(), Vec::new());
    for (listed, fetched) in listed.into_iter().zip(fetched) {
        // A later version may have written a journal that this one cannot read.
        if events_of(&fetched).is_ok_and(|events| is_about(&events, assembly)) {
            runs.push(listed);
            ours.push(fetched);
        }
    }
    import(Utf8Path::new(RUNS), &ours)?;
    Ok(Some(Brought { kept, runs }))
}

/// Brings the newest prepared run of the app to this folder, if it is newer than the one that is here. Gives its name.
pub(super) async fn bring_prepared(
    assembly: &Assembly,
    here: Option<&str>,
) -> Result<Option<String>, Failure> {
    let kept = Box::pin(KeptRuns::open(&terminal::wire(), assembly)).await?;
    let listed = kept.list(Timestamp::now()).await.map_err(PreflightError::from)?;
    // The names of runs begin with the time of their start.
    let newer = listed.into_iter().filter(|copy| here.is_none_or(|here| copy.run.as_str() > here));
    for copy in newer.take(LOOKED_AT) {
        let fetched = kept.fetch(&copy).await.map_err(PreflightError::from)?;
        let is_it = |events: Vec<Event>| has_prepared(&events) && is_about(&events, assembly);
        if events_of(&fetched).is_ok_and(is_it) {
            import(Utf8Path::new(RUNS), &[fetched])?;
            return Ok(Some(copy.run));
        }
    }
    Ok(None)
}

/// Brings the run of this name to this folder, if a staging bucket has it. Gives its name.
pub(super) async fn bring_run(assembly: &Assembly, run: &str) -> Result<Option<String>, Failure> {
    let kept = Box::pin(KeptRuns::open(&terminal::wire(), assembly)).await?;
    let listed = kept.list(Timestamp::now()).await.map_err(PreflightError::from)?;
    let Some(copy) = listed.into_iter().find(|copy| copy.run == run) else { return Ok(None) };
    let fetched = kept.fetch(&copy).await.map_err(PreflightError::from)?;
    import(Utf8Path::new(RUNS), &[fetched])?;
    Ok(Some(copy.run))
}

/// The runs that were brought to this folder.
#[derive(Debug)]
pub(super) struct Brought {
    kept: KeptRuns,
    runs: Vec<KeptRun>,
}

impl Brought {
    /// Whether nobody has written the run since it was brought.
    pub(super) async fn is_current(&self, run: &str) -> Result<bool, Failure> {
        let Some(known) = self.runs.iter().find(|known| known.run == run) else { return Ok(true) };
        let listed = self.kept.list(Timestamp::now()).await.map_err(PreflightError::from)?;
        let is_current = listed.contains(known);
        if !is_current {
            terminal::note(&format!(
                "another machine has gone on with the run {run}: its journal is read again"
            ));
        }
        Ok(is_current)
    }
}

/// When the last journal of this folder was written, in seconds.
fn newest_here() -> i64 {
    let runs = Utf8Path::new(RUNS);
    let journals = runs_in(runs).unwrap_or_default().into_iter().map(|run| journal_path(runs, &run));
    let written = journals.filter_map(|journal| journal.metadata().ok()?.modified().ok());
    let written = written.filter_map(|time| Timestamp::try_from(time).ok());
    written.map(Timestamp::as_second).max().unwrap_or_default()
}

/// Whether a run is in this folder and has not ended there.
fn is_unfinished_here(run: &str) -> bool {
    let journal = journal_path(Utf8Path::new(RUNS), run);
    let events = if journal.is_file() { read_events(&journal).unwrap_or_default() } else { Vec::new() };
    events.last().is_some_and(|event| !event.fact.ends_run())
}

/// A journal in a staging bucket, which another machine may still write.
#[derive(Debug)]
pub struct CopiedJournal {
    kept: KeptRuns,
    copy: KeptRun,
    /// The number of the last event that was read.
    seq: u64,
}

impl CopiedJournal {
    /// Finds a run by its name, or the newest one of the app for `last`. The app is that of the paths or of this folder.
    /// `None` if the app is not synthesized, or has no such run.
    pub async fn find(name: &str, paths: &AppPaths) -> Result<Option<Self>, Failure> {
        if name != LAST && !is_name_of_run(name) {
            return Ok(None);
        }
        let Ok(app) = configured(paths).and_then(|configured| configured.app(paths)) else { return Ok(None) };
        let mut kept = Box::pin(KeptRuns::open(&terminal::wire(), &app.assembly)).await?;
        let listed = kept.list(Timestamp::now()).await.map_err(PreflightError::from)?;
        for copy in listed.into_iter().filter(|copy| name == LAST || copy.run == name).take(LOOKED_AT) {
            let mut found = Self { kept, copy, seq: 0 };
            if name != LAST || is_about(&found.events().await?, &app.assembly) {
                return Ok(Some(found));
            }
            Self { kept, .. } = found;
        }
        Ok(None)
    }

    /// The name of the run.
    pub fn run(&self) -> &str {
        &self.copy.run
    }

    /// All events until now.
    pub async fn events(&mut self) -> Result<Vec<Event>, Failure> {
        let journal = self.kept.journal(&self.copy).await.map_err(PreflightError::from)?;
        let events = parse_events(Utf8Path::new(&self.copy.run), &journal)?;
        self.seq = events.last().map_or(self.seq, |event| event.seq);
        Ok(events)
    }

    /// The events that have been written since the last call.
    pub async fn next_events(&mut self) -> Result<Vec<Event>, Failure> {
        let listed = self.kept.list(Timestamp::now()).await.map_err(PreflightError::from)?;
        let Some(copy) = listed.into_iter().find(|copy| copy.run == self.copy.run) else {
            return Ok(Vec::new());
        };
        if copy == self.copy {
            return Ok(Vec::new());
        }
        self.copy = copy;
        let before = self.seq;
        let events = self.events().await?;
        Ok(events.into_iter().filter(|event| event.seq > before).collect())
    }

    /// Brings the run to this folder.
    pub async fn bring(&self) -> Result<(), Failure> {
        let fetched = self.kept.fetch(&self.copy).await.map_err(PreflightError::from)?;
        Ok(import(Utf8Path::new(RUNS), &[fetched])?)
    }
}

fn events_of(fetched: &FetchedRun) -> Result<Vec<Event>, Failure> {
    Ok(parse_events(Utf8Path::new(&fetched.run), &fetched.journal)?)
}

/// Whether a run and an app have a stack in common.
pub(super) fn is_about(events: &[Event], assembly: &Assembly) -> bool {
    let names: BTreeSet<&str> = assembly.stacks.iter().map(|stack| stack.name.as_str()).collect();
    let started = events.iter().filter_map(Event::run_started);
    let stacks =
        started.flat_map(|started| &started.steps).filter_map(|step| step.step.stack_name.as_deref());
    stacks.into_iter().any(|name| names.contains(name))
}

/// The durations of runs of other machines that were shared, as lines of a history.
pub(super) async fn shared_history(
    assembly: &Assembly,
    is_known: impl Fn(&str) -> bool,
) -> Result<String, Failure> {
    let kept = Box::pin(KeptRuns::open(&terminal::wire(), assembly)).await?;
    Ok(kept.history(is_known).await.map_err(PreflightError::from)?)
}

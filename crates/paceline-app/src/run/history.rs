//! The durations of earlier runs. Plans read them, and each deployment to AWS adds its own at its end.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paceline_config::HistoryPlace;
use paceline_plan::history::{Entry, FILE, History, HistoryKind};
use paceline_report::{add_history, read_history};

use super::copies;
use crate::app::App;
use crate::{interrupt, terminal};

/// How long the reading of the shared history may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Reads the history in the current folder, and keeps the runs against the current AWS endpoint. If the file is missing
/// or cannot be read, plans use the table of durations by resource type.
pub fn read() -> Arc<History> {
    let history = read_history(Path::new(FILE)).unwrap_or_else(|error| {
        terminal::warn(&format!("the history cannot be read: {error}"));
        History::default()
    });
    if let Some(warning) = history.warning(FILE) {
        terminal::warn(&warning);
    }
    Arc::new(history.at(paceline_aws::endpoint()))
}

/// The same for an app that shares its history: first adds the durations that other machines have shared. If they cannot be
/// read in a few seconds, those of this machine count.
pub fn of(app: &App) -> Arc<History> {
    if app.config.journal.history == HistoryPlace::Shared {
        let history = read_history(Path::new(FILE)).unwrap_or_default();
        let whole: BTreeSet<String> = history
            .runs()
            .into_iter()
            .filter(|(_, entries)| entries.iter().any(|entry| entry.kind == HistoryKind::Run))
            .map(|(run, _)| run.to_owned())
            .collect();
        let fetched = copies::shared_history(&app.assembly, |run| whole.contains(run));
        let fetched = async { tokio::time::timeout(LONGEST, Box::pin(fetched)).await };
        match interrupt::until_stopped("the shared history was being read", fetched) {
            Ok(Ok(Ok(lines))) => {
                let shared = History::parse(&lines);
                add(&shared.runs().into_values().flatten().cloned().collect::<Vec<_>>());
            }
            Ok(Ok(Err(failure))) => {
                terminal::note(&format!("the shared history is not read: {}", failure.first()));
            }
            Ok(Err(_)) => terminal::note("the shared history is not read: there was no answer in time"),
            // The command ends.
            Err(_) => {}
        }
    }
    read()
}

/// Adds the durations of a run. If they cannot be written, the run has still succeeded, so this only warns.
pub fn add(entries: &[Entry]) {
    if let Err(error) = add_history(Path::new(FILE), entries) {
        terminal::warn(&format!("the history cannot be written: {error}"));
    }
}

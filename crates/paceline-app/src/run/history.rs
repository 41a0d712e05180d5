//! The durations of earlier runs. Plans read them, and each deployment to AWS adds its own at its end.

use std::path::Path;
use std::sync::Arc;

use paceline_plan::history::{Entry, FILE, History};
use paceline_report::{add_history, read_history};

use crate::terminal;

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

/// Adds the durations of a run. If they cannot be written, the run has still succeeded, so this only warns.
pub fn add(entries: &[Entry]) {
    if let Err(error) = add_history(Path::new(FILE), entries) {
        terminal::warn(&format!("the history cannot be written: {error}"));
    }
}

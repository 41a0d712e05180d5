//! How long earlier runs took: read for plans, added to at the end of real deployments.

use std::path::Path;
use std::sync::Arc;

use paceline_plan::history::{Entry, FILE, History};
use paceline_report::{add_history, read_history};

use crate::terminal;

/// The history of the folder that `paceline` is called in, of runs on the AWS that is reached now. Without one, or with one that cannot be read, plans are
/// made from the table by resource type.
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

/// Adds what a run took. That it could not be written is no failure of the run.
pub fn add(entries: &[Entry]) {
    if let Err(error) = add_history(Path::new(FILE), entries) {
        terminal::warn(&format!("the history cannot be written: {error}"));
    }
}

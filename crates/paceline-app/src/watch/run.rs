//! Watches a run by its journal, which the process that deploys writes.

use std::time::Duration;

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use paceline_engine::{Event, EventFile, ExitCode};
use paceline_report::{Kept, Record, Status, ending, summary};

use super::WatchSettings;
use crate::display::Display;
use crate::failure::Failure;
use crate::{interrupt, terminal};

/// From one look at the journal to the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A run that goes on has an event at least every two minutes.
const SILENT: SignedDuration = SignedDuration::from_secs(150);

/// Watches a run until its end, or until its process is gone.
pub(super) fn watch(journal: &Utf8Path, args: &WatchSettings) -> Result<ExitCode, Failure> {
    let mut file = EventFile::new(journal);
    let mut display = Display::open(args.detail());
    // A run has a journal while it still prepares its first event.
    let mut heard = Timestamp::now();
    for event in file.next_events()? {
        heard = event.at;
        display.replay(&event);
    }
    tell_where_it_is(&display.record());
    let watched = async {
        loop {
            if display.record().exit_code.is_some() {
                return Ok(());
            }
            if Timestamp::now().duration_since(heard) > SILENT {
                return Err(gone(journal));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let events: Vec<Event> = file.next_events()?;
            for event in events {
                heard = event.at;
                display.event(&event);
            }
        }
    };
    let watched = interrupt::until_stopped("a run was being watched", watched);
    display.end();
    watched??;
    let record = display.record().clone();
    let (style, kept) =
        (terminal::stderr_style(), Kept { reports: None, journal: Some(journal.to_string()) });
    let said = summary(&record, None, style) + &ending(&record, &kept, style);
    terminal::say_painted(said.trim_end());
    Ok(match record.status() {
        Status::Done => ExitCode::Done,
        Status::Interrupted | Status::Unfinished | Status::Empty => ExitCode::Interrupted,
        Status::Failed | Status::Refused => ExitCode::Failed,
    })
}

fn tell_where_it_is(record: &Record) {
    if record.status() == Status::Empty {
        return terminal::mention("watching a run that has not begun yet");
    }
    let all = record.stacks().count();
    let ended = record.stacks().filter(|step| step.outcome.is_some()).count();
    terminal::mention(&format!(
        "watching the run {} of {}: {ended} of {} ended so far",
        record.run,
        record.app,
        paceline_text::count(all, "stack")
    ));
}

fn gone(journal: &Utf8Path) -> Failure {
    let message = format!("the run has not ended, and its process writes nothing to {journal} any more");
    Failure::usage(message, "the command that started the run continues it; watch its stacks by their names")
        .with_exit_code(ExitCode::Interrupted)
}

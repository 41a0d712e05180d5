//! Watches a run by its journal, which the process that deploys writes: in this folder, or in a staging bucket.

use std::time::Duration;

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use paceline_engine::{Event, EventFile, ExitCode, journal_path};
use paceline_report::{Kept, Record, Status, ending, summary};
use tokio::time::{Instant, timeout_at};

use super::{WatchSettings, next_key};
use crate::display::Display;
use crate::failure::Failure;
use crate::run::{CopiedJournal, RUNS};
use crate::settings::LAST;
use crate::{interrupt, terminal};

/// From one look at the journal to the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A run that goes on has an event at least every two minutes.
const SILENT: SignedDuration = SignedDuration::from_secs(150);

/// From one look at a staging bucket to the next.
const LOOK_AT_BUCKET_EVERY: Duration = Duration::from_secs(5);

/// The journal of the watched run.
enum Source {
    /// In this folder.
    File(EventFile),
    /// In a staging bucket, where another machine writes it.
    Bucket(Box<CopiedJournal>),
}

impl Source {
    async fn of(run: &str, args: &WatchSettings) -> Result<Self, Failure> {
        let journal = journal_path(Utf8Path::new(RUNS), run);
        if journal.is_file() {
            return Ok(Self::File(EventFile::new(journal)));
        }
        let found = Box::pin(CopiedJournal::find(run, &args.paths)).await?;
        found.map(|found| Self::Bucket(Box::new(found))).ok_or_else(|| {
            let what = if run == LAST { "no run".to_owned() } else { format!("no run {run}") };
            let message = format!("there is {what} in {RUNS}, nor in the staging buckets of the app");
            let hint = "a run of a build is found in the folder of the synthesized app, or with --app, if its journal is in \
                        the staging bucket; watch its stacks by their names";
            Failure::usage(message, hint)
        })
    }

    async fn next_events(&mut self) -> Result<Vec<Event>, Failure> {
        match self {
            Self::File(file) => Ok(file.next_events()?),
            // A failed look says nothing about the run.
            Self::Bucket(copy) => Ok(copy.next_events().await.unwrap_or_default()),
        }
    }

    /// All events until now.
    async fn events(&mut self) -> Result<Vec<Event>, Failure> {
        match self {
            Self::File(file) => Ok(file.next_events()?),
            Self::Bucket(copy) => copy.events().await,
        }
    }

    fn look_every(&self) -> Duration {
        match self {
            Self::File(_) => LOOK_EVERY,
            Self::Bucket(_) => LOOK_AT_BUCKET_EVERY,
        }
    }
}

/// Watches a run until its end, or until its process is gone.
pub(super) fn watch(run: &str, args: &WatchSettings) -> Result<ExitCode, Failure> {
    let (mut display, mut keys) = Display::open(args.detail(), args.format);
    let watched = async {
        let mut source = Source::of(run, args).await?;
        // A run has a journal while it still prepares its first event.
        let mut heard = Timestamp::now();
        for event in source.events().await? {
            heard = event.at;
            display.replay(&event);
        }
        say_where_it_is(&display.record());
        loop {
            if display.record().exit_code.is_some() {
                return Ok(());
            }
            if Timestamp::now().duration_since(heard) > SILENT {
                return Err(gone(&display.record().run));
            }
            let next_look = Instant::now() + source.look_every();
            while let Ok(key) = timeout_at(next_look, next_key(&mut keys)).await {
                display.key(key);
            }
            for event in source.next_events().await? {
                heard = event.at;
                display.event(&event);
            }
        }
    };
    let watched = interrupt::until_stopped("a run was being watched", watched);
    display.end();
    watched??;
    let record = display.record().clone();
    let journal = journal_path(Utf8Path::new(RUNS), &record.run);
    let journal = journal.is_file().then(|| journal.to_string());
    let (style, kept) = (terminal::stderr_style(), Kept { reports: None, journal });
    let said = summary(&record, None, style) + &ending(&record, &kept, style);
    terminal::say_painted(said.trim_end());
    Ok(match record.status() {
        Status::Done => ExitCode::Done,
        Status::Interrupted | Status::Unfinished | Status::Empty => ExitCode::Interrupted,
        Status::Failed | Status::Refused => ExitCode::Failed,
    })
}

fn say_where_it_is(record: &Record) {
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

fn gone(run: &str) -> Failure {
    let message =
        format!("the run has not ended, and its process writes nothing to the journal of {run} any more");
    Failure::usage(message, "the command that started the run continues it; watch its stacks by their names")
        .with_exit_code(ExitCode::Interrupted)
}

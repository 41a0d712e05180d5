//! The journal: the events of a run on disk. An event is written before anything relies on it.
//!
//! Each run has a folder with a file: `RUNS/<run>/journal.jsonl`. The file is locked while the run is in
//! progress, so that two processes never work on the same run.

mod changed_plan;
mod earlier;
mod failed;
mod import;
mod later_changes;
mod order;
mod read;
mod same_plan;

use std::fs::{File, TryLockError};
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use paceline_plan::Plan;
use paceline_text::{ExitCode, Explained};

pub use self::changed_plan::{Changed, moved_stacks};
use self::changed_plan::{changes, setting_changes};
pub use self::earlier::RepeatedCommand;
use self::earlier::done_before;
pub use self::failed::FailedInBuild;
pub use self::import::{FetchedRun, import, join_parts};
use self::later_changes::LaterChanges;
use self::order::Order;
use self::read::{Contents, read};
pub use self::read::{EventFile, parse_events, read_events};
pub use self::same_plan::last_start;
use self::same_plan::{is_about, is_of, late};
use crate::event::{Event, Fact, Outcome, StepKind};
use crate::options::Earlier;
use crate::private;

const FILE: &str = "journal.jsonl";

/// The reason why a journal could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot use the journal {path}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process is running this run.
    #[error("another process is deploying this app, or deleting it: it holds {path}")]
    Busy {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The file is not a journal.
    #[error("{path}:{line}: not an event")]
    Corrupt {
        /// The file.
        path: Utf8PathBuf,
        /// The line, from 1.
        line: usize,
        /// The error of the parser.
        source: serde_json::Error,
    },
}

impl Explained for JournalError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Busy { .. } => "wait until it has ended, or stop it first",
            Self::Io { .. } => "the run keeps its journal below this folder: make it writable",
            Self::Corrupt { .. } => {
                "give a journal or a file written by --events; a damaged journal of a run can be moved away"
            }
        };
        Some(hint.to_owned())
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Busy { .. } | Self::Io { .. } => ExitCode::Refused,
            Self::Corrupt { .. } => ExitCode::Usage,
        }
    }

    fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

/// A lock on a plan, held while the plan is being deployed or deleted. It is released when dropped or when
/// the process ends.
#[derive(Debug)]
pub struct PlanLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl PlanLock {
    /// Takes the lock. Returns [`JournalError::Busy`] if another process works on the same plan with the same
    /// folder.
    pub fn take(runs: &Utf8Path, plan: &str) -> Result<Self, JournalError> {
        let path = runs.join(format!("{plan}.lock"));
        let io = |source| JournalError::Io { path: path.clone(), source };
        private::create_dir(runs.as_std_path()).map_err(io)?;
        let file = private::options().create(true).write(true).truncate(false).open(&path).map_err(io)?;
        let (file, _) = file.into_parts();
        lock(&file, &path)?;
        Ok(Self(file))
    }
}

/// A run's events on disk.
#[derive(Debug)]
pub struct Journal {
    /// The file.
    pub path: Utf8PathBuf,
    /// The number of this start of the run. It is greater than the numbers of all earlier starts in this
    /// folder.
    pub order: u64,
    file: File,
}

/// A run that was interrupted, read from its journal.
#[derive(Debug)]
pub struct Unfinished {
    /// The run's name.
    pub run: String,
    /// The work that the run had done.
    pub earlier: Earlier,
    /// The commands that the run had run and that must run again.
    pub again: Vec<RepeatedCommand>,
    /// What has changed since the last start of the run. For the same plan, only settings.
    pub changes: Vec<Changed>,
    events: Vec<Event>,
    journal: Journal,
}

impl Unfinished {
    /// The prepared run whose change sets the run has executed since its last start.
    pub fn executes(&self) -> Option<&str> {
        last_start(&self.events).and_then(|started| started.executes.as_deref())
    }

    /// Returns the journal, open for more events, and its events so far.
    pub fn into_parts(self) -> (Journal, Vec<Event>) {
        (self.journal, self.events)
    }
}

impl Journal {
    /// Starts the journal of a new run.
    pub fn create(runs: &Utf8Path, run: &str) -> Result<Self, JournalError> {
        let path = runs.join(run).join(FILE);
        let io = |source| JournalError::Io { path: path.clone(), source };
        private::create_dir(runs.as_std_path()).map_err(io)?;
        private::create_dir(runs.join(run).as_std_path()).map_err(io)?;
        let file = match private::options().create_new(true).append(true).read(true).open(&path) {
            // Another process started a run in the same second.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(JournalError::Busy { path });
            }
            opened => opened.map_err(io)?.into_parts().0,
        };
        lock(&file, &path)?;
        let order = Order::start(runs, run).map_err(io)?;
        sync_folders(&path);
        Ok(Self { path, order, file })
    }

    /// Adds an event. An event that later steps rely on is synced to the disk, so that it survives a crash of
    /// the machine.
    pub fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        // One write, so that a killed process leaves whole lines, or a part of a line only at the end.
        self.file.write_all(&line)?;
        if is_relied_on(&event.fact) { self.file.sync_data() } else { Ok(()) }
    }

    /// Deletes the journal of a run that has not started.
    pub fn discard_if_empty(self) {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            // The empty file does no harm if it cannot be removed.
            let _ = fs_err::remove_file(&self.path);
            let _ = self.path.parent().map(fs_err::remove_dir);
        }
    }

    /// The newest run of this plan, if it was interrupted.
    ///
    /// If apps have been synthesized again since that run, the plan has no synthesis steps for them any more.
    /// It still counts as the same plan.
    pub fn find_unfinished(runs: &Utf8Path, plan: &Plan) -> Result<Option<Unfinished>, JournalError> {
        let order = Order::read(runs).map_err(|source| JournalError::Io { path: runs.to_owned(), source })?;
        for run in order.latest_first() {
            let path = runs.join(run).join(FILE);
            let io = |source| JournalError::Io { path: path.clone(), source };
            let first_look = match File::open(&path) {
                // The folder is no run's folder, or its run never started.
                Err(error) if is_absent(&error) => continue,
                opened => opened.map_err(io)?,
            };
            if !is_about(first_look, order.may_be_resumed(run), plan).map_err(io)? {
                continue;
            }
            let opened = Opened::of(runs, run)?;
            // Another process may have continued the run with another plan since the first look.
            if !opened.is_of(plan) {
                continue;
            }
            return opened.unfinished(runs, run, &order, plan);
        }
        Ok(None)
    }

    /// This run, if it has failed, to be continued with the same plan. What it had done stays done.
    pub fn continue_failed(
        runs: &Utf8Path,
        run: &str,
        plan: &Plan,
    ) -> Result<Option<Unfinished>, JournalError> {
        let order = Order::read(runs).map_err(|source| JournalError::Io { path: runs.to_owned(), source })?;
        let opened = Opened::of(runs, run)?;
        // Another process may have continued the run meanwhile.
        let has_failed = opened.is_of(plan) && read::has_failed(&opened.contents.events);
        if has_failed { opened.up_to_its_end(runs, run, &order, plan) } else { Ok(None) }
    }

    /// This run, if it was interrupted, to be continued with a plan that may differ from its own.
    ///
    /// The steps of the plan that the run had done, and whose content is the same, count as done. All others are
    /// performed, in the order of the plan. Steps of the run that the plan does not have are left alone.
    pub fn continue_changed(
        runs: &Utf8Path,
        run: &str,
        plan: &Plan,
    ) -> Result<Option<Unfinished>, JournalError> {
        let order = Order::read(runs).map_err(|source| JournalError::Io { path: runs.to_owned(), source })?;
        Opened::of(runs, run)?.unfinished(runs, run, &order, plan)
    }
}

/// A journal that this process has locked, with what was read from it.
struct Opened {
    path: Utf8PathBuf,
    file: File,
    contents: Contents,
}

impl Opened {
    fn of(runs: &Utf8Path, run: &str) -> Result<Self, JournalError> {
        let path = runs.join(run).join(FILE);
        let io = |source| JournalError::Io { path: path.clone(), source };
        let file = File::options().append(true).read(true).open(&path).map_err(io)?;
        // Without the lock, another process may be writing a line. So the file is read only after locking.
        lock(&file, &path)?;
        let contents = read(&path, &file)?;
        Ok(Self { path, file, contents })
    }

    fn is_of(&self, plan: &Plan) -> bool {
        last_start(&self.contents.events).is_some_and(|started| is_of(started, plan))
    }

    fn unfinished(
        self,
        runs: &Utf8Path,
        run: &str,
        order: &Order,
        plan: &Plan,
    ) -> Result<Option<Unfinished>, JournalError> {
        let has_ended = self.contents.events.last().is_some_and(|event| event.fact.ends_run());
        if has_ended { Ok(None) } else { self.up_to_its_end(runs, run, order, plan) }
    }

    /// The run up to its last event.
    fn up_to_its_end(
        self,
        runs: &Utf8Path,
        run: &str,
        order: &Order,
        plan: &Plan,
    ) -> Result<Option<Unfinished>, JournalError> {
        let is_same = self.is_of(plan);
        let Self { path, file, contents: Contents { events, seq, length } } = self;
        let Some(started) = last_start(&events) else { return Ok(None) };
        let io = |source| JournalError::Io { path: path.clone(), source };
        // A killed process may leave part of a line. It is cut off, so that new events start on a line of
        // their own.
        file.set_len(length).map_err(io)?;
        let since = |number| LaterChanges::after(number, runs, order, run);
        let late = late(&events);
        let (earlier, again) = done_before(&events, seq, plan, &late, is_same, since);
        let changes = if is_same {
            let settings = setting_changes(started, plan).into_iter();
            settings.map(|change| Changed { change, may_run: false }).collect()
        } else {
            changes(&events, started, plan, &late)
        };
        let order = Order::start(runs, run).map_err(io)?;
        let journal = Journal { path, order, file };
        Ok(Some(Unfinished { run: run.to_owned(), earlier, again, changes, events, journal }))
    }
}

/// The runs of a folder that have a journal, the last started first. Empty if the folder does not exist.
pub fn runs_in(runs: &Utf8Path) -> Result<Vec<String>, JournalError> {
    let order = Order::read(runs).map_err(|source| JournalError::Io { path: runs.to_owned(), source })?;
    let names = order.latest_first().into_iter().filter(|name| runs.join(name).join(FILE).is_file());
    Ok(names.map(ToOwned::to_owned).collect())
}

/// The journal of a run in a folder of runs.
pub fn journal_path(runs: &Utf8Path, run: &str) -> Utf8PathBuf {
    runs.join(run).join(FILE)
}

/// Returns whether later steps or a resumed run rely on this event.
///
/// Assets, gates and unchanged stacks do not count: there may be thousands of them, and the run waits during each
/// sync. A resumed run finds out without the journal that they are done. A bake is the only gate that counts.
pub fn is_relied_on(fact: &Fact) -> bool {
    match fact {
        Fact::StackSubmitted(_) | Fact::RunFinished(_) => true,
        Fact::StepFinished(finished) => {
            let is_found = matches!(finished.step.kind, StepKind::Publish | StepKind::Gate);
            (!is_found || finished.step.is_bake()) && finished.outcome != Outcome::Unchanged
        }
        _ => false,
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn lock(file: &File, path: &Utf8Path) -> Result<(), JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(JournalError::Io { path: path.to_owned(), source }),
    }
}

/// Syncs the folders above a new file. Otherwise the file may be lost when the machine crashes. Some file
/// systems cannot sync folders, so errors are ignored.
fn sync_folders(path: &Utf8Path) {
    for folder in path.ancestors().skip(1).take(3).filter(|folder| !folder.as_str().is_empty()) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

//! The journal: a run's events on disk, written before anything relies on them.
//!
//! One folder per run, `RUNS/<run>/journal.jsonl`. The file is locked while its run is going on, so
//! that two processes never work on the same run.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};

use crate::event::{Event, Fact, Outcome};
use crate::exit;
use crate::run::Earlier;

const FILE: &str = "journal.jsonl";

/// Why a journal could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system said no.
    #[error("cannot keep the journal {path}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process is running this run.
    #[error("another process is deploying this app: it holds {path}")]
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
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A run's events on disk.
#[derive(Debug)]
pub struct Journal {
    /// The file.
    pub path: Utf8PathBuf,
    file: File,
}

/// A run that was interrupted, as its journal tells.
#[derive(Debug)]
pub struct Unfinished {
    /// The run's name.
    pub run: String,
    /// What it had done.
    pub earlier: Earlier,
    events: Vec<Event>,
    journal: Journal,
}

impl Unfinished {
    /// The journal, to be written on, and its events so far.
    pub fn into_parts(self) -> (Journal, Vec<Event>) {
        (self.journal, self.events)
    }
}

impl Journal {
    /// Starts the journal of a new run.
    pub fn create(runs: &Utf8Path, run: &str) -> Result<Self, JournalError> {
        let path = runs.join(run).join(FILE);
        let io = |source| JournalError::Io { path: path.clone(), source };
        fs_err::create_dir_all(runs.join(run)).map_err(io)?;
        let file = File::options().create_new(true).append(true).read(true).open(&path).map_err(io)?;
        lock(&file, &path)?;
        Ok(Self { path, file })
    }

    /// Adds an event, and sees to it that what effects rely on survives a crash of the machine.
    pub fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        // One write, so that a kill leaves whole lines or, at the very end, a part of one.
        self.file.write_all(&line)?;
        match event.fact {
            Fact::StackSubmitted(_) | Fact::StepFinished(_) | Fact::RunFinished(_) => self.file.sync_data(),
            _ => Ok(()),
        }
    }

    /// Forgets a run that has not started.
    pub fn discard_if_empty(self) {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            // What is left of it would do no harm.
            let _ = fs_err::remove_file(&self.path);
            let _ = self.path.parent().map(fs_err::remove_dir);
        }
    }

    /// The newest run of this plan, if it was interrupted.
    pub fn find_unfinished(runs: &Utf8Path, plan: &str) -> Result<Option<Unfinished>, JournalError> {
        for run in newest_first(runs)? {
            let path = runs.join(&run).join(FILE);
            let Ok(mut file) = File::options().append(true).read(true).open(&path) else { continue };
            let events = read(&path, &mut file)?;
            let is_this_plan = events.iter().any(|event| match &event.fact {
                Fact::RunStarted(started) => started.plan == plan,
                _ => false,
            });
            if !is_this_plan {
                continue;
            }
            lock(&file, &path)?;
            let done = events.last().is_some_and(|event| match &event.fact {
                Fact::RunFinished(finished) => finished.exit_code != exit::INTERRUPTED,
                _ => false,
            });
            if done {
                return Ok(None);
            }
            let earlier = earlier(&events);
            return Ok(Some(Unfinished { run, earlier, events, journal: Self { path, file } }));
        }
        Ok(None)
    }
}

/// Reads a journal, or any file of events. A last line that a kill cut off is left out.
pub fn read_events(path: &Utf8Path) -> Result<Vec<Event>, JournalError> {
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    parse(path, &mut file).map(|(events, _)| events)
}

/// Reads a journal and cuts off what a kill left of a last line, so that it can be written on.
fn read(path: &Utf8Path, file: &mut File) -> Result<Vec<Event>, JournalError> {
    let (events, complete) = parse(path, file)?;
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    file.set_len(complete).map_err(io)?;
    file.seek(SeekFrom::End(0)).map_err(io)?;
    Ok(events)
}

fn parse(path: &Utf8Path, file: &mut File) -> Result<(Vec<Event>, u64), JournalError> {
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    let mut reader = BufReader::new(file);
    let (mut events, mut complete, mut line) = (Vec::new(), 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(io)?;
        if length == 0 || line.last() != Some(&b'\n') {
            return Ok((events, complete));
        }
        if !line.trim_ascii().is_empty() {
            let corrupt =
                |source| JournalError::Corrupt { path: path.to_owned(), line: events.len() + 1, source };
            events.push(serde_json::from_slice(&line).map_err(corrupt)?);
        }
        complete += length as u64;
    }
}

fn earlier(events: &[Event]) -> Earlier {
    let deployed = events.iter().filter_map(|event| match &event.fact {
        // What was submitted is ours, even if the end was not seen.
        Fact::StackSubmitted(submitted) => Some(submitted.step.step.clone()),
        Fact::StepFinished(finished) if finished.outcome == Outcome::Deployed => {
            Some(finished.step.step.clone())
        }
        _ => None,
    });
    Earlier { seq: events.last().map_or(0, |event| event.seq), deployed: deployed.collect() }
}

fn newest_first(runs: &Utf8Path) -> Result<Vec<String>, JournalError> {
    let entries = match runs.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(JournalError::Io { path: runs.to_owned(), source }),
    };
    let mut names: Vec<String> =
        entries.filter_map(Result::ok).map(|entry| entry.file_name().to_owned()).collect();
    // Runs are named by the time they started.
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

fn lock(file: &File, path: &Utf8Path) -> Result<(), JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(JournalError::Io { path: path.to_owned(), source }),
    }
}

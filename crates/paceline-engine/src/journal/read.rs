//! Reads journals, including those of other versions and those of processes that were killed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use paceline_text::ExitCode;
use serde::Deserialize;
use serde::de::Error as _;

use super::JournalError;
use crate::event::{Event, Fact, SCHEMA};

/// Reads a journal, or any file of events. Leaves out an incomplete last line, and events of kinds that only
/// a newer version knows.
pub fn read_events(path: &Utf8Path) -> Result<Vec<Event>, JournalError> {
    let file = File::open(path).map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
    Ok(read(path, file)?.events)
}

/// Reads the events of a journal that is in memory. `name` is for error messages.
pub fn parse_events(name: &Utf8Path, journal: &[u8]) -> Result<Vec<Event>, JournalError> {
    Ok(read(name, journal)?.events)
}

/// A file of events that another process may still write.
#[derive(Debug)]
pub struct EventFile {
    path: Utf8PathBuf,
    /// How many bytes of it have been read.
    read: u64,
}

impl EventFile {
    /// The journal of a run, or any other file of events.
    pub fn new(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), read: 0 }
    }

    /// The events that have been written since the last call. An incomplete last line is left for the next call.
    pub fn next_events(&mut self) -> Result<Vec<Event>, JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(self.read)).map_err(io)?;
        let contents = read(&self.path, file)?;
        self.read += contents.length;
        Ok(contents.events)
    }
}

/// The contents of a journal.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) events: Vec<Event>,
    /// The sequence number of the last event, whether its kind is known or not.
    pub(super) seq: u64,
    /// The length of its whole lines, in bytes.
    pub(super) length: u64,
}

/// Whether the run of these events has ended, and not well.
pub(super) fn has_failed(events: &[Event]) -> bool {
    let last = events.last().map(|event| &event.fact);
    matches!(last, Some(Fact::RunFinished(it)) if matches!(it.exit_code, ExitCode::Failed | ExitCode::Refused))
}

/// Reads whole lines up to the end.
pub(super) fn read(path: &Utf8Path, file: impl Read) -> Result<Contents, JournalError> {
    let mut reader = BufReader::new(file);
    let (mut contents, mut line) = (Contents::default(), Vec::new());
    for number in 1.. {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        let length = read.map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        if !line.ends_with(b"\n") {
            break;
        }
        contents.length += length as u64;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed = parse(&line);
        let (seq, event) =
            parsed.map_err(|source| JournalError::Corrupt { path: path.to_owned(), line: number, source })?;
        contents.seq = seq;
        contents.events.extend(event);
    }
    Ok(contents)
}

/// Returns the sequence number of an event, and the event itself. The event is `None` if only a newer version
/// knows its kind. A newer version raises the schema if readers must not skip an event.
fn parse(line: &[u8]) -> Result<(u64, Option<Event>), serde_json::Error> {
    /// The fields of every event.
    #[derive(Deserialize)]
    struct Header {
        schema: u32,
        seq: u64,
        event: String,
    }
    let event = serde_json::from_slice::<Event>(line);
    let header = match &event {
        Ok(event) if event.schema <= SCHEMA => None,
        _ => serde_json::from_slice::<Header>(line).ok(),
    };
    match (event, header) {
        (_, Some(header)) if header.schema > SCHEMA => {
            let schema = header.schema;
            Err(serde_json::Error::custom(format!("a newer version wrote it, with schema {schema}")))
        }
        (Err(_), Some(header)) if !Fact::KINDS.contains(&header.event.as_str()) => Ok((header.seq, None)),
        (event, _) => event.map(|event| (event.seq, Some(event))),
    }
}

//! Brings runs of other machines into a folder of runs, so that they can be continued and rolled back here.
//!
//! Several processes may have worked on a run, one after another. Each of them has kept a part of the journal, and a part
//! may begin with events that an earlier part has, too ([`join_parts`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write as _};

use camino::Utf8Path;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::order::{LOG, Order};
use super::read::read;
use super::{FILE, JournalError, lock};
use crate::prepared::PreparedFiles;
use crate::private;
use crate::rollback::Captures;

/// The kind of the event with which each process begins its part of a run.
const STARTED: &str = "run.started";

/// A run of another machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchedRun {
    /// Its name.
    pub run: String,
    /// Its journal.
    pub journal: Vec<u8>,
    /// The files of its captures: name and contents.
    pub captures: Vec<(String, Vec<u8>)>,
    /// The files of what it has prepared: name and contents.
    pub prepared: Vec<(String, Vec<u8>)>,
}

/// The fields of an event that decide where it belongs.
#[derive(Deserialize)]
struct Header {
    seq: u64,
    event: String,
    at: Timestamp,
}

/// Joins the parts of a journal, of which each is from one process, in the order of the processes. What a process wrote
/// after another one had continued the run is left out. So is what cannot be read.
pub fn join_parts(parts: &[Vec<u8>]) -> Vec<u8> {
    let (mut joined, mut starts) = (BTreeMap::<u64, &[u8]>::new(), BTreeSet::new());
    for part in parts {
        let lines = whole_lines(part);
        let lines: Vec<(Header, &[u8])> =
            lines.filter_map(|line| Some((serde_json::from_slice(line).ok()?, line))).collect();
        let started = lines.iter().map(|(header, _)| header).filter(|header| header.event == STARTED);
        let started: BTreeSet<u64> = started.map(|header| header.seq).collect();
        // The other starts are those of the processes before.
        if let Some(own) = started.difference(&starts).last() {
            drop(joined.split_off(own));
        }
        starts.extend(started);
        joined.extend(lines.into_iter().map(|(header, line)| (header.seq, line)));
    }
    // The numbers have no gaps. What follows a gap belongs to a part whose beginning is missing.
    let whole = joined.into_iter().zip(1..).take_while(|((seq, _), expected)| seq == expected);
    whole.flat_map(|((_, line), _)| line.iter().copied()).collect()
}

/// Adds runs to a folder, except those of which the folder has as many events already. The starts of these runs get
/// numbers of this folder, by their times: they count as later than every start that the folder knows.
///
/// Returns [`JournalError::Busy`] if a process works on one of these runs.
pub fn import(runs: &Utf8Path, fetched: &[FetchedRun]) -> Result<(), JournalError> {
    let io = |source| JournalError::Io { path: runs.to_owned(), source };
    private::create_dir(runs.as_std_path()).map_err(io)?;
    let last = Order::read(runs).map_err(io)?.last.values().max().copied().unwrap_or_default();
    let mut wanted = Vec::new();
    for run in fetched.iter().filter(|run| is_plain(&run.run)) {
        if is_news(runs, run)? {
            wanted.push(run);
        }
    }
    let mut starts = Vec::new();
    for (index, run) in wanted.iter().enumerate() {
        let headers = whole_lines(&run.journal).map(|line| serde_json::from_slice::<Header>(line).ok());
        let started = headers.flatten().filter(|header| header.event == STARTED);
        starts.extend(started.map(|header| (header.at, index, header.seq)));
    }
    starts.sort_unstable();
    let order: BTreeMap<(usize, u64), u64> =
        starts.iter().zip(last + 1..).map(|(&(_, index, seq), number)| ((index, seq), number)).collect();
    for (index, run) in wanted.iter().enumerate() {
        write(runs, run, |seq| order.get(&(index, seq)).copied()).map_err(io)?;
    }
    let mut log = Vec::new();
    for ((index, _), number) in &order {
        writeln!(log, "{number} {}", wanted[*index].run).map_err(io)?;
    }
    let mut file = private::options().create(true).append(true).open(runs.join(LOG)).map_err(io)?;
    file.write_all(&log).map_err(io)
}

/// Whether a run has events that the folder does not have.
fn is_news(runs: &Utf8Path, run: &FetchedRun) -> Result<bool, JournalError> {
    let path = runs.join(&run.run).join(FILE);
    let there = read(&path, &run.journal[..])?;
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(there.seq > 0),
        opened => opened.map_err(|source| JournalError::Io { path: path.clone(), source })?,
    };
    if there.seq <= read(&path, &file)?.seq {
        return Ok(false);
    }
    lock(&file, &path)?;
    Ok(true)
}

/// Writes the files of a run, the journal last.
fn write(runs: &Utf8Path, run: &FetchedRun, order: impl Fn(u64) -> Option<u64>) -> io::Result<()> {
    private::create_dir(runs.join(&run.run).as_std_path())?;
    let captures = Captures::of(runs, &run.run);
    for (name, contents) in run.captures.iter().filter(|(name, _)| is_plain(name)) {
        captures.add_file(name, contents)?;
    }
    let prepared = PreparedFiles::of(runs, &run.run);
    for (name, contents) in run.prepared.iter().filter(|(name, _)| is_plain(name)) {
        prepared.add_file(name, contents)?;
    }
    let mut journal = Vec::new();
    for line in whole_lines(&run.journal) {
        match renumbered(line, &order) {
            Some(line) => journal.extend(line),
            None => journal.extend(line),
        }
    }
    private::replace(runs.join(&run.run).join(FILE).as_std_path(), &journal)
}

/// The start of a run with its number in this folder. `None` for other events.
fn renumbered(line: &[u8], order: impl Fn(u64) -> Option<u64>) -> Option<Vec<u8>> {
    let header: Header = serde_json::from_slice(line).ok()?;
    let number =
        Some(&header).filter(|header| header.event == STARTED).and_then(|header| order(header.seq))?;
    let mut event: Value = serde_json::from_slice(line).ok()?;
    event["order"] = number.into();
    let mut line = serde_json::to_vec(&event).ok()?;
    line.push(b'\n');
    Some(line)
}

fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"))
}

/// Whether a name is that of a file in the same folder. Names in a bucket may be anything.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_plain)
}

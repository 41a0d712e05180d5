//! The order in which runs were started and resumed, independent of the clocks.
//!
//! `RUNS/order.log` has a line for each start: its number and the name of the run. The event `run.started`
//! has the number too, but without the file each journal would have to be read to its end. If the file is
//! missing, the numbers continue from the first lines of the journals. Then it is unknown whether a run was
//! resumed after another one had started.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Write as _};

use camino::Utf8Path;
use serde::Deserialize;

use super::FILE;
use crate::private;

pub(super) const LOG: &str = "order.log";

/// The starts of the runs in a folder.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The number of the last start of each run. It is 0 if the version of Paceline did not count.
    pub(super) last: BTreeMap<String, u64>,
    /// The runs that were never resumed.
    started_once: BTreeSet<String>,
}

impl Order {
    pub(super) fn read(runs: &Utf8Path) -> io::Result<Self> {
        let logged = match fs_err::read_to_string(runs.join(LOG)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut starts: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, run) in logged.lines().filter_map(|line| line.split_once(' ')) {
            // A killed process may leave part of a line. It is ignored.
            let Ok(number) = number.parse::<u64>() else { continue };
            let of_run = last.entry(run).or_default();
            *of_run = number.max(*of_run);
            *starts.entry(run).or_default() += 1;
        }
        let entries = match runs.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_owned());
        let runs = names.map(|name| {
            let number = last.get(name.as_str()).copied();
            let number = number.unwrap_or_else(|| first_start(&runs.join(&name).join(FILE)));
            (name, number)
        });
        let once = starts.iter().filter(|&(_, &starts)| starts == 1);
        let started_once = once.map(|(run, _)| (*run).to_owned()).collect();
        Ok(Self { last: runs.collect(), started_once })
    }

    /// Returns whether a run may have been resumed, perhaps with another plan.
    pub(super) fn may_be_resumed(&self, run: &str) -> bool {
        !self.started_once.contains(run)
    }

    /// The names of all runs. The run that started last comes first. Runs without a number are ordered by
    /// their names, which begin with the time.
    pub(super) fn latest_first(&self) -> Vec<&str> {
        let mut names: Vec<(u64, &str)> =
            self.last.iter().map(|(name, &number)| (number, name.as_str())).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// The runs that were started or resumed after the start with this number.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = &str> {
        self.last.iter().filter(move |&(_, &last)| last > number).map(|(name, _)| name.as_str())
    }

    /// Gives the run the next number. Two runs that start at the same moment may get the same number. Then
    /// neither counts as later.
    pub(super) fn start(runs: &Utf8Path, run: &str) -> io::Result<u64> {
        let number = Self::read(runs)?.last.values().max().copied().unwrap_or_default() + 1;
        let mut log = private::options().create(true).append(true).open(runs.join(LOG))?;
        // One write, so that the lines of other processes stay whole.
        log.write_all(format!("{number} {run}\n").as_bytes())?;
        log.sync_data()?;
        Ok(number)
    }
}

/// The number in the first line of a journal.
fn first_start(journal: &Utf8Path) -> u64 {
    #[derive(Deserialize)]
    struct Started {
        order: u64,
    }
    let mut line = Vec::new();
    let read = fs_err::File::open(journal).and_then(|file| BufReader::new(file).read_until(b'\n', &mut line));
    read.ok().and_then(|_| serde_json::from_slice::<Started>(&line).ok()).map_or(0, |started| started.order)
}

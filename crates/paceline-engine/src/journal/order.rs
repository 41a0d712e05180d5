//! In which order runs were started and gone on with, whatever the clocks said.
//!
//! `RUNS/order.log` has a line for each start: its number and the run's name. The number is in the run's own
//! `run.started` too; the file saves reading all journals to the end. Should it be gone, the first lines of the
//! journals tell nearly as much: numbers go on, and only that a run was resumed after another had started is
//! forgotten.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};

use camino::Utf8Path;
use serde::Deserialize;

use super::FILE;
use crate::private;

const LOG: &str = "order.log";

/// The runs of a folder, each with the number of its last start; 0 for those of versions that did not count.
#[derive(Debug, Default)]
pub(super) struct Order(BTreeMap<String, u64>);

impl Order {
    pub(super) fn read(runs: &Utf8Path) -> io::Result<Self> {
        let logged = match fs_err::read_to_string(runs.join(LOG)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (number, run) in logged.lines().filter_map(|line| line.split_once(' ')) {
            // A line that a kill cut off is none.
            let Ok(number) = number.parse::<u64>() else { continue };
            let of_run = last.entry(run).or_default();
            *of_run = number.max(*of_run);
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
        Ok(Self(runs.collect()))
    }

    /// The names of all runs, what was started last first; those that were not counted by their names, which begin
    /// with the time.
    pub(super) fn latest_first(&self) -> Vec<&str> {
        let mut names: Vec<(u64, &str)> =
            self.0.iter().map(|(name, &number)| (number, name.as_str())).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// The runs that were started or gone on with after this number was given.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |&(_, &last)| last > number).map(|(name, _)| name.as_str())
    }

    /// Gives the run the next number. Two that start in the same moment may get the same one: then neither is later.
    pub(super) fn start(runs: &Utf8Path, run: &str) -> io::Result<u64> {
        let Self(all) = Self::read(runs)?;
        let number = all.values().max().copied().unwrap_or_default() + 1;
        let mut log = private::options().create(true).append(true).open(runs.join(LOG))?;
        // One write, so that others' lines stay whole.
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

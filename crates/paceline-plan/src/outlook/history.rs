//! How long the steps of earlier runs took: `.paceline/history.jsonl`.
//!
//! One JSON object a line, each about one step of one run. Nothing in it is secret and no line names an account,
//! so a team may commit the file. The order of lines does not matter and a line that is there twice counts once,
//! so the union of two branches' files is a valid file. A line that cannot be read is skipped.

mod usual;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use paceline_assembly::Environment;
use paceline_text::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::usual::{ResourceOf, ResourceTime, Usual, UsualBasis, resources_to_keep};
use crate::model::{Day, PlannedStack, StepOperation};

/// Where the history is kept, in the folder that `paceline` is called in.
pub const FILE: &str = ".paceline/history.jsonl";

/// The version of a line. Lines of another version are skipped.
pub const SCHEMA: u32 = 1;

/// The version of a line of a run that was not on AWS itself. Older programs, which would take it for a run on AWS, skip
/// it.
pub const ELSEWHERE: u32 = 2;

/// How many of the latest samples of each thing and operation count. Older ones are dropped.
const SAMPLES: usize = 10;

/// Nobody waited for a step that took longer.
const LONGEST_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryKind {
    /// A stack, by its id.
    Stack,
    /// A file asset, by its title.
    File,
    /// An image asset, by its title.
    Image,
    /// A gate, by the id of the stack it follows.
    Gate,
    /// A command of the team's, by its name.
    Command,
    /// A synthesis in the middle of a run, by the name of the app.
    Synth,
    /// A whole run that succeeded, by the folder of its assembly.
    Run,
}

/// A line: one step of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// The run.
    pub run: String,
    /// The step's id, without the account. The same run and step are the same line.
    pub step: String,
    /// When it ended, in RFC 3339 with milliseconds, UTC.
    pub at: String,
    /// What it is about.
    pub kind: HistoryKind,
    /// What that is called.
    pub name: String,
    /// Distinguishes its account from others without naming it: see [`account_key`]. Older lines have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The region, where it is known before a run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<String>,
    /// What was done.
    pub operation: StepOperation,
    /// The start of the digest of what was deployed: the template, or the asset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<String>,
    /// The endpoint, if it was not AWS itself but, say, a simulator. Times there say nothing about AWS.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<String>,
    /// From the step's start to its end.
    pub seconds: f64,
    /// How long the slow resources of a stack took: see [`resources_to_keep`]. Older lines have none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resources: Vec<ResourceTime>,
}

impl Entry {
    /// Whether another entry is about the same thing, in the same place, with the same operation.
    pub fn is_like(&self, other: &Self) -> bool {
        SampleKey::of(self) == SampleKey::of(other) && self.operation == other.operation
    }

    /// The line, without its end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn read(line: &str) -> Option<Self> {
        let entry: Self = serde_json::from_str(line).ok()?;
        let is_whole = entry.schema == if entry.endpoint.is_some() { ELSEWHERE } else { SCHEMA }
            && (0.0..LONGEST_SECONDS).contains(&entry.seconds)
            && is_timestamp(&entry.at)
            && entry.resources.iter().all(ResourceTime::is_sane)
            && !entry.step.is_empty();
        is_whole.then_some(entry)
    }
}

/// Whether a text is `2026-01-01T00:00:00.000Z`: then its order is that of time.
fn is_timestamp(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd.dddZ";
    let fits = |(shape, c): (char, char)| if shape == 'd' { c.is_ascii_digit() } else { shape == c };
    text.len() == shape.len() && shape.chars().zip(text.chars()).all(fits)
}

/// What an entry is about: the samples of one thing are compared with each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SampleKey {
    kind: HistoryKind,
    name: String,
    account: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
}

impl SampleKey {
    fn of(entry: &Entry) -> Self {
        Self {
            kind: entry.kind,
            name: entry.name.clone(),
            account: entry.account.clone(),
            region: entry.region.clone(),
            endpoint: entry.endpoint.clone(),
        }
    }
}

/// Where something is done, as far as that is known before a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Site<'a> {
    /// The account.
    pub account: Option<&'a str>,
    /// The region.
    pub region: Option<&'a str>,
}

impl<'a> From<&'a Environment> for Site<'a> {
    fn from(environment: &'a Environment) -> Self {
        Self { account: environment.account.as_deref(), region: environment.region.as_deref() }
    }
}

impl<'a> From<&'a PlannedStack> for Site<'a> {
    fn from(stack: &'a PlannedStack) -> Self {
        Self { account: stack.account.as_deref(), region: stack.region.as_deref() }
    }
}

/// Distinguishes an account from others in a committed file without naming it.
pub fn account_key(account: &str) -> String {
    hex(&Sha256::digest(format!("paceline account {account}"))[..4])
}

/// The history of an app.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// By run and step.
    entries: BTreeMap<(String, String), Entry>,
    /// By what they are about, the run and step of the entries, the oldest first. Made by [`sort`](Self::sort).
    samples: BTreeMap<SampleKey, Vec<(String, String)>>,
    /// The lines that could not be read, with their numbers from 1.
    skipped: Vec<(usize, String)>,
    /// Where the runs were that count, if not on AWS itself.
    endpoint: Option<String>,
}

/// What will be done next, as far as history tells, and how long that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// What will be done.
    pub operation: StepOperation,
    /// The median of the last times it was done, and of how many.
    pub median: Option<(Duration, usize)>,
    /// Since when it is as it will be, if there will be nothing to do.
    pub since: Option<Day>,
}

impl History {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Self {
        let mut history = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim();
            match Entry::read(line) {
                _ if line.is_empty() => {}
                Some(entry) => history.insert(entry),
                None => history.skipped.push((index + 1, line.to_owned())),
            }
        }
        history.sort();
        history
    }

    /// The same file, of which only the runs count in which AWS was reached here; without an endpoint, those on AWS.
    #[must_use]
    pub fn at(self, endpoint: Option<String>) -> Self {
        Self { endpoint, ..self }
    }

    /// The numbers of the lines that could not be read, from 1.
    pub(crate) fn unread_lines(&self) -> impl ExactSizeIterator<Item = usize> {
        self.skipped.iter().map(|(number, _)| *number)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the step of that run is there.
    pub fn has(&self, entry: &Entry) -> bool {
        self.entries.contains_key(&(entry.run.clone(), entry.step.clone()))
    }

    /// Adds entries; those that are there already count once.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        entries.into_iter().for_each(|entry| self.insert(entry));
        self.sort();
    }

    /// Of two entries for the same step of a run, one is kept, whichever comes first.
    fn insert(&mut self, entry: Entry) {
        // An older version keeps a line without its resources.
        let rank = |entry: &Entry| (entry.at.clone(), entry.seconds, entry.resources.len());
        let key = (entry.run.clone(), entry.step.clone());
        match self.entries.get(&key) {
            Some(there) if rank(there) >= rank(&entry) => {}
            _ => drop(self.entries.insert(key, entry)),
        }
    }

    fn sort(&mut self) {
        self.samples.clear();
        for (id, entry) in &self.entries {
            self.samples.entry(SampleKey::of(entry)).or_default().push(id.clone());
        }
        for samples in self.samples.values_mut() {
            samples.sort_by(|a, b| (&self.entries[a].at, a).cmp(&(&self.entries[b].at, b)));
        }
    }

    /// The entries about something, the oldest first. Where there are none of its account, those of lines that do not
    /// tell accounts apart.
    fn of(&self, kind: HistoryKind, name: &str, site: Site<'_>) -> Vec<&Entry> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let mut key = SampleKey {
            kind,
            name: name.to_owned(),
            account: site.account.map(account_key),
            region: site.region.map(ToOwned::to_owned),
            endpoint: self.endpoint.clone(),
        };
        let own = self.samples.get(&key);
        key.account = None;
        let samples = own.or_else(|| self.samples.get(&key));
        samples.into_iter().flatten().map(|id| &self.entries[id]).collect()
    }

    /// The entries of each run.
    pub fn runs(&self) -> BTreeMap<&str, Vec<&Entry>> {
        let mut runs: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries.values() {
            runs.entry(&entry.run).or_default().push(entry);
        }
        runs
    }

    /// How long the same operation on the same thing took in the latest runs before this entry, in seconds.
    pub fn before(&self, entry: &Entry) -> Vec<f64> {
        let samples = self.samples.get(&SampleKey::of(entry)).into_iter().flatten();
        let earlier = samples.rev().map(|id| &self.entries[id]).filter(|other| {
            other.at < entry.at && other.run != entry.run && other.operation == entry.operation
        });
        earlier.take(SAMPLES).map(|other| other.seconds).collect()
    }

    /// What will be done to a stack that has this template. A stack that was deployed before is an update, or
    /// unchanged if its template is what was deployed last. One that was created more than once with nothing in
    /// between is created each time, as in an environment that lives for a day.
    pub fn stack(&self, id: &str, site: Site<'_>, template: &str) -> Next {
        let entries = self.of(HistoryKind::Stack, id, site);
        let operation = match entries.as_slice() {
            [] => StepOperation::Create,
            [.., last] if last.operation == StepOperation::Delete => StepOperation::Create,
            [.., before, last]
                if (before.operation, last.operation) == (StepOperation::Create, StepOperation::Create) =>
            {
                StepOperation::Create
            }
            [.., last] => match &last.content {
                Some(content) if content == template => StepOperation::Unchanged,
                None if last.operation == StepOperation::Unchanged => StepOperation::Unchanged,
                _ => StepOperation::Update,
            },
        };
        // The first of the last entries that tell of one template.
        let last = entries.last().map(|last| &last.content);
        let same = entries.iter().rev().take_while(|entry| last == Some(&entry.content));
        let since = same.last().filter(|_| operation == StepOperation::Unchanged);
        let since = since.and_then(|entry| Day::of(&entry.at));
        Next { operation, median: median(&entries, operation), since }
    }

    /// What will be done to an asset. One whose content was brought to this place before is there.
    pub fn asset(&self, kind: HistoryKind, title: &str, site: Site<'_>, content: &str) -> Next {
        let entries = self.of(kind, title, site);
        let is_there = entries.iter().any(|entry| entry.content.as_deref() == Some(content));
        let operation = if is_there { StepOperation::Unchanged } else { StepOperation::Done };
        Next { operation, median: median(&entries, operation), since: None }
    }

    /// What a gate or a command will do: what it did the last time.
    pub fn other(&self, kind: HistoryKind, name: &str, site: Site<'_>) -> Next {
        let entries = self.of(kind, name, site);
        let operation = entries.last().map_or(StepOperation::Done, |last| last.operation);
        Next { operation, median: median(&entries, operation), since: None }
    }

    /// The median of the last times that something was done, and of how many.
    pub fn median_of(
        &self,
        kind: HistoryKind,
        name: &str,
        site: Site<'_>,
        operation: StepOperation,
    ) -> Option<(Duration, usize)> {
        median(&self.of(kind, name, site), operation)
    }

    /// The text of a file with the latest of each thing and operation alone. Lines that could not be read stay: a
    /// later version may know them.
    pub fn bounded(&self) -> String {
        let mut kept: Vec<&Entry> = Vec::new();
        for samples in self.samples.values() {
            let mut counts: BTreeMap<StepOperation, usize> = BTreeMap::new();
            for entry in samples.iter().rev().map(|id| &self.entries[id]) {
                let count = counts.entry(entry.operation).or_default();
                *count += 1;
                if *count <= SAMPLES {
                    kept.push(entry);
                }
            }
        }
        kept.sort_by(|a, b| (&a.at, &a.run, &a.step).cmp(&(&b.at, &b.run, &b.step)));
        let mut text = String::new();
        for entry in kept {
            let _ = writeln!(text, "{}", entry.line());
        }
        for (_, line) in &self.skipped {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

fn median(entries: &[&Entry], operation: StepOperation) -> Option<(Duration, usize)> {
    let latest = entries.iter().rev().filter(|entry| entry.operation == operation).take(SAMPLES);
    let mut seconds: Vec<f64> = latest.map(|entry| entry.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let (upper, lower) = (seconds.get(seconds.len() / 2)?, seconds.get(seconds.len().saturating_sub(1) / 2)?);
    Some((Duration::try_from_secs_f64(f64::midpoint(*upper, *lower)).ok()?, seconds.len()))
}

/// The start of a digest, which is enough to tell contents apart.
pub fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

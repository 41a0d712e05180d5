//! Writes the measured durations of a run to the history, for the forecasts of later runs.

mod performed;
mod resources;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use fs_err::OpenOptions;
use paceline_engine::event::{AssetKind, Event, Fact, Outcome, StepFinished, StepKind, StepRef};
use paceline_engine::private;
use paceline_plan::StepOperation;
use paceline_plan::history::{ELSEWHERE, Entry, History, HistoryKind, SCHEMA, account_key};
use paceline_text::ExitCode;

use self::performed::Performed;

/// The file is rewritten without outdated lines when it has more than twice the lines that count, plus this many.
const SLACK: usize = 200;

/// Collects the history lines of a run from its events.
///
/// Only successful steps count. A step that a resumed run found done counts only if the events of its stack tell how long
/// it took. A simulated run has no lines.
#[derive(Debug, Clone, Default)]
pub struct HistoryEntries {
    simulated: bool,
    app: String,
    /// How many parts the run has, and whether it deletes stacks.
    parts: u32,
    deletes: bool,
    endpoint: Option<String>,
    content: BTreeMap<String, String>,
    steps: BTreeMap<String, Performed>,
    entries: Vec<Entry>,
}

impl HistoryEntries {
    /// Takes the next event of the run.
    pub fn apply(&mut self, event: &Event) {
        match &event.fact {
            Fact::RunStarted(started) => {
                self.simulated |= started.simulated;
                self.endpoint.clone_from(&started.endpoint);
                self.app.clone_from(&started.app);
                self.parts += 1;
                self.deletes = started.steps.iter().any(|step| step.step.kind == StepKind::Delete);
                let content = |step: &paceline_engine::event::PlannedStep| {
                    Some((step.step.step.clone(), step.content.clone()?))
                };
                self.content.extend(started.steps.iter().filter_map(content));
            }
            Fact::StepFinished(finished) => self.finished(event, finished),
            // The time of a resumed run is not that of one process.
            Fact::RunFinished(finished) if finished.exit_code == ExitCode::Done && self.parts == 1 => {
                self.run_finished(event, finished.duration_s);
            }
            fact => {
                if let Some(step) = fact.step() {
                    self.steps.entry(step.step.clone()).or_default().hears(event);
                }
            }
        }
    }

    /// The lines so far. Empty for a simulated run.
    pub fn entries(&self) -> &[Entry] {
        if self.simulated { &[] } else { &self.entries }
    }

    fn run_finished(&mut self, event: &Event, seconds: f64) {
        self.entries.push(Entry {
            schema: if self.endpoint.is_some() { ELSEWHERE } else { SCHEMA },
            run: event.run.clone(),
            step: "run".to_owned(),
            at: format!("{:.3}", event.at),
            kind: HistoryKind::Run,
            name: without_folder_above(&self.app),
            account: None,
            region: None,
            operation: if self.deletes { StepOperation::Delete } else { StepOperation::Done },
            content: None,
            endpoint: self.endpoint.clone(),
            seconds,
            resources: Vec::new(),
        });
    }

    fn finished(&mut self, event: &Event, finished: &StepFinished) {
        let step = &finished.step;
        let kind = match (&step.kind, &step.asset) {
            (StepKind::Deploy | StepKind::Delete, _) => HistoryKind::Stack,
            // The configuration says how long it takes.
            (StepKind::Gate, _) if step.is_bake() => return,
            (StepKind::Gate, _) => HistoryKind::Gate,
            (StepKind::Command, _) => HistoryKind::Command,
            (StepKind::Synth, _) => HistoryKind::Synth,
            (StepKind::Publish, Some(AssetKind::Image)) => HistoryKind::Image,
            (StepKind::Publish, Some(AssetKind::File)) => HistoryKind::File,
            // A repository takes a moment. Others are from a newer version, or from one that did not write the kind of asset.
            (StepKind::Prewarm | StepKind::Publish | StepKind::Other(_), _) => return,
        };
        let performed = self.steps.entry(step.step.clone()).or_default();
        // Each step has one line.
        if finished.resumed && performed.recorded {
            return;
        }
        let operation = match (finished.outcome, kind) {
            // The stack was not there, so nothing was measured.
            (Outcome::Unchanged, _) if step.kind == StepKind::Delete => return,
            (Outcome::Unchanged, _) => StepOperation::Unchanged,
            (Outcome::Deleted, _) => StepOperation::Delete,
            (Outcome::Deployed, HistoryKind::Stack) => match performed.operation {
                Some(operation) => operation,
                None => return,
            },
            (Outcome::Deployed, _) => StepOperation::Done,
            _ => return,
        };
        let Some(seconds) = performed.seconds(event, finished, kind) else { return };
        performed.recorded = true;
        let resources = performed.resources.to_keep();
        let endpoint = self.endpoint.clone();
        self.entries.push(Entry {
            schema: if endpoint.is_some() { ELSEWHERE } else { SCHEMA },
            run: event.run.clone(),
            step: without_account(step),
            at: format!("{:.3}", event.at),
            kind,
            name: step.stack.clone().unwrap_or_else(|| step.title.clone()),
            account: step.account.as_deref().filter(|account| !account.is_empty()).map(account_key),
            region: step.region.clone(),
            operation,
            content: self.content.get(&step.step).cloned(),
            endpoint,
            seconds,
            resources,
        });
    }
}

/// The folder of an app as it was given. An absolute path is that of one machine, so only its last part is kept.
fn without_folder_above(app: &str) -> String {
    if Path::new(app).is_absolute() {
        app.rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        app.to_owned()
    }
}

/// The id of a step without its account number: a team may commit the file.
fn without_account(step: &StepRef) -> String {
    match &step.account {
        Some(account) if !account.is_empty() => step.step.replace(account.as_str(), &account_key(account)),
        _ => step.step.clone(),
    }
}

/// Reads a history. A missing file is an empty history.
pub fn read_history(path: &Path) -> io::Result<History> {
    text(path).map(|text| History::parse(&text))
}

/// Adds entries to a history, except those that it has already.
pub fn add_history(path: &Path, entries: &[Entry]) -> io::Result<()> {
    let text = text(path)?;
    let mut history = History::parse(&text);
    let new: Vec<Entry> = entries.iter().filter(|entry| !history.has(entry)).cloned().collect();
    if new.is_empty() {
        return Ok(());
    }
    let lines: String = new.iter().map(|entry| entry.line() + "\n").collect();
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    history.extend(new);
    let bounded = history.bounded();
    if history.len() > bounded.lines().count() * 2 + SLACK {
        // A team may commit the file: keep its permissions.
        let permissions = fs_err::metadata(path)?.permissions();
        private::replace(path, bounded.as_bytes())?;
        return fs_err::set_permissions(path, permissions);
    }
    // One appending write, so that the lines of two runs that end together stay whole.
    let open_line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{open_line}{lines}").as_bytes())
}

fn text(path: &Path) -> io::Result<String> {
    match fs_err::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

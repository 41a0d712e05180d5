//! `--outputs FILE`: the outputs of the stacks, as `cdk deploy --outputs-file` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use paceline_engine::event::{Event, Fact, StepKind, StepRef};
use paceline_engine::private;

use crate::Report;

/// Keeps a file of `{stackName: {key: value}}` up to date while the run goes.
///
/// Stacks of one name in several environments get the keys `name@account/region`. Which names those are is
/// known from the plan, so a key never changes during a run.
#[derive(Debug)]
pub struct Outputs {
    path: PathBuf,
    shared_names: BTreeSet<String>,
    stacks: BTreeMap<String, BTreeMap<String, String>>,
}

impl Outputs {
    /// Writes to `path` what is known of the stacks from an earlier part of the run, so that the file is there
    /// whatever happens next. To what is no file, such as a pipe, nothing is written before there is something to be
    /// told.
    pub fn new(path: impl Into<PathBuf>, earlier: &[Event]) -> io::Result<Self> {
        let mut outputs = Self { path: path.into(), shared_names: BTreeSet::new(), stacks: BTreeMap::new() };
        for event in earlier {
            outputs.apply(event);
        }
        if outputs.path.metadata().map_or(true, |metadata| metadata.is_file()) {
            outputs.write()?;
        }
        Ok(outputs)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self) -> io::Result<()> {
        let mut json = serde_json::to_string_pretty(&self.stacks)?;
        json.push('\n');
        private::replace(&self.path, json.as_bytes())
    }

    /// Takes an event, and says whether there is something new to be written.
    fn apply(&mut self, event: &Event) -> bool {
        match &event.fact {
            Fact::RunStarted(run) => {
                let mut seen = BTreeSet::new();
                for planned in run.steps.iter().filter(|planned| planned.step.kind == StepKind::Deploy) {
                    if let Some(name) = &planned.step.stack_name
                        && !seen.insert(name)
                    {
                        self.shared_names.insert(name.clone());
                    }
                }
                false
            }
            Fact::StepFinished(finished)
                if finished.step.kind == StepKind::Deploy && finished.outcome.is_success() =>
            {
                let key = self.key(&finished.step);
                // What an earlier part of the run had done may be repeated without its outputs.
                if !(finished.resumed && finished.outputs.is_empty() && self.stacks.contains_key(&key)) {
                    self.stacks.insert(key, finished.outputs.clone());
                }
                true
            }
            _ => false,
        }
    }

    fn key(&self, step: &StepRef) -> String {
        let name = step.stack_name.as_ref().or(step.stack.as_ref()).unwrap_or(&step.title);
        if self.shared_names.contains(name) {
            let account = step.account.as_deref().unwrap_or("unknown-account");
            let region = step.region.as_deref().unwrap_or("unknown-region");
            format!("{name}@{account}/{region}")
        } else {
            name.clone()
        }
    }
}

impl Report for Outputs {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if self.apply(event) { self.write() } else { Ok(()) }
    }
}

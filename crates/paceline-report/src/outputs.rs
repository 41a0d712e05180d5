//! `--outputs FILE`: the outputs of the stacks, as `cdk deploy --outputs-file` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use paceline_engine::event::{Event, Fact, StepKind, StepRef};
use paceline_engine::private;

use crate::Report;

/// Updates a file of `{stackName: {key: value}}` during the run.
///
/// Stacks with the same name in several environments have the keys `name@account/region`. The plan tells which names
/// those are, so a key never changes during a run.
#[derive(Debug)]
pub struct Outputs {
    path: PathBuf,
    shared_names: BTreeSet<String>,
    stacks: BTreeMap<String, BTreeMap<String, String>>,
}

impl Outputs {
    /// Writes the outputs of the earlier part of the run to `path`, so that the file exists from the start. A pipe is not
    /// written to before there are new outputs.
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

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self) -> io::Result<()> {
        let mut json = serde_json::to_string_pretty(&self.stacks)?;
        json.push('\n');
        private::replace(&self.path, json.as_bytes())
    }

    /// Applies an event. Returns whether the file must be written.
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
                // A resumed step may end without outputs: keep those from before.
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

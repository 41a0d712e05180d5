//! Captures: what a stack was before a run changed it, in files next to the journal of the run.
//!
//! Each stack has two files in `RUNS/<run>/captures/`: `<stack>.template` and `<stack>.json`. The first is the
//! template as CloudFormation returned it or, for a stack that the run created, the new one. The second is everything
//! else. It is written last: without it, there is no capture. Only their owner may read them. Values of secret
//! parameters are in neither: CloudFormation does not return them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_assembly::{Bootstrap, Precious, Role, RollbackTriggers};
use paceline_text::{ExitCode, Explained};
use serde::{Deserialize, Serialize};

use crate::private;
use crate::stack_files::{file_name, write};

/// The folder of the captures, in the folder of their run.
const FOLDER: &str = "captures";

/// What a stack was before a run changed it, and what a rollback needs to know to change it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// The version of the format.
    pub schema: u32,
    /// The id of the stack in the app.
    pub stack: String,
    /// The name of the CloudFormation stack.
    pub name: String,
    /// The account that it is in.
    pub account: String,
    /// The region that it is in.
    pub region: String,
    /// The role that the run deployed it with, with placeholders.
    pub deploy_role: Option<Role>,
    /// The role that the run told CloudFormation to assume.
    pub execution_role: Option<String>,
    /// The bootstrap that the app requires.
    pub bootstrap: Option<Bootstrap>,
    /// Where templates can be put that are too long for a call.
    pub staging: Option<Staging>,
    /// The resources that the run adds to the stack, and that must not be deleted without being named.
    pub adds: Vec<Precious>,
    /// The stack before the run. `None` if it did not exist, or if only an empty rest of it did.
    pub before: Option<Before>,
}

/// A stack before a run, without its template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The id of the stack in CloudFormation. A stack that is created again has another one.
    pub id: String,
    /// Its creation time and the time of its last update, as one text.
    pub stamp: String,
    /// The values of its parameters, without secret ones.
    pub parameters: BTreeMap<String, String>,
    /// The secret parameters that the run gave a value, so that the value from before is lost if it was another.
    pub lost_secrets: BTreeSet<String>,
    pub tags: BTreeMap<String, String>,
    pub notification_arns: Vec<String>,
    pub termination_protection: bool,
    /// The role that CloudFormation assumed for its last operation.
    pub execution_role: Option<String>,
    /// The alarms that the stack had, if the run gives it others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_triggers: Option<RollbackTriggers>,
    /// The resources with data that the run removes from the stack.
    pub removes: Vec<Precious>,
}

/// A bucket for templates that are too long for a call, with placeholders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staging {
    pub bucket: String,
    /// The region. `None` means the stack's region.
    pub region: Option<String>,
    /// The role that writes to it.
    pub role: Option<Role>,
}

/// A capture that was read, with the file of its template.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    pub capture: Capture,
    /// The file with the template of the stack before the run or, if the run created the stack, after it.
    pub template: Utf8PathBuf,
}

/// The reason why captures could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The operating system refused.
    #[error("cannot read the captures in {path}")]
    Io { path: Utf8PathBuf, source: io::Error },
    /// The file is no capture, or one of a newer version.
    #[error("{path}: not a capture that this version of Paceline can read")]
    Corrupt { path: Utf8PathBuf, source: Option<serde_json::Error> },
    /// The template of a capture is missing or damaged.
    #[error("{path}: not a template: {why}")]
    Template { path: Utf8PathBuf, why: String },
}

impl Explained for CaptureError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { .. } => "captures are next to the journal of the run: make them readable for you",
            Self::Corrupt { .. } | Self::Template { .. } => {
                "without it the run cannot be rolled back; deploy the earlier version of the app instead"
            }
        };
        Some(hint.to_owned())
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// The captures of one run.
#[derive(Debug, Clone)]
pub struct Captures {
    folder: Utf8PathBuf,
}

impl Capture {
    /// The version of the format that this program writes. A reader refuses a newer one.
    pub const SCHEMA: u32 = 1;
}

impl Captures {
    /// The captures of a run in a folder of runs.
    pub fn of(runs: &Utf8Path, run: &str) -> Self {
        Self { folder: runs.join(run).join(FOLDER) }
    }

    /// Returns whether there is a capture of this stack.
    pub fn has(&self, stack: &str) -> bool {
        self.file(stack, "json").is_file()
    }

    /// Writes a capture and its template, in place of an earlier one. When this returns, both are on the disk.
    pub fn keep(&self, capture: &Capture, template: &str) -> io::Result<()> {
        private::create_dir(self.folder.as_std_path())?;
        write(&self.file(&capture.stack, "template"), template.as_bytes())?;
        write(&self.file(&capture.stack, "json"), &serde_json::to_vec_pretty(capture)?)
    }

    /// The files of a capture, in the order in which they are written.
    pub fn files(&self, stack: &str) -> [Utf8PathBuf; 2] {
        ["template", "json"].map(|extension| self.file(stack, extension))
    }

    /// Adds a file that another machine wrote.
    pub(crate) fn add_file(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        private::create_dir(self.folder.as_std_path())?;
        write(&self.folder.join(name), contents)
    }

    /// Reads the capture of this stack, if there is one.
    pub fn read_one(&self, stack: &str) -> Result<Option<Captured>, CaptureError> {
        if self.has(stack) { captured(&self.file(stack, "json")).map(Some) } else { Ok(None) }
    }

    /// Reads all captures, ordered by stack.
    pub fn read(&self) -> Result<Vec<Captured>, CaptureError> {
        let io = |source| CaptureError::Io { path: self.folder.clone(), source };
        let entries = match self.folder.read_dir_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let path = entry.map_err(io)?.into_path();
            if path.extension() == Some("json") {
                all.push(captured(&path)?);
            }
        }
        all.sort_by(|a, b| a.capture.stack.cmp(&b.capture.stack));
        Ok(all)
    }

    fn file(&self, stack: &str, extension: &str) -> Utf8PathBuf {
        self.folder.join(file_name(stack, extension))
    }
}

/// Reads a capture.
fn captured(path: &Utf8Path) -> Result<Captured, CaptureError> {
    let text =
        fs_err::read_to_string(path).map_err(|source| CaptureError::Io { path: path.to_owned(), source })?;
    let corrupt = |source| CaptureError::Corrupt { path: path.to_owned(), source };
    let capture: Capture = serde_json::from_str(&text).map_err(|error| corrupt(Some(error)))?;
    if capture.schema > Capture::SCHEMA {
        return Err(corrupt(None));
    }
    let template = path.with_extension("template");
    Ok(Captured { capture, template })
}

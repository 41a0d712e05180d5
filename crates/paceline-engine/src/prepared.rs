//! What a run has prepared: the change sets that it made, in files next to its journal.
//!
//! Each stack has one file in `RUNS/<run>/prepared/`. A stack that was unchanged has none. The files hold no values of
//! parameters.

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use paceline_text::{ExitCode, Explained};
use serde::{Deserialize, Serialize};

use crate::private;
use crate::stack_files::{file_name, write};

/// The folder of the prepared stacks, in the folder of their run.
const FOLDER: &str = "prepared";

/// A stack as a run has prepared it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedStack {
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
    pub preparation: Preparation,
}

/// What was prepared of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Preparation {
    /// Its change set is ready.
    Ready(PreparedChangeSet),
    /// Its change set can only be made during the run.
    Later {
        /// Why, as the end of a sentence: `it reads the parameter /a, which does not exist yet`.
        because: String,
    },
}

/// A change set that is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedChangeSet {
    /// The name, which contains the digest of the request and of the state of the stack.
    pub name: String,
    /// The ARN.
    pub id: String,
    /// The digest of the request without what the stack reads from elsewhere: of template, parameters, tags, role.
    pub request: String,
    /// Whether it creates the stack.
    pub creates: bool,
    /// The changes, those of nested stacks too.
    pub changes: Vec<PreparedChange>,
}

/// A resource that a change set changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedChange {
    /// The logical ids of the nested stacks that lead to it, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub nested: Vec<String>,
    pub logical_id: String,
    pub resource_type: String,
    pub effect: ChangeEffect,
}

/// What a change set does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeEffect {
    Added,
    /// It becomes part of the stack as it is.
    Imported,
    /// It is changed in place.
    Changed,
    /// It is replaced, or changed in place: not even CloudFormation knows before it has values.
    MayBeReplaced,
    Replaced,
    Deleted,
    /// It is no part of the stack any more, and stays in the account.
    Released,
}

/// What CloudFormation found when it validated a change set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the check, such as `PROPERTY_VALIDATION`.
    pub check: String,
    /// Whether CloudFormation refuses the change set because of it. Otherwise it is a warning.
    pub refuses: bool,
    /// What is wrong, in CloudFormation's words.
    pub reason: String,
    /// The place in the template, such as `/Resources/Table/Properties/KeySchema`.
    pub path: String,
}

impl Finding {
    /// `/Resources/Table/Properties/KeySchema: … (PROPERTY_VALIDATION)`.
    pub fn sentence(&self) -> String {
        let place = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        format!("{place}{} ({})", self.reason, self.check)
    }
}

impl ChangeEffect {
    /// Every effect, in the order in which summaries name them.
    pub const ALL: [Self; 7] = [
        Self::Added,
        Self::Imported,
        Self::Changed,
        Self::MayBeReplaced,
        Self::Replaced,
        Self::Deleted,
        Self::Released,
    ];

    /// The words for people, after a number.
    pub fn words(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Imported => "imported",
            Self::Changed => "changed",
            Self::MayBeReplaced => "may be replaced",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
            Self::Released => "released",
        }
    }
}

impl PreparedChange {
    /// `Nested/Table`.
    pub fn place(&self) -> String {
        let parts = self.nested.iter().chain([&self.logical_id]);
        parts.map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

impl PreparedChangeSet {
    /// How many resources there are of each effect, in words: `2 added, 1 replaced`.
    pub fn counts(&self) -> String {
        let parts = ChangeEffect::ALL.into_iter().filter_map(|effect| {
            let number = self.changes.iter().filter(|change| change.effect == effect).count();
            (number > 0).then(|| format!("{number} {}", effect.words()))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "no resource changes".to_owned() } else { parts.join(", ") }
    }
}

impl PreparedStack {
    /// The version of the format that this program writes. A reader refuses a newer one.
    pub const SCHEMA: u32 = 1;
}

/// The reason why prepared stacks could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PreparedError {
    /// The operating system refused.
    #[error("cannot read what was prepared in {path}")]
    Io { path: Utf8PathBuf, source: io::Error },
    /// The file is none of these, or one of a newer version.
    #[error("{path}: not a prepared stack that this version of Paceline can read")]
    Corrupt { path: Utf8PathBuf, source: Option<serde_json::Error> },
}

impl Explained for PreparedError {
    fn hint(&self) -> Option<String> {
        Some("prepare the deployment again: `paceline deploy --method prepare`".to_owned())
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// The stacks that one run has prepared, by id, with the name of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreparedRun {
    pub run: String,
    pub stacks: BTreeMap<String, PreparedStack>,
}

/// The files of the stacks that one run has prepared.
#[derive(Debug, Clone)]
pub struct PreparedFiles {
    folder: Utf8PathBuf,
}

impl PreparedFiles {
    /// The files of a run in a folder of runs.
    pub fn of(runs: &Utf8Path, run: &str) -> Self {
        Self { folder: runs.join(run).join(FOLDER) }
    }

    /// Writes a prepared stack in place of an earlier one. When this returns, it is on the disk.
    pub fn keep(&self, stack: &PreparedStack) -> io::Result<Utf8PathBuf> {
        private::create_dir(self.folder.as_std_path())?;
        let file = self.folder.join(file_name(&stack.stack, "json"));
        write(&file, &serde_json::to_vec_pretty(stack)?)?;
        Ok(file)
    }

    /// Adds a file that another machine wrote.
    pub(crate) fn add_file(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        private::create_dir(self.folder.as_std_path())?;
        write(&self.folder.join(name), contents)
    }

    /// Reads all prepared stacks, by id. There are none if the folder does not exist.
    pub fn read(&self) -> Result<BTreeMap<String, PreparedStack>, PreparedError> {
        let io = |source| PreparedError::Io { path: self.folder.clone(), source };
        let entries = match self.folder.read_dir_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries.map_err(io)?,
        };
        let mut stacks = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(io)?.into_path();
            if path.extension() != Some("json") {
                continue;
            }
            let text = fs_err::read_to_string(&path).map_err(io)?;
            let corrupt = |source| PreparedError::Corrupt { path: path.clone(), source };
            let stack: PreparedStack = serde_json::from_str(&text).map_err(|error| corrupt(Some(error)))?;
            if stack.schema > PreparedStack::SCHEMA {
                return Err(corrupt(None));
            }
            stacks.insert(stack.stack.clone(), stack);
        }
        Ok(stacks)
    }
}

//! The grammar of buildspec 0.2 as types.
//!
//! [`Buildspec::read`] accepts several forms of a value: `yes` or `true`, a number or a string for a version,
//! one path or a list of them. [`Buildspec::to_yaml`] writes the one documented form. A buildspec that is
//! read and written again means the same. Maps are sorted: CodeBuild ignores their order, and sorted output
//! is stable.

mod batch;
mod descriptions;
mod document;
mod on_failure;
mod read;
mod schema;
mod write;

use std::collections::BTreeMap;
use std::fmt;

pub use batch::{Batch, Builds, Fanout, Matrix, Task, TaskEnvironment};
pub use document::MAX_BYTES;
pub(crate) use document::{CommandItem, CommandShell, Document, decode, entry, list_items, scalar, value};
pub use on_failure::{OnFailure, OnFailureError};
pub use read::{Examined, Problem, ProblemKind, Read, ReadError};
pub use schema::{key_paths, schema};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Buildspec {
    pub version: Version,
    /// The Linux user of every phase that does not name its own.
    pub run_as: Option<String>,
    pub env: Environment,
    pub proxy: Proxy,
    pub batch: Option<Batch>,
    pub phases: Phases,
    /// The reports by the name or the ARN of the report group.
    pub reports: BTreeMap<String, Report>,
    pub artifacts: Option<Artifacts>,
    pub cache: Option<Cache>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// Every command runs in a new shell.
    V0_1,
    #[default]
    V0_2,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    pub shell: Option<Shell>,
    /// The values by variable. They are literal: `$PATH` in a value is not expanded.
    pub variables: BTreeMap<String, String>,
    /// The names of parameters by variable.
    pub parameter_store: BTreeMap<String, String>,
    /// The references to secrets by variable: `secret-id[:json-key[:version-stage[:version-id]]]`.
    pub secrets_manager: BTreeMap<String, String>,
    pub exported_variables: Vec<String>,
    pub git_credential_helper: bool,
}

/// The shell of the commands. If none is named, CodeBuild uses `sh`, which is dash on the Ubuntu images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Sh,
    PowerShell,
    Cmd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proxy {
    pub upload_artifacts: bool,
    pub logs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phases {
    pub install: Option<Phase>,
    pub pre_build: Option<Phase>,
    pub build: Option<Phase>,
    pub post_build: Option<Phase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhaseName {
    Install,
    PreBuild,
    Build,
    PostBuild,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phase {
    pub run_as: Option<String>,
    pub on_failure: Option<OnFailure>,
    /// The runtimes, which only the install phase can have.
    pub runtime_versions: BTreeMap<String, String>,
    pub commands: Vec<String>,
    /// The commands that run after `commands`, even after a failure.
    pub finally: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub files: Vec<String>,
    pub base_directory: Option<String>,
    pub discard_paths: bool,
    pub file_format: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportFormat {
    CucumberJson,
    #[default]
    JunitXml,
    NunitXml,
    Nunit3Xml,
    TestNgXml,
    VisualStudioTrx,
    CloverXml,
    CoberturaXml,
    JacocoXml,
    SimpleCov,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Artifacts {
    pub set: ArtifactSet,
    /// The artifacts by identifier. The project must declare each identifier too.
    pub secondary: BTreeMap<String, ArtifactSet>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArtifactSet {
    pub files: Vec<String>,
    pub name: Option<String>,
    pub discard_paths: bool,
    pub base_directory: Option<String>,
    pub exclude_paths: Vec<String>,
    pub enable_symlinks: bool,
    pub s3_prefix: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    pub paths: Vec<String>,
    pub key: Option<String>,
    pub fallback_keys: Vec<String>,
    pub action: Option<CacheAction>,
}

/// The use of the cache. If none is named, CodeBuild does both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheAction {
    Restore,
    Save,
}

impl PhaseName {
    pub const ALL: [Self; 4] = [Self::Install, Self::PreBuild, Self::Build, Self::PostBuild];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::PreBuild => "pre_build",
            Self::Build => "build",
            Self::PostBuild => "post_build",
        }
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Phases {
    pub fn get(&self, name: PhaseName) -> Option<&Phase> {
        match name {
            PhaseName::Install => self.install.as_ref(),
            PhaseName::PreBuild => self.pre_build.as_ref(),
            PhaseName::Build => self.build.as_ref(),
            PhaseName::PostBuild => self.post_build.as_ref(),
        }
    }

    /// The phases in the file, in the order in which they run.
    pub fn iter(&self) -> impl Iterator<Item = (PhaseName, &Phase)> {
        PhaseName::ALL.into_iter().filter_map(|name| Some((name, self.get(name)?)))
    }
}

impl Version {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
        }
    }
}

impl Shell {
    const ALL: [Self; 4] = [Self::Bash, Self::Sh, Self::PowerShell, Self::Cmd];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Sh => "/bin/sh",
            Self::PowerShell => "powershell.exe",
            Self::Cmd => "cmd.exe",
        }
    }
}

impl ReportFormat {
    const ALL: [Self; 10] = [
        Self::CucumberJson,
        Self::JunitXml,
        Self::NunitXml,
        Self::Nunit3Xml,
        Self::TestNgXml,
        Self::VisualStudioTrx,
        Self::CloverXml,
        Self::CoberturaXml,
        Self::JacocoXml,
        Self::SimpleCov,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CucumberJson => "CUCUMBERJSON",
            Self::JunitXml => "JUNITXML",
            Self::NunitXml => "NUNITXML",
            Self::Nunit3Xml => "NUNIT3XML",
            Self::TestNgXml => "TESTNGXML",
            Self::VisualStudioTrx => "VISUALSTUDIOTRX",
            Self::CloverXml => "CLOVERXML",
            Self::CoberturaXml => "COBERTURAXML",
            Self::JacocoXml => "JACOCOXML",
            Self::SimpleCov => "SIMPLECOV",
        }
    }
}

impl CacheAction {
    const ALL: [Self; 2] = [Self::Restore, Self::Save];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Save => "save",
        }
    }
}

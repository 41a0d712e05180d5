//! Generates the files that a team commits: buildspecs, and the CodeBuild project in several forms.
//!
//! The model of every file is built here. The templates present the same data to people, with comments. Each
//! rendered file is parsed back, and has to mean the same as its model.

mod batch;
mod buildspecs;
mod cache;
mod check;
mod construct;
mod document;
mod fan_out;
mod gaps;
mod limits;
mod output;
mod pipeline;
mod project;
mod project_files;
mod scripts;
mod template;
mod templates;
mod variables;

use paceline_config::{CodeBuild, FanOut, MetricsTarget, Notifications, Pipeline};
use paceline_text::Explained;
use serde::Serialize;

use crate::project::role::{self, Statement};
use crate::project::{Project, ProjectError, Rights};

pub use crate::shell::shell_word;
pub use cache::LOCK_FILES;
pub use check::InputError;
pub use fan_out::FanOutError;
pub use gaps::{Gap, gaps};
pub use limits::check_stack_limit;
pub use output::{
    FileChanges, Mode, OutputError, StaleFile, create_file, has_generated, replace_file, write_files,
};
pub use pipeline::PipelineError;
pub use scripts::ASLEEP;
pub use variables::WAKE;

/// Everything that the generated files depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The name of the project, which also names the files and the report group.
    pub name: String,
    /// The folder of the generated files, relative to the root of the repository.
    pub out_dir: String,
    pub apps: Apps,
    /// The path of `paceline.yaml`, relative to the root of the repository.
    pub config: Option<String>,
    pub regions: Vec<String>,
    pub accounts: Vec<String>,
    pub stacks: usize,
    /// The names of the stacks in CloudFormation.
    pub stack_names: Vec<String>,
    /// The stacks, each after its dependencies. Only a batch and a state machine need this field.
    pub graph: Vec<StackNode>,
    /// The number of Docker images among the assets.
    pub images: usize,
    pub multi_region: Option<MultiRegion>,
    /// Whether the stacks of one region are deployed and watched before those of the other regions.
    pub rollout: bool,
    pub codebuild: CodeBuild,
    pub metrics: MetricsTarget,
    pub notifications: Notifications,
    /// The rights that the run needs from the role of the build.
    pub rights: Rights,
    pub runner: RunnerSource,
    /// The command that makes the cloud assembly in the build. For several apps, it is a command of the
    /// runner.
    pub synth: Option<String>,
    /// The lock file of the app, relative to the root of the repository.
    pub lock_file: Option<String>,
    /// The folders of the assemblies, relative to the root of the repository.
    pub assemblies: Vec<String>,
    /// The settings of the pipeline, if one is generated.
    pub pipeline: Option<Pipeline>,
    /// The settings of the state machine, if one is generated.
    pub fan_out: Option<FanOut>,
}

/// The apps that are deployed. Paths are relative to the root of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apps {
    /// The path of the cloud assembly of one app.
    One(String),
    /// The folders of the apps in the configuration. The runner finds their assemblies.
    Several(Vec<String>),
}

/// A stack of the graph of a batch or a state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackNode {
    pub id: String,
    pub account: String,
    pub region: String,
    /// The number of Docker images among the stack's assets.
    pub images: usize,
    /// The positions of the stack's dependencies, which are earlier in the graph.
    pub depends_on: Vec<usize>,
}

impl Apps {
    /// The apps as part of a sentence.
    fn name(&self) -> String {
        match self {
            Self::One(dir) => dir.clone(),
            Self::Several(folders) => format!("the apps {}", folders.join(", ")),
        }
    }

    /// The folders in which the CDK runs.
    fn folders(&self) -> Vec<&str> {
        match self {
            Self::One(dir) => vec![dir.rsplit_once('/').map_or("", |(folder, _)| folder)],
            Self::Several(folders) => folders.iter().map(String::as_str).collect(),
        }
    }
}

/// The variable that switches off the stacks of all Regions but one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRegion {
    pub variable: String,
    pub primary: String,
}

/// The source of the runner. What S3 or an address has is the program itself, or a `.tar.gz` with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunnerSource {
    /// The npm package `paceline`, which is installed with the other packages of the repository.
    Npm {
        /// The folder of its `package.json`.
        dir: String,
        /// The script that installs the packages.
        install: String,
        /// The lock file of npm; none if there is none.
        lock: Option<String>,
        /// Whether the lock file lists `paceline`.
        is_pinned: bool,
    },
    S3 {
        uri: String,
        sha256: String,
    },
    Https {
        url: String,
        sha256: String,
    },
    /// The build image contains the runner, in this version.
    Installed {
        version: String,
    },
    /// No source is set.
    Unset,
}

impl RunnerSource {
    /// Whether a build fetches the runner.
    fn is_fetched(&self) -> bool {
        matches!(self, Self::Npm { .. } | Self::S3 { .. } | Self::Https { .. })
    }
}

/// One file, with its path relative to [`Generation::out_dir`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    pub path: String,
    pub contents: String,
}

#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    FanOut(#[from] FanOutError),
    #[error("cannot render the template `{template}`")]
    Render { template: &'static str, source: tera::Error },
    #[error("the generated `{path}` does not say what it was meant to say: {detail}")]
    Mismatch { path: String, detail: String },
}

impl Explained for GenerateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(error) => error.hint(),
            Self::Project(error) => error.hint(),
            Self::Pipeline(error) => error.hint(),
            Self::FanOut(error) => error.hint(),
            Self::Render { .. } | Self::Mismatch { .. } => {
                Some("this is a bug in paceline, please report it".to_owned())
            }
        }
    }
}

impl GenerateError {
    /// The setting of `paceline.yaml` that causes the error.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::Input(error) => error.setting(),
            Self::Project(error) => error.setting(),
            Self::Pipeline(error) => error.setting(),
            Self::FanOut(error) => error.setting(),
            Self::Render { .. } | Self::Mismatch { .. } => None,
        }
    }
}

/// The ends of the names of generated files, which follow the name of the project.
pub const SUFFIXES: [&str; 12] = [
    ".yml",
    ".destroy.yml",
    ".pull-request.yml",
    batch::SUFFIX,
    ".project.json",
    ".project.yaml",
    ".project.ts",
    pipeline::SUFFIXES[0],
    pipeline::SUFFIXES[1],
    pipeline::SUFFIXES[2],
    fan_out::SUFFIXES[0],
    fan_out::SUFFIXES[1],
];

/// The end of the name of the template of a pipeline.
pub const PIPELINE_TEMPLATE: &str = pipeline::TEMPLATE;

/// The end of the name of the template of a state machine.
pub const FAN_OUT_TEMPLATE: &str = fan_out::TEMPLATE;

/// The project that runs the buildspecs. It has a role only if one is configured.
pub fn project(generation: &Generation) -> Result<Project, GenerateError> {
    check::input(generation)?;
    let project = project::project(generation);
    check::docker(generation, &project)?;
    project.check()?;
    limits::check(generation, &project)?;
    Ok(project)
}

/// The rights that the builds need. The generated role has them, and a role that the configuration names must have them.
pub fn needed_rights(generation: &Generation) -> Vec<Statement> {
    role::needed(&project::project(generation), &project::access(generation))
}

/// Generates the buildspecs, and the project in each of its forms. The same input gives the same bytes.
pub fn generate(generation: &Generation) -> Result<Vec<GeneratedFile>, GenerateError> {
    let project = project(generation)?;
    let mut files = vec![
        buildspecs::deploy(generation)?.write(generation)?,
        buildspecs::destroy(generation)?.write(generation)?,
        buildspecs::pull_request(generation)?.write(generation)?,
    ];
    if let Some(by) = generation.codebuild.batch {
        files.push(batch::document(generation, by, &project)?.write(generation)?);
    }
    files.push(project_files::json(generation, &project)?);
    files.push(project_files::template(generation, &project)?);
    files.push(construct::construct(generation, &project)?);
    if let Some(settings) = &generation.pipeline {
        files.extend(pipeline::files(generation, settings)?);
    }
    if let Some(settings) = &generation.fan_out {
        files.extend(fan_out::files(generation, settings, &project)?);
    }
    Ok(files)
}

const TOOL: &str = concat!("paceline ", env!("CARGO_PKG_VERSION"));

fn render(template: &'static str, context: &impl Serialize) -> Result<String, GenerateError> {
    templates::render(template, context).map_err(|source| GenerateError::Render { template, source })
}

/// Compares a file that was read back with its model. The error is the difference.
fn same<T: PartialEq + std::fmt::Debug>(read: &T, model: &T) -> Result<(), String> {
    if read == model {
        return Ok(());
    }
    let (read, model) = (format!("{read:#?}"), format!("{model:#?}"));
    let diff = similar::TextDiff::from_lines(&model, &read);
    Err(format!("\n{}", diff.unified_diff().context_radius(3).header("model", "rendered")))
}

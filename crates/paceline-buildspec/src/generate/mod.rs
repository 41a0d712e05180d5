//! From what is known about a deployment to the files that a team commits.
//!
//! The model of every file is built here; the templates lay the same data out for people, with comments.
//! Each rendered file is parsed back and must mean exactly what its model says, or nothing is handed out.

mod check;
mod deploy;
mod project;
mod templates;

use serde::Serialize;

use crate::buildspec::{Buildspec, Phase, PhaseName};
use crate::project::cloudformation::{self, Access, Statement};
use crate::project::{CodeBuildSettings, Project, ProjectError};

pub use check::InputError;
pub(crate) use templates::shell_word;

/// What is known about a deployment when its buildspec is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Names the files, the CodeBuild project and its report group.
    pub name: String,
    /// The folder of the generated files, from the root of the repository.
    pub out_dir: String,
    /// The cloud assembly, from the root of the repository.
    pub app_dir: String,
    /// `paceline.yaml`, from the root of the repository.
    pub config: Option<String>,
    pub regions: Vec<String>,
    pub accounts: Vec<String>,
    pub stacks: usize,
    /// The Docker images among the assets.
    pub images: usize,
    pub multi_region: Option<MultiRegion>,
    pub codebuild: CodeBuildSettings,
    pub runner: RunnerSource,
    /// Makes the cloud assembly in the build, when it is not committed.
    pub synth: Option<String>,
}

/// The variable that takes the stacks of the other Regions out of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRegion {
    pub variable: String,
    pub primary: String,
}

/// Where the build gets the runner from: the program itself, or a `.tar.gz` with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunnerSource {
    S3 {
        uri: String,
        sha256: String,
    },
    Https {
        url: String,
        sha256: String,
    },
    /// The build image has it.
    Installed,
}

/// One file, by its path from [`Generation::out_dir`].
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
    #[error("cannot render the template `{template}`\nhint: this is a bug in paceline, please report it")]
    Render { template: &'static str, source: tera::Error },
    #[error(
        "the generated `{path}` does not say what it was meant to say: {detail}\n\
         hint: this is a bug in paceline, please report it"
    )]
    Mismatch { path: String, detail: String },
}

/// Writes the buildspec, and the project that runs it in both of its forms. The same input gives the same bytes.
pub fn generate(generation: &Generation) -> Result<Vec<GeneratedFile>, GenerateError> {
    check::input(generation)?;
    let project = project::project(generation);
    check::docker(generation, &project)?;
    project.check()?;
    let buildspec = deploy::buildspec(generation)?;
    let files = vec![
        buildspec_file(generation, &buildspec)?,
        project_json(generation, &project)?,
        project_template(generation, &project)?,
    ];
    Ok(files)
}

#[derive(Serialize)]
struct BuildspecContext {
    tool: &'static str,
    command: String,
    subject: String,
    variables: Vec<deploy::Variable>,
    phases: Vec<PhaseContext>,
    report: ReportContext,
    report_group: String,
    artifacts: ArtifactsContext,
    cache_paths: Vec<&'static str>,
}

#[derive(Serialize)]
struct PhaseContext {
    name: &'static str,
    on_failure: Option<String>,
    runtimes: Vec<RuntimeContext>,
    commands: Vec<String>,
}

#[derive(Serialize)]
struct RuntimeContext {
    name: String,
    version: String,
}

#[derive(Serialize)]
struct ReportContext {
    name: &'static str,
    files: &'static str,
    base_directory: String,
}

#[derive(Serialize)]
struct ArtifactsContext {
    files: &'static str,
    base_directory: &'static str,
    name: String,
    kept: String,
}

#[derive(Serialize)]
struct ProjectContext<'a> {
    tool: &'static str,
    command: String,
    project: &'a Project,
    template_file: String,
    log_retention_days: u32,
    role_description: String,
    project_arn: String,
    statements: Vec<Statement>,
}

const TOOL: &str = concat!("paceline ", env!("CARGO_PKG_VERSION"));

fn buildspec_file(generation: &Generation, model: &Buildspec) -> Result<GeneratedFile, GenerateError> {
    let context = BuildspecContext {
        tool: TOOL,
        command: deploy::command(generation),
        subject: deploy::subject(generation),
        variables: deploy::variables(generation),
        phases: model.phases.iter().map(|(name, phase)| phase_context(name, phase)).collect(),
        report: ReportContext {
            name: deploy::REPORT,
            files: deploy::REPORT_FILES,
            base_directory: deploy::reports_dir(),
        },
        report_group: format!("{}-{}", generation.name, deploy::REPORT),
        artifacts: ArtifactsContext {
            files: deploy::ALL_FILES,
            base_directory: deploy::WORK_DIR,
            name: generation.name.clone(),
            kept: deploy::kept(generation),
        },
        cache_paths: deploy::cache_paths(generation),
    };
    let path = format!("{}.yml", generation.name);
    let contents = render("deploy.buildspec.yml.tera", &context)?;
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let read = Buildspec::read(&contents).map_err(|error| mismatch(error.to_string()))?;
    if let Some(problem) = read.unknown.first() {
        return Err(mismatch(problem.to_string()));
    }
    same(&read.buildspec, model).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

fn phase_context(name: PhaseName, phase: &Phase) -> PhaseContext {
    let runtimes = phase.runtime_versions.iter();
    PhaseContext {
        name: name.as_str(),
        on_failure: phase.on_failure.as_ref().map(ToString::to_string),
        runtimes: runtimes
            .map(|(name, version)| RuntimeContext { name: name.clone(), version: version.clone() })
            .collect(),
        commands: phase.commands.clone(),
    }
}

fn project_json(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = format!("{}.project.json", generation.name);
    let contents = render("project.json.tera", &project_context(generation, project))?;
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let read: Project = serde_json::from_str(&contents).map_err(|error| mismatch(error.to_string()))?;
    same(&read, project).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

fn project_template(generation: &Generation, project: &Project) -> Result<GeneratedFile, GenerateError> {
    let path = project::template_path(generation);
    let contents = render("project.cfn.yml.tera", &project_context(generation, project))?;
    let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
    let read = crate::yaml::parse(&contents).map_err(|error| mismatch(error.to_string()))?;
    let days = generation.codebuild.log_retention_days;
    let expected = cloudformation::template(project, &project::access(generation), days);
    let expected = expected.map_err(|error| mismatch(error.to_string()))?;
    same(&read.to_json(), &expected).map_err(mismatch)?;
    Ok(GeneratedFile { path, contents })
}

fn project_context<'a>(generation: &Generation, project: &'a Project) -> ProjectContext<'a> {
    let access: Access = project::access(generation);
    ProjectContext {
        tool: TOOL,
        command: deploy::command(generation),
        project,
        template_file: format!("{}/{}", generation.out_dir, project::template_path(generation)),
        log_retention_days: generation.codebuild.log_retention_days,
        role_description: cloudformation::role_description(project),
        project_arn: cloudformation::project_arn(project),
        statements: cloudformation::statements(project, &access),
    }
}

fn render(template: &'static str, context: &impl Serialize) -> Result<String, GenerateError> {
    templates::render(template, context).map_err(|source| GenerateError::Render { template, source })
}

/// Whether what was read back equals its model, and if not, where it differs.
fn same<T: PartialEq + std::fmt::Debug>(read: &T, model: &T) -> Result<(), String> {
    if read == model {
        return Ok(());
    }
    let (read, model) = (format!("{read:#?}"), format!("{model:#?}"));
    let diff = similar::TextDiff::from_lines(&model, &read);
    Err(format!("\n{}", diff.unified_diff().context_radius(3).header("model", "rendered")))
}

//! A buildspec as a file: its model, and the comments for reviewers.

use serde::Serialize;

use super::variables::Variable;
use super::{GenerateError, GeneratedFile, Generation, TOOL, render, same, scripts};
use crate::grammar::{Artifacts, Batch, Builds, Buildspec, Cache, Phase, PhaseName, Report, Shell, Task};

#[derive(Debug)]
pub(super) struct Document {
    /// The end of the file name, which follows the name of the project.
    pub(super) suffix: &'static str,
    /// The lines of the comment at the start of the file.
    pub(super) about: Vec<String>,
    pub(super) variables: Vec<Variable>,
    /// The model of the file, without the variables.
    pub(super) model: Buildspec,
    pub(super) reports_why: Vec<String>,
    pub(super) artifacts_why: Vec<String>,
    pub(super) cache_why: Vec<String>,
}

#[derive(Serialize)]
struct Context<'a> {
    tool: &'static str,
    command: String,
    about: &'a [String],
    shell: Option<&'static str>,
    variables: &'a [Variable],
    exported: &'a [String],
    batch: Option<BatchContext<'a>>,
    phases: Vec<PhaseContext<'a>>,
    reports: Vec<ReportContext<'a>>,
    reports_why: &'a [String],
    artifacts: Option<ArtifactsContext<'a>>,
    artifacts_why: &'a [String],
    cache: Option<CacheContext<'a>>,
    cache_why: &'a [String],
}

#[derive(Serialize)]
struct BatchContext<'a> {
    fast_fail: bool,
    tasks: Vec<TaskContext<'a>>,
}

#[derive(Serialize)]
struct TaskContext<'a> {
    identifier: &'a str,
    buildspec: Option<&'a str>,
    depend_on: &'a [String],
    privileged: bool,
    variables: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct PhaseContext<'a> {
    name: &'static str,
    on_failure: Option<String>,
    runtimes: Vec<Pair<'a>>,
    commands: &'a [String],
}

#[derive(Serialize)]
struct ReportContext<'a> {
    name: &'a str,
    files: &'a [String],
    base_directory: Option<&'a str>,
    format: &'static str,
}

#[derive(Serialize)]
struct ArtifactsContext<'a> {
    files: &'a [String],
    base_directory: Option<&'a str>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct CacheContext<'a> {
    key: Option<&'a str>,
    fallback_keys: &'a [String],
    paths: &'a [String],
}

impl Document {
    /// Renders the file, reads it back, and returns it if it means the same as the model.
    pub(super) fn write(&self, generation: &Generation) -> Result<GeneratedFile, GenerateError> {
        let mut model = self.model.clone();
        model.env.variables =
            self.variables.iter().map(|variable| (variable.name.clone(), variable.value.clone())).collect();
        let context = Context {
            tool: TOOL,
            command: scripts::command(generation),
            about: &self.about,
            shell: model.env.shell.map(Shell::as_str),
            variables: &self.variables,
            exported: &model.env.exported_variables,
            batch: model.batch.as_ref().map(batch),
            phases: model.phases.iter().map(|(name, it)| phase(name, it)).collect(),
            reports: model.reports.iter().map(|(name, it)| report(name, it)).collect(),
            reports_why: &self.reports_why,
            artifacts: model.artifacts.as_ref().map(artifacts),
            artifacts_why: &self.artifacts_why,
            cache: model.cache.as_ref().map(cache),
            cache_why: &self.cache_why,
        };
        let path = format!("{}{}", generation.name, self.suffix);
        let contents = render("buildspec.yml.tera", &context)?;
        let mismatch = |detail: String| GenerateError::Mismatch { path: path.clone(), detail };
        let read = Buildspec::read(&contents).map_err(|error| mismatch(error.to_string()))?;
        if let Some(problem) = read.unknown.first() {
            return Err(mismatch(problem.to_string()));
        }
        same(&read.buildspec, &model).map_err(mismatch)?;
        Ok(GeneratedFile { path, contents })
    }
}

/// The batch in the form of the template, which only knows graphs. Any other batch would differ after the
/// file is read back.
fn batch(batch: &Batch) -> BatchContext<'_> {
    let tasks = match &batch.builds {
        Builds::Graph(tasks) => tasks.as_slice(),
        _ => &[],
    };
    BatchContext { fast_fail: batch.fast_fail, tasks: tasks.iter().map(task).collect() }
}

fn task(task: &Task) -> TaskContext<'_> {
    TaskContext {
        identifier: &task.identifier,
        buildspec: task.buildspec.as_deref(),
        depend_on: &task.depend_on,
        privileged: task.env.privileged_mode,
        variables: task.env.variables.iter().map(|(name, value)| Pair { name, value }).collect(),
    }
}

fn phase(name: PhaseName, phase: &Phase) -> PhaseContext<'_> {
    let runtimes = phase.runtime_versions.iter();
    PhaseContext {
        name: name.as_str(),
        on_failure: phase.on_failure.as_ref().map(ToString::to_string),
        runtimes: runtimes.map(|(name, value)| Pair { name, value }).collect(),
        commands: &phase.commands,
    }
}

fn report<'a>(name: &'a str, report: &'a Report) -> ReportContext<'a> {
    ReportContext {
        name,
        files: &report.files,
        base_directory: report.base_directory.as_deref(),
        format: report.file_format.as_str(),
    }
}

fn artifacts(artifacts: &Artifacts) -> ArtifactsContext<'_> {
    let set = &artifacts.set;
    ArtifactsContext {
        files: &set.files,
        base_directory: set.base_directory.as_deref(),
        name: set.name.as_deref(),
    }
}

fn cache(cache: &Cache) -> CacheContext<'_> {
    CacheContext { key: cache.key.as_deref(), fallback_keys: &cache.fallback_keys, paths: &cache.paths }
}

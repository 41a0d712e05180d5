//! The model of the generated buildspec.

use std::collections::BTreeMap;

use serde::Serialize;

use super::templates::shell_word;
use super::{GenerateError, Generation, RunnerSource, render};
use crate::buildspec::{
    ArtifactSet, Artifacts, Buildspec, Cache, Environment, OnFailure, Phase, Phases, Report, Shell,
};
use crate::project::{CacheMode, SourceType};

/// What the build leaves, below the root of the source: CodeBuild takes reports and artifacts from there.
pub(super) const WORK_DIR: &str = ".paceline";
pub(super) const REPORT: &str = "deploy";
pub(super) const REPORT_FILES: &str = "**/*.xml";
pub(super) const ALL_FILES: &str = "**/*";

/// Outside the source, so that fetching the runner changes nothing that is built or published.
const RUNNER_HOME: &str = "/tmp/paceline";
/// Standard images without a pinned version fall back to one that the CDK no longer supports.
const NODE: &str = "22";
/// HOME is /root in every build, whatever the user.
const NPM_CACHE: &str = "/root/.npm/**/*";

pub(super) const OWN_VARIABLES: [&str; 4] = ["CI", "NO_COLOR", "PACELINE_BUILD_MINUTES", "PACELINE_HOME"];

/// A variable of the buildspec and the comment above it.
#[derive(Serialize)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) why: Vec<String>,
}

#[derive(Serialize, Clone, Copy)]
struct StepContext<'a> {
    step: &'a str,
    /// Whether the runner is fetched, and so has to be put on the PATH.
    fetched: bool,
    runner: Option<Runner<'a>>,
    app_dir: &'a str,
    arguments: &'a str,
    synth: &'a str,
    synth_hint: &'a str,
    margin_minutes: u32,
    work_dir: &'a str,
    reports_dir: &'a str,
    plan_file: &'a str,
    events_file: &'a str,
    outputs_file: &'a str,
}

#[derive(Serialize, Clone, Copy)]
struct Runner<'a> {
    from: &'static str,
    location: &'a str,
    sha256: &'a str,
    archive: bool,
}

/// The command that writes these files again.
pub(super) fn command(generation: &Generation) -> String {
    format!("paceline gen {} --out {}", arguments(generation), shell_word(&generation.out_dir))
}

pub(super) fn subject(generation: &Generation) -> String {
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let mut text = format!("{} of {}", count(generation.stacks, "stack"), generation.app_dir);
    if !generation.regions.is_empty() {
        // A stack without an environment goes to the one of the build.
        let name = |region: &String| {
            if region == "unknown-region" { "the build's Region".to_owned() } else { region.clone() }
        };
        text.extend([" to ", &generation.regions.iter().map(name).collect::<Vec<_>>().join(", ")]);
    }
    if generation.images > 0 {
        text.extend([", with ", &count(generation.images, "Docker image")]);
    }
    text
}

/// Where the artifacts of a build go, which the buildspec itself does not say.
pub(super) fn kept(generation: &Generation) -> String {
    match &generation.codebuild.artifacts_bucket {
        _ if generation.codebuild.source.kind == SourceType::Codepipeline => {
            "CodePipeline keeps them when the build succeeds.".to_owned()
        }
        Some(bucket) => format!("Kept in s3://{bucket}, in one folder for each build."),
        None => "The project keeps none of them: set codebuild.artifacts-bucket.".to_owned(),
    }
}

pub(super) fn reports_dir() -> String {
    format!("{WORK_DIR}/reports")
}

fn arguments(generation: &Generation) -> String {
    let mut arguments = format!("--app {}", shell_word(&generation.app_dir));
    if let Some(config) = &generation.config {
        arguments.extend([" --config ", &shell_word(config)]);
    }
    arguments
}

/// The minutes that CodeBuild needs to upload what is left when the runner has stopped.
fn margin_minutes(timeout: u32) -> u32 {
    (timeout / 10).clamp(1, 10)
}

pub(super) fn variables(generation: &Generation) -> Vec<Variable> {
    let variable = |name: &str, value: &str, why: &[&str]| Variable {
        name: name.to_owned(),
        value: value.to_owned(),
        why: why.iter().map(|line| (*line).to_owned()).collect(),
    };
    let mut variables = Vec::new();
    if let Some(multi_region) = &generation.multi_region {
        let name = &multi_region.variable;
        let off =
            format!("With false, only the stacks of {} are deployed. For one build:", multi_region.primary);
        let start = match generation.codebuild.source.kind {
            SourceType::Codepipeline => {
                format!("set {name} among the variables of the pipeline's build action")
            }
            _ => format!(
                "aws codebuild start-build --project-name {} --environment-variables-override name={name},value=false",
                generation.name
            ),
        };
        variables.push(variable(name, "true", &[&off, &start]));
    }
    variables.push(variable("CI", "true", &[]));
    variables.push(variable("NO_COLOR", "1", &[]));
    let minutes = generation.codebuild.timeout_minutes.to_string();
    let with = "The build's timeout. Whoever overrides it for one build overrides this too: the runner stops before it.";
    variables.push(variable("PACELINE_BUILD_MINUTES", &minutes, &[with]));
    if generation.runner != RunnerSource::Installed {
        variables.push(variable(
            "PACELINE_HOME",
            RUNNER_HOME,
            &["Where the runner is kept: not in the source."],
        ));
    }
    variables
}

/// Only npm has something to keep, and only when the build runs it.
pub(super) fn cache_paths(generation: &Generation) -> Vec<&'static str> {
    let modes = generation.codebuild.cache.as_deref().unwrap_or_default();
    let keeps_paths = modes.iter().any(|mode| matches!(mode, CacheMode::Custom | CacheMode::S3(_)));
    if keeps_paths && generation.synth.is_some() { vec![NPM_CACHE] } else { Vec::new() }
}

pub(super) fn buildspec(generation: &Generation) -> Result<Buildspec, GenerateError> {
    let cache_paths = cache_paths(generation);
    Ok(Buildspec {
        env: Environment {
            shell: Some(Shell::Bash),
            variables: variables(generation)
                .into_iter()
                .map(|variable| (variable.name, variable.value))
                .collect(),
            ..Environment::default()
        },
        phases: phases(generation)?,
        reports: BTreeMap::from([(
            REPORT.to_owned(),
            Report {
                files: vec![REPORT_FILES.to_owned()],
                base_directory: Some(reports_dir()),
                ..Report::default()
            },
        )]),
        artifacts: Some(Artifacts {
            set: ArtifactSet {
                files: vec![ALL_FILES.to_owned()],
                base_directory: Some(WORK_DIR.to_owned()),
                name: Some(generation.name.clone()),
                ..ArtifactSet::default()
            },
            secondary: BTreeMap::new(),
        }),
        cache: (!cache_paths.is_empty()).then(|| Cache {
            paths: cache_paths.iter().map(|path| (*path).to_owned()).collect(),
            ..Cache::default()
        }),
        ..Buildspec::default()
    })
}

fn phases(generation: &Generation) -> Result<Phases, GenerateError> {
    let runner = runner(&generation.runner);
    let fetched = runner.is_some();
    let synth_hint = match generation.synth {
        Some(_) => "the synth command has not written it there",
        None => "commit it, or set how to synthesize it in the build",
    };
    let context = StepContext {
        step: "",
        fetched,
        runner,
        app_dir: &generation.app_dir,
        arguments: &arguments(generation),
        // The template ends the last line.
        synth: generation.synth.as_deref().unwrap_or_default().trim_end(),
        synth_hint,
        margin_minutes: margin_minutes(generation.codebuild.timeout_minutes),
        work_dir: WORK_DIR,
        reports_dir: &reports_dir(),
        plan_file: &format!("{WORK_DIR}/plan.txt"),
        events_file: &format!("{WORK_DIR}/events.jsonl"),
        outputs_file: &format!("{WORK_DIR}/outputs.json"),
    };
    let step = |step, template| render(template, &StepContext { step, ..context });
    let mut install = Phase { on_failure: Some(OnFailure::Abort), ..Phase::default() };
    let mut pre_build = install.clone();
    if fetched {
        install.commands.push(step("fetch the runner", "steps/fetch-runner.sh.tera")?);
    }
    if generation.synth.is_some() {
        install.runtime_versions.insert("nodejs".to_owned(), NODE.to_owned());
        pre_build.commands.push(step("synthesize the app", "steps/synth.sh.tera")?);
    }
    pre_build.commands.push(step("plan the deployment", "steps/plan.sh.tera")?);
    let deploy = step("deploy", "steps/deploy.sh.tera")?;
    let results = step("say where the results are", "steps/results.sh.tera")?;
    let has_install = !install.commands.is_empty() || !install.runtime_versions.is_empty();
    Ok(Phases {
        install: has_install.then_some(install),
        pre_build: Some(pre_build),
        build: Some(Phase { commands: vec![deploy], ..Phase::default() }),
        post_build: Some(Phase { commands: vec![results], ..Phase::default() }),
    })
}

fn runner(source: &RunnerSource) -> Option<Runner<'_>> {
    let (from, location, sha256) = match source {
        RunnerSource::S3 { uri, sha256 } => ("s3", uri, sha256),
        RunnerSource::Https { url, sha256 } => ("https", url, sha256),
        RunnerSource::Installed => return None,
    };
    let archive = [".tar.gz", ".tgz"].iter().any(|end| location.ends_with(end));
    Some(Runner { from, location, sha256, archive })
}

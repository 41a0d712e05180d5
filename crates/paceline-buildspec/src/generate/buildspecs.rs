//! The models of the buildspecs that run the runner: to deploy, to destroy, and to look at a change.

use std::collections::BTreeMap;

use super::document::Document;
use super::scripts::{self, Ending, Step, WORK_DIR};
use super::variables::{self, Variable};
use super::{GenerateError, Generation, cache};
use crate::grammar::{
    ArtifactSet, Artifacts, Buildspec, Environment, OnFailure, Phase, Phases, Report, Shell,
};
use crate::project::SourceType;

/// The sections of `reports`: a report group is named after the project and one of these.
pub(super) const DEPLOY: &str = "deploy";
pub(super) const DESTROY: &str = "destroy";

const REPORT_FILES: &str = "**/*.xml";
const ALL_FILES: &str = "**/*";
/// Standard images without a pinned version fall back to one that the CDK no longer supports.
const NODE: &str = "22";

pub(super) fn deploy(generation: &Generation) -> Result<Document, GenerateError> {
    let ending = Ending {
        done: "paceline: the deployment is complete",
        failed: "paceline: the deployment is not complete, its first cause is in the log of the build phase",
        hint: "hint: start the build again to continue where it stopped",
    };
    let phases = Phases {
        install: install(generation)?,
        pre_build: Some(prepare(generation, Step::Plan)?),
        build: Some(commands(generation, &[Step::Deploy])?),
        post_build: Some(commands(generation, &[Step::Results(ending)])?),
    };
    let mut about = vec![format!("Deploys {}.", subject(generation, "to")), String::new()];
    about.extend(variables::overrides(generation));
    let (cache, cache_why) = cache::of(generation).unzip();
    Ok(Document {
        suffix: ".yml",
        about,
        variables: variables::of(generation, "deployed"),
        model: Buildspec { cache, ..buildspec(generation, phases, Some(DEPLOY)) },
        reports_why: reports_why(generation, DEPLOY),
        artifacts_why: vec![format!("Events, outputs, journal, plan and reports. {}", kept(generation))],
        cache_why: cache_why.unwrap_or_default(),
    })
}

pub(super) fn destroy(generation: &Generation) -> Result<Document, GenerateError> {
    let ending = Ending {
        done: "paceline: everything is deleted",
        failed: "paceline: not everything is deleted, the first cause is in the log of the build phase",
        hint: "hint: start the build again to delete what is left",
    };
    let phases = Phases {
        install: install(generation)?,
        pre_build: Some(prepare(generation, Step::Plan)?),
        build: Some(commands(generation, &[Step::Destroy])?),
        post_build: Some(commands(generation, &[Step::Results(ending)])?),
    };
    let suffix = ".destroy.yml";
    let mut about =
        vec![format!("Deletes {}, in the reverse order, in parallel.", subject(generation, "in"))];
    about.push(String::new());
    about.extend(variables::start(generation, &format!("{}{suffix}", generation.name)));
    let confirm = format!("value={}", generation.name);
    if generation.codebuild.source.kind != SourceType::Codepipeline {
        about
            .push(format!("         --environment-variables-override name={},{confirm}", variables::DESTROY));
    }
    let why =
        format!("Nothing is deleted unless this is {}: a build started by mistake stops.", generation.name);
    let mut variables = vec![Variable::new(variables::DESTROY, "", &[&why])];
    variables.extend(variables::of(generation, "deleted"));
    let (cache, cache_why) = cache::of(generation).unzip();
    Ok(Document {
        suffix,
        about,
        variables,
        model: Buildspec { cache, ..buildspec(generation, phases, Some(DESTROY)) },
        reports_why: reports_why(generation, DESTROY),
        artifacts_why: vec![format!("Events, journal, plan and reports. {}", kept(generation))],
        cache_why: cache_why.unwrap_or_default(),
    })
}

pub(super) fn pull_request(generation: &Generation) -> Result<Document, GenerateError> {
    let ending = Ending {
        done: "paceline: the plan is made, and the generated files are as they should be",
        failed: "paceline: something is to be mended before this can be merged, it is in the log of the build phase",
        hint: "hint: run the command that failed on your machine",
    };
    let checks = [Step::KeepPlan, Step::CheckGenerated, Step::Lint];
    let phases = Phases {
        install: install(generation)?,
        pre_build: if generation.synth.is_some() { Some(prepare(generation, Step::Synth)?) } else { None },
        build: Some(commands(generation, &checks)?),
        post_build: Some(commands(generation, &[Step::Results(ending)])?),
    };
    let suffix = ".pull-request.yml";
    let mut about = vec![format!("Shows what a change does to {}.", subject(generation, "in"))];
    about
        .push("It deploys nothing, and needs no rights but those of synthesizing and of its log.".to_owned());
    about.push(String::new());
    about.extend(variables::start(generation, &format!("{}{suffix}", generation.name)));
    let (cache, cache_why) = cache::of(generation).unzip();
    Ok(Document {
        suffix,
        about,
        variables: variables::of(generation, "planned"),
        model: Buildspec { cache, ..buildspec(generation, phases, None) },
        reports_why: Vec::new(),
        artifacts_why: vec![format!("The plan as text, as JSON and as a diagram. {}", kept(generation))],
        cache_why: cache_why.unwrap_or_default(),
    })
}

fn buildspec(generation: &Generation, phases: Phases, report: Option<&str>) -> Buildspec {
    let reports = Report {
        files: vec![REPORT_FILES.to_owned()],
        base_directory: Some(scripts::reports_dir()),
        ..Report::default()
    };
    let set = ArtifactSet {
        files: vec![ALL_FILES.to_owned()],
        base_directory: Some(WORK_DIR.to_owned()),
        name: Some(generation.name.clone()),
        ..ArtifactSet::default()
    };
    Buildspec {
        env: Environment { shell: Some(Shell::Bash), ..Environment::default() },
        phases,
        reports: report.map(|name| (name.to_owned(), reports)).into_iter().collect(),
        artifacts: Some(Artifacts { set, secondary: BTreeMap::new() }),
        ..Buildspec::default()
    }
}

fn install(generation: &Generation) -> Result<Option<Phase>, GenerateError> {
    let mut install = Phase { on_failure: Some(OnFailure::Abort), ..Phase::default() };
    if generation.synth.is_some() {
        install.runtime_versions.insert("nodejs".to_owned(), NODE.to_owned());
    }
    if generation.runner.is_fetched() {
        install.commands.push(Step::FetchRunner.render(generation)?);
    }
    let is_empty = install.commands.is_empty() && install.runtime_versions.is_empty();
    Ok((!is_empty).then_some(install))
}

/// Synthesizes when the build has to, and comes to `last`. Nothing is worth going on with when it fails.
fn prepare(generation: &Generation, last: Step) -> Result<Phase, GenerateError> {
    let steps = match (&generation.synth, last) {
        (Some(_), Step::Synth) | (None, _) => vec![last],
        (Some(_), last) => vec![Step::Synth, last],
    };
    Ok(Phase { on_failure: Some(OnFailure::Abort), ..commands(generation, &steps)? })
}

fn commands(generation: &Generation, steps: &[Step]) -> Result<Phase, GenerateError> {
    let commands = steps.iter().map(|step| step.render(generation)).collect::<Result<_, _>>()?;
    Ok(Phase { commands, ..Phase::default() })
}

/// `direction` is the word before the Regions.
pub(super) fn subject(generation: &Generation, direction: &str) -> String {
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let mut text = format!("{} of {}", count(generation.stacks, "stack"), generation.apps.name());
    if !generation.regions.is_empty() {
        // A stack without an environment goes to the one of the build.
        let name = |region: &String| {
            if region == "unknown-region" { "the build's Region".to_owned() } else { region.clone() }
        };
        text.extend([
            " ",
            direction,
            " ",
            &generation.regions.iter().map(name).collect::<Vec<_>>().join(", "),
        ]);
    }
    if generation.images > 0 {
        text.extend([", with ", &count(generation.images, "Docker image")]);
    }
    text
}

pub(super) fn report_group(generation: &Generation, section: &str) -> String {
    format!("{}-{section}", generation.name)
}

fn reports_why(generation: &Generation, section: &str) -> Vec<String> {
    let group = report_group(generation, section);
    vec![format!("The report group is named after the project: {group}.")]
}

/// Where the artifacts of a build go, which the buildspec itself does not say.
fn kept(generation: &Generation) -> String {
    match &generation.codebuild.artifacts_bucket {
        _ if generation.codebuild.source.kind == SourceType::Codepipeline => {
            "CodePipeline keeps them when the build succeeds.".to_owned()
        }
        Some(bucket) => format!("Kept in s3://{bucket}, in one folder for each build."),
        None => "The project keeps none of them: set codebuild.artifacts-bucket.".to_owned(),
    }
}

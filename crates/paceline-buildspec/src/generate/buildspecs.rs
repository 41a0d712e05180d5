//! The models of the buildspecs that run the runner: to deploy, to destroy, and to check a change.

use std::collections::BTreeMap;

use paceline_config::SourceType;

use super::document::Document;
use super::scripts::{self, FinalMessages, ScriptKind, WORK_DIR};
use super::variables::{self, Variable};
use super::{GenerateError, Generation, RunnerSource, cache};
use crate::grammar::{
    ArtifactSet, Artifacts, Buildspec, Environment, OnFailure, Phase, Phases, Report, Shell,
};

/// The sections of `reports`. A report group is named after the project and one of these.
pub(super) const DEPLOY: &str = "deploy";
pub(super) const DESTROY: &str = "destroy";

const REPORT_FILES: &str = "**/*.xml";
const ALL_FILES: &str = "**/*";
/// Without a version, the standard images select one that the CDK no longer supports.
const NODE: &str = "22";

pub(super) fn deploy(generation: &Generation) -> Result<Document, GenerateError> {
    let messages = FinalMessages {
        done: "paceline: the deployment is complete",
        failed: "paceline: the deployment is not complete; its first error is in the log of the build phase",
        hint: "hint: start the build again to continue where it stopped",
        asleep: Some("paceline: the deployment is not complete: its run sleeps, and a build continues it"),
    };
    let phases = Phases {
        install: Some(install(generation, true)?),
        pre_build: Some(prepare(generation, ScriptKind::Plan)?),
        build: Some(commands(generation, &[ScriptKind::Deploy])?),
        post_build: Some(commands(generation, &[ScriptKind::Results(messages)])?),
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
    let messages = FinalMessages {
        done: "paceline: everything is deleted",
        failed: "paceline: not everything is deleted; the first error is in the log of the build phase",
        hint: "hint: start the build again to delete the rest",
        asleep: None,
    };
    let phases = Phases {
        install: Some(install(generation, true)?),
        pre_build: Some(prepare(generation, ScriptKind::Plan)?),
        build: Some(commands(generation, &[ScriptKind::Destroy])?),
        post_build: Some(commands(generation, &[ScriptKind::Results(messages)])?),
    };
    let suffix = ".destroy.yml";
    let mut about =
        vec![format!("Deletes {}, in the reverse order, in parallel.", subject(generation, "in"))];
    about.push(String::new());
    about.extend(variables::start(generation, &format!("{}{suffix}", generation.name)));
    let confirm = format!("value={}", generation.name);
    if generation.codebuild.source != SourceType::Codepipeline {
        about
            .push(format!("         --environment-variables-override name={},{confirm}", variables::DESTROY));
    }
    let why = format!("The build deletes nothing unless this is {}.", generation.name);
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
    let messages = FinalMessages {
        done: "paceline: the plan is complete, and the generated files are up to date",
        failed: "paceline: correct the errors in the log of the build phase before you merge this",
        hint: "hint: run the failed command on your machine",
        asleep: None,
    };
    let checks = [ScriptKind::KeepPlan, ScriptKind::CheckGenerated, ScriptKind::Lint];
    let phases = Phases {
        install: Some(install(generation, generation.synth.is_some())?),
        pre_build: if generation.synth.is_some() {
            Some(prepare(generation, ScriptKind::Synth)?)
        } else {
            None
        },
        build: Some(commands(generation, &checks)?),
        post_build: Some(commands(generation, &[ScriptKind::Results(messages)])?),
    };
    let suffix = ".pull-request.yml";
    let mut about = vec![format!("Plans a change to {}.", subject(generation, "in"))];
    about.push("It deploys nothing. It needs the rights to synthesize and to write its log.".to_owned());
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

pub(super) fn buildspec(generation: &Generation, phases: Phases, report: Option<&str>) -> Buildspec {
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

/// Writes the prelude and fetches the runner.
pub(super) fn install(generation: &Generation, signals: bool) -> Result<Phase, GenerateError> {
    let mut install = Phase { on_failure: Some(OnFailure::Abort), ..Phase::default() };
    if generation.synth.is_some() || matches!(generation.runner, RunnerSource::Npm { .. }) {
        install.runtime_versions.insert("nodejs".to_owned(), NODE.to_owned());
    }
    install.commands.push(ScriptKind::WritePrelude { signals }.render(generation)?);
    if generation.runner.is_fetched() {
        install.commands.push(ScriptKind::FetchRunner.render(generation)?);
    }
    Ok(install)
}

/// Synthesizes if the build has to, and then runs `last`. A failure of this phase ends the build.
pub(super) fn prepare(generation: &Generation, last: ScriptKind) -> Result<Phase, GenerateError> {
    match (&generation.synth, last) {
        (Some(_), ScriptKind::Synth) | (None, _) => or_abort(generation, &[last]),
        (Some(_), last) => or_abort(generation, &[ScriptKind::Synth, last]),
    }
}

/// Runs some steps. A failure of this phase ends the build.
pub(super) fn or_abort(generation: &Generation, steps: &[ScriptKind]) -> Result<Phase, GenerateError> {
    Ok(Phase { on_failure: Some(OnFailure::Abort), ..commands(generation, steps)? })
}

pub(super) fn commands(generation: &Generation, steps: &[ScriptKind]) -> Result<Phase, GenerateError> {
    let commands = steps.iter().map(|step| step.render(generation)).collect::<Result<_, _>>()?;
    Ok(Phase { commands, ..Phase::default() })
}

/// The subject of the deployment in a sentence. `direction` is the word before the Regions.
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
    vec![format!("The name of the report group starts with the project: {group}.")]
}

/// The place of a build's artifacts in a sentence. The project decides it.
fn kept(generation: &Generation) -> String {
    match &generation.codebuild.artifacts_bucket {
        _ if generation.codebuild.source == SourceType::Codepipeline => {
            "CodePipeline keeps them if the build succeeds.".to_owned()
        }
        Some(bucket) => format!("The project keeps them in s3://{bucket}, in a folder for each build."),
        None => "The project keeps none of them. To keep them, set codebuild.artifacts-bucket.".to_owned(),
    }
}

//! The scripts of the generated buildspecs: each is one command, rendered from `templates/steps/`.

use serde::Serialize;

use super::{Apps, GenerateError, Generation, RunnerSource, cache, render};
use crate::shell::shell_word;

/// What the build leaves, below the root of the source: CodeBuild takes reports and artifacts from there.
pub(super) const WORK_DIR: &str = ".paceline";

/// Between the runner's last act and the build's end, CodeBuild uploads what is left.
const LONGEST_MARGIN: u32 = 10;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    FetchRunner,
    Synth,
    Plan,
    Deploy,
    Destroy,
    /// The plan in every format, for whoever reviews a change.
    KeepPlan,
    CheckGenerated,
    Lint,
    Results(Ending),
}

/// What a build says at its end.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Ending {
    pub(super) done: &'static str,
    pub(super) failed: &'static str,
    pub(super) hint: &'static str,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that a template asks")]
struct StepContext<'a> {
    step: &'a str,
    /// Whether the runner is fetched, and so has to be put on the PATH.
    fetched: bool,
    /// Whether the image is said to have it.
    installed: bool,
    runner: Option<Runner<'a>>,
    name: &'a str,
    /// One app's assembly. Of several, the runner says which is missing.
    app_dir: Option<&'a str>,
    arguments: String,
    /// The option that names the configuration, after a space.
    config: String,
    check: String,
    generated: String,
    synth: &'a str,
    synth_hint: &'a str,
    context_files: Vec<String>,
    /// Whether the build has synthesized before, so that the runner need not.
    synthesized: bool,
    margin_minutes: u32,
    runner_minutes: Option<u32>,
    stack_minutes: Option<u32>,
    /// Which regions are on decides whether a part of a batch has anything to do.
    multi_region: Option<&'a str>,
    batch: bool,
    ending: Option<Ending>,
    work_dir: &'a str,
    reports_dir: String,
    plan_file: String,
    events_file: String,
    outputs_file: String,
}

#[derive(Serialize, Clone, Copy)]
struct Runner<'a> {
    from: &'static str,
    location: &'a str,
    sha256: &'a str,
    archive: bool,
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::FetchRunner => "fetch the runner",
            Self::Synth => "synthesize the app",
            Self::Plan => "plan the deployment",
            Self::Deploy => "deploy",
            Self::Destroy => "destroy",
            Self::KeepPlan => "keep the plan",
            Self::CheckGenerated => "check the generated files",
            Self::Lint => "lint the buildspecs",
            Self::Results(_) => "say where the results are",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::FetchRunner => "steps/fetch-runner.sh.tera",
            Self::Synth => "steps/synth.sh.tera",
            Self::Plan => "steps/plan.sh.tera",
            Self::Deploy => "steps/deploy.sh.tera",
            Self::Destroy => "steps/destroy.sh.tera",
            Self::KeepPlan => "steps/keep-plan.sh.tera",
            Self::CheckGenerated => "steps/check-generated.sh.tera",
            Self::Lint => "steps/lint.sh.tera",
            Self::Results(_) => "steps/results.sh.tera",
        }
    }

    pub(super) fn render(self, generation: &Generation) -> Result<String, GenerateError> {
        let runner = runner(&generation.runner);
        let synth_hint = match generation.synth {
            Some(_) => "the synth command has not written it there",
            None => "commit it, or set how to synthesize it in the build",
        };
        let context = StepContext {
            step: self.title(),
            fetched: runner.is_some(),
            installed: generation.runner == RunnerSource::Installed,
            runner,
            name: &generation.name,
            app_dir: if let Apps::One(dir) = &generation.apps { Some(dir.as_str()) } else { None },
            arguments: arguments(generation),
            config: config(generation).map_or_else(String::new, |config| format!(" {config}")),
            check: format!("{} --check", command(generation)),
            generated: shell_word(&format!("{}/{}", generation.out_dir, generation.name)),
            // The template ends the last line.
            synth: generation.synth.as_deref().unwrap_or_default().trim_end(),
            synth_hint,
            context_files: cache::context_files(generation),
            synthesized: generation.synth.is_some(),
            margin_minutes: margin_minutes(generation.codebuild.timeout_minutes),
            runner_minutes: generation.codebuild.runner_minutes,
            stack_minutes: generation.codebuild.stack_minutes,
            multi_region: generation.multi_region.as_ref().map(|of| of.variable.as_str()),
            batch: generation.codebuild.batch.is_some(),
            ending: if let Self::Results(ending) = self { Some(ending) } else { None },
            work_dir: WORK_DIR,
            reports_dir: reports_dir(),
            plan_file: format!("{WORK_DIR}/plan"),
            events_file: format!("{WORK_DIR}/events.jsonl"),
            outputs_file: format!("{WORK_DIR}/outputs.json"),
        };
        render(self.template(), &context)
    }
}

/// The command that writes these files again.
pub(super) fn command(generation: &Generation) -> String {
    format!(
        "paceline gen {} --out {} --name {}",
        arguments(generation),
        shell_word(&generation.out_dir),
        shell_word(&generation.name)
    )
}

pub(super) fn reports_dir() -> String {
    format!("{WORK_DIR}/reports")
}

/// The minutes that CodeBuild needs to upload what is left when the runner has stopped.
pub(super) fn margin_minutes(timeout: u32) -> u32 {
    (timeout / 10).clamp(1, LONGEST_MARGIN)
}

fn arguments(generation: &Generation) -> String {
    let app = match &generation.apps {
        Apps::One(dir) => Some(format!("--app {}", shell_word(dir))),
        Apps::Several(_) => None,
    };
    app.into_iter().chain(config(generation)).collect::<Vec<_>>().join(" ")
}

fn config(generation: &Generation) -> Option<String> {
    generation.config.as_ref().map(|config| format!("--config {}", shell_word(config)))
}

fn runner(source: &RunnerSource) -> Option<Runner<'_>> {
    let (from, location, sha256) = match source {
        RunnerSource::S3 { uri, sha256 } => ("s3", uri, sha256),
        RunnerSource::Https { url, sha256 } => ("https", url, sha256),
        RunnerSource::Installed | RunnerSource::Unset => return None,
    };
    let archive = [".tar.gz", ".tgz"].iter().any(|end| location.ends_with(end));
    Some(Runner { from, location, sha256, archive })
}

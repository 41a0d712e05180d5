//! The scripts of the generated buildspecs. Each is one command, rendered from `templates/scripts/`.
//!
//! The first command of a build writes a file, the prelude. Every other command sources the prelude, which
//! makes bash stop at the first error and report its line.

use serde::Serialize;

use super::limits::whole_minutes;
use super::{Apps, GenerateError, Generation, RunnerSource, cache, render};
use crate::project::wake;
use crate::shell::shell_word;

/// The file that says that the run sleeps.
pub const ASLEEP: &str = ".paceline/asleep";

/// The folder of the results, inside the source. CodeBuild takes reports and artifacts from it.
pub(super) const WORK_DIR: &str = ".paceline";

/// The artifact of a pipeline with the saved plan.
pub(super) const PLAN_ARTIFACT: &str = "Plan";

/// The saved plan in that artifact.
const SAVED_PLAN: &str = "saved-plan.json";

/// The longest time that is left for CodeBuild to upload the results after the runner, in minutes.
const LONGEST_MARGIN: u32 = 10;

#[derive(Debug, Clone, Copy)]
pub(super) enum ScriptKind {
    WritePrelude {
        /// Whether commands of the build send their failure to a wait handle.
        signals: bool,
    },
    FetchRunner,
    Synth,
    Plan,
    Deploy,
    Destroy,
    /// Writes the plan in every format, for the review of a change.
    KeepPlan,
    /// The same, and saves the plan for its approval.
    SavePlan,
    /// Takes the approved plan, and the assemblies that it was made of.
    TakePlan,
    DeployApproved,
    CheckGenerated,
    Lint,
    Results(FinalMessages),
}

/// The last messages of a build.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct FinalMessages {
    pub(super) done: &'static str,
    pub(super) failed: &'static str,
    pub(super) hint: &'static str,
    /// What is said if the run sleeps. `None` if it never does.
    pub(super) asleep: Option<&'static str>,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that a template asks")]
struct ScriptContext<'a> {
    step: &'a str,
    /// Whether the build fetches the runner. If so, the runner is not on the PATH at first.
    fetched: bool,
    signals: bool,
    /// What the runner in the image says about its version, if the configuration says that it contains one.
    installed: Option<String>,
    runner: Option<Runner<'a>>,
    npm: Option<Npm<'a>>,
    name: &'a str,
    /// The assembly of a single app. For several apps, the runner reports a missing assembly.
    app_dir: Option<&'a str>,
    arguments: String,
    /// The option for the configuration, with a space before it.
    config: String,
    check: String,
    generated: String,
    synth: &'a str,
    synth_hint: &'a str,
    context_files: Vec<String>,
    /// Whether the build synthesizes before the runner starts.
    synthesized: bool,
    margin_minutes: u32,
    runner_minutes: Option<u32>,
    stack_minutes: Option<u32>,
    /// The variable that switches off secondary Regions. If it is set, a part of a batch may have nothing to
    /// do.
    multi_region: Option<&'a str>,
    /// Whether a build may deploy a part of the stacks, in a batch or for a state machine.
    parts: bool,
    ending: Option<FinalMessages>,
    work_dir: &'a str,
    reports_dir: String,
    plan_file: String,
    /// The name of the saved plan in its artifact, for the builds of a pipeline.
    saved_plan: Option<&'static str>,
    /// The variable with the folder of the artifact.
    plan_artifact: String,
    /// The assemblies that the build has synthesized.
    assemblies: &'a [String],
    events_file: String,
    /// The rule that continues sleeping runs, if they may sleep.
    sleep: Option<String>,
    asleep_file: String,
    outputs_file: String,
}

#[derive(Serialize, Clone, Copy)]
struct Runner<'a> {
    from: &'static str,
    location: &'a str,
    sha256: &'a str,
    archive: bool,
}

/// How the npm package of the runner is installed.
#[derive(Serialize, Clone, Copy)]
struct Npm<'a> {
    dir: &'a str,
    install: &'a str,
}

impl ScriptKind {
    fn title(self) -> &'static str {
        match self {
            Self::WritePrelude { .. } => "write the prelude",
            Self::FetchRunner => "fetch the runner",
            Self::Synth => "synthesize the app",
            Self::Plan => "plan the deployment",
            Self::Deploy => "deploy",
            Self::Destroy => "destroy",
            Self::KeepPlan => "keep the plan",
            Self::SavePlan => "save the plan",
            Self::TakePlan => "take the approved plan",
            Self::DeployApproved => "deploy the approved plan",
            Self::CheckGenerated => "check the generated files",
            Self::Lint => "lint the buildspecs",
            Self::Results(_) => "list the results",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::WritePrelude { .. } => "scripts/write-prelude.sh.tera",
            Self::FetchRunner => "scripts/fetch-runner.sh.tera",
            Self::Synth => "scripts/synth.sh.tera",
            Self::Plan => "scripts/plan.sh.tera",
            Self::Deploy | Self::DeployApproved => "scripts/deploy.sh.tera",
            Self::Destroy => "scripts/destroy.sh.tera",
            Self::KeepPlan => "scripts/keep-plan.sh.tera",
            Self::SavePlan => "scripts/save-plan.sh.tera",
            Self::TakePlan => "scripts/take-plan.sh.tera",
            Self::CheckGenerated => "scripts/check-generated.sh.tera",
            Self::Lint => "scripts/lint.sh.tera",
            Self::Results(_) => "scripts/results.sh.tera",
        }
    }

    pub(super) fn render(self, generation: &Generation) -> Result<String, GenerateError> {
        let npm = match &generation.runner {
            RunnerSource::Npm { dir, install, .. } => Some(Npm { dir, install: install.trim_end() }),
            _ => None,
        };
        let synth_hint = match generation.synth {
            Some(_) => "let the synth command write it there",
            None => "commit it, or set synth in paceline.yaml to synthesize it in the build",
        };
        let context = ScriptContext {
            step: self.title(),
            fetched: generation.runner.is_fetched(),
            signals: matches!(self, Self::WritePrelude { signals: true }),
            installed: match &generation.runner {
                RunnerSource::Installed { version } => Some(format!("paceline {version}")),
                _ => None,
            },
            runner: runner(&generation.runner),
            npm,
            name: &generation.name,
            app_dir: if let Apps::One(dir) = &generation.apps { Some(dir.as_str()) } else { None },
            arguments: arguments(generation),
            config: config(generation).map_or_else(String::new, |config| format!(" {config}")),
            check: format!("{} --check", command(generation)),
            generated: shell_word(&format!("{}/{}", generation.out_dir, generation.name)),
            // The template adds the line feed at the end.
            synth: generation.synth.as_deref().unwrap_or_default().trim_end(),
            synth_hint,
            context_files: cache::context_files(generation),
            synthesized: generation.synth.is_some(),
            margin_minutes: margin_minutes(generation.codebuild.timeout.minutes()),
            runner_minutes: generation.codebuild.timeouts.runner.map(whole_minutes),
            stack_minutes: generation.codebuild.timeouts.stack.map(whole_minutes),
            multi_region: generation.multi_region.as_ref().map(|of| of.variable.as_str()),
            // An approved plan is deployed whole.
            parts: matches!(self, Self::Deploy)
                && (generation.codebuild.batch.is_some() || generation.fan_out.is_some()),
            ending: if let Self::Results(ending) = self { Some(ending) } else { None },
            work_dir: WORK_DIR,
            reports_dir: reports_dir(),
            plan_file: format!("{WORK_DIR}/plan"),
            saved_plan: matches!(self, Self::SavePlan | Self::TakePlan | Self::DeployApproved)
                .then_some(SAVED_PLAN),
            plan_artifact: format!("CODEBUILD_SRC_DIR_{PLAN_ARTIFACT}"),
            assemblies: if generation.synth.is_some() { &generation.assemblies } else { &[] },
            events_file: format!("{WORK_DIR}/events.jsonl"),
            sleep: generation.codebuild.sleep.then(|| wake::rule_name(&generation.name)),
            asleep_file: ASLEEP.to_owned(),
            outputs_file: format!("{WORK_DIR}/outputs.json"),
        };
        render(self.template(), &context)
    }
}

/// The command that generates these files again.
pub(super) fn command(generation: &Generation) -> String {
    let more = [(generation.pipeline.is_some(), " --pipeline"), (generation.fan_out.is_some(), " --fan-out")];
    let more: String = more.iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| *flag).collect();
    format!(
        "paceline gen {} --out {} --name {}{more}",
        arguments(generation),
        shell_word(&generation.out_dir),
        shell_word(&generation.name)
    )
}

pub(super) fn reports_dir() -> String {
    format!("{WORK_DIR}/reports")
}

/// The number of minutes between the end of the runner and the timeout of the build.
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
        RunnerSource::Npm { .. } | RunnerSource::Installed { .. } | RunnerSource::Unset => return None,
    };
    let archive = [".tar.gz", ".tgz"].iter().any(|end| location.ends_with(end));
    Some(Runner { from, location, sha256, archive })
}

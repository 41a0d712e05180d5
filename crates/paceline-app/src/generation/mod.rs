//! What `gen` and `project` generate from: an app, its plan and its configuration.

mod paths;
mod rights;
mod write;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use camino::Utf8Path;
use paceline_assembly::{LARGEST_BY_HAND, read_regular_text};
use paceline_buildspec::generate::{Apps, GenerateError, shell_word};
use paceline_buildspec::project::{BatchBy, CodeBuildSettings, SourceSettings, VpcSettings};
use paceline_buildspec::yaml::{self, Kind};
use paceline_buildspec::{Generation, MultiRegion, RunnerSource, StackNode};
use paceline_plan::config::{Batch, Runner, RunnerFrom};
use paceline_plan::{Config, Plan, PlannedStack, Step, Work};

pub use self::write::generate_files;
use crate::app::App;
use crate::failure::Failure;
use paths::{in_repository, lock_file, name};

/// What is generated from an app. `name` is what the project is called; without one, it is called after the folder of
/// the app.
pub(crate) fn generation(
    app: &App,
    plan: &Plan,
    out: &Utf8Path,
    project: Option<&str>,
) -> Result<Generation, Failure> {
    let distinct = |of: fn(&PlannedStack) -> Option<&String>| {
        let mut all: Vec<String> = plan.stacks.iter().filter_map(of).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let is_image = |step: &&Step| matches!(&step.work, Work::Publish(publish) if publish.image);
    let is_one = app.config.apps.is_empty();
    Ok(Generation {
        name: project.map_or_else(|| name(app), str::to_owned),
        out_dir: in_repository(out),
        apps: apps(app),
        config: app.config_path.as_deref().map(in_repository),
        regions: distinct(|stack| stack.region.as_ref()),
        accounts: distinct(|stack| stack.account.as_ref()),
        stacks: plan.stacks.len(),
        graph: graph(plan),
        images: plan.steps.iter().filter(is_image).count(),
        multi_region: app.config.multi_region.as_ref().map(|multi_region| MultiRegion {
            variable: multi_region.when.clone(),
            primary: multi_region.primary.clone(),
        }),
        codebuild: settings(&app.config, app.config_path.as_deref())?,
        rights: rights::rights(app, plan),
        runner: runner(app.config.runner.as_ref())?,
        synth: synth(app),
        lock_file: if is_one { lock_file(&app.dir) } else { None },
    })
}

fn apps(app: &App) -> Apps {
    if app.config.apps.is_empty() {
        return Apps::One(in_repository(&app.dir));
    }
    Apps::Several(app.config.apps.values().map(|one| in_repository(&app.dir.join(&one.dir))).collect())
}

/// One app's own command, or the runner's for several, of which each has its own.
fn synth(app: &App) -> Option<String> {
    if app.config.apps.is_empty() {
        let synth = app.config.synth.clone()?;
        return Some(match &app.config.install {
            Some(install) => format!("{}\n{synth}", in_subshell(install)),
            None => synth,
        });
    }
    let config = app.config_path.as_deref().map(|path| shell_word(&in_repository(path)));
    let has_own = app.config.apps.values().any(|one| one.synth.is_some());
    has_own.then(|| {
        ["paceline synth".to_owned()]
            .into_iter()
            .chain(config.map(|path| format!(" --config {path}")))
            .collect()
    })
}

/// A script that leaves the shell after it in the folder in which it was.
fn in_subshell(script: &str) -> String {
    let script = script.trim();
    match script.find(')') {
        Some(at) if script.starts_with('(') && at + 1 == script.len() => script.to_owned(),
        None if !script.contains(['\n', '#', '(']) => format!("({script})"),
        // `((` would be arithmetic, and a comment would hide the end.
        _ => format!("(\n{script}\n)"),
    }
}

/// The stacks, as far as a batch needs to know them: what a stack waits for is what its step waits for, be it by way
/// of a gate, a command or the barrier of a phase.
fn graph(plan: &Plan) -> Vec<StackNode> {
    let mut behind: Vec<BTreeSet<usize>> = Vec::with_capacity(plan.steps.len());
    let mut depends_on = vec![BTreeSet::new(); plan.stacks.len()];
    let mut images = vec![0; plan.stacks.len()];
    for step in &plan.steps {
        let needs: BTreeSet<usize> =
            step.needs.iter().flat_map(|need| behind[*need].iter().copied()).collect();
        match &step.work {
            Work::Deploy { stack } => {
                depends_on[*stack] = needs;
                behind.push(BTreeSet::from([*stack]));
                continue;
            }
            Work::Publish(publish) if publish.image => images[publish.stack] += 1,
            _ => {}
        }
        behind.push(needs);
    }
    let node = |(at, stack): (usize, &PlannedStack)| StackNode {
        id: stack.id.clone(),
        region: stack.region.clone().unwrap_or_else(|| "unknown-region".to_owned()),
        images: images[at],
        depends_on: depends_on[at].iter().copied().collect(),
    };
    plan.stacks.iter().enumerate().map(node).collect()
}

/// The settings of the project. What CodeBuild does not know is refused, for every command that reads them.
pub fn settings(config: &Config, path: Option<&Utf8Path>) -> Result<CodeBuildSettings, Failure> {
    fn parse<T>(path: Option<&Utf8Path>, field: &str, text: &str) -> Result<T, Failure>
    where
        T: FromStr<Err: std::error::Error + 'static>,
    {
        let setting = format!("codebuild.{field}");
        let wrong = |error: T::Err| Failure::with_own_hint(&error).at(place(path, &setting));
        text.parse().map_err(wrong)
    }
    let config = &config.codebuild;
    let cache =
        config.cache.as_ref().map(|modes| modes.iter().map(|mode| parse(path, "cache", mode)).collect());
    let default = CodeBuildSettings::default();
    Ok(CodeBuildSettings {
        image: parse(path, "image", &config.image)?,
        compute: parse(path, "compute", &config.compute)?,
        timeout_minutes: minutes(config.timeout),
        cache: cache.transpose()?,
        privileged: parse(path, "privileged", &config.privileged)?,
        queued_timeout_minutes: config.queued_timeout.map(minutes),
        stack_minutes: config.timeouts.stack.map(minutes),
        runner_minutes: config.timeouts.runner.map(minutes),
        outside_minutes: config.timeouts.outside.map(minutes),
        docker_server: config
            .docker_server
            .as_deref()
            .map(|size| parse(path, "docker-server", size))
            .transpose()?,
        batch: config.batch.map(|by| match by {
            Batch::Regions => BatchBy::Regions,
            Batch::Images => BatchBy::Images,
        }),
        vpc: config.vpc.as_ref().map(|vpc| VpcSettings {
            vpc: vpc.id.clone(),
            subnets: vpc.subnets.clone(),
            security_groups: vpc.security_groups.clone(),
        }),
        log_retention_days: config.log_retention_days.unwrap_or(default.log_retention_days),
        tags: config.tags.clone(),
        source: SourceSettings {
            kind: parse(path, "source", &config.source)?,
            location: config.location.clone(),
        },
        artifacts_bucket: config.artifacts_bucket.clone(),
        kms_keys: config.kms_keys.clone(),
        service_role: config.service_role.clone(),
    })
}

fn minutes(time: Duration) -> u32 {
    u32::try_from(time.as_secs().div_ceil(60)).unwrap_or(u32::MAX)
}

/// Refuses the limit of a stack that is not below the runner's: it would never take effect.
pub fn check_stack_limit(app: &App) -> Result<(), Failure> {
    let config = &app.config.codebuild;
    let settings = CodeBuildSettings {
        timeout_minutes: minutes(config.timeout),
        stack_minutes: config.timeouts.stack.map(minutes),
        runner_minutes: config.timeouts.runner.map(minutes),
        ..CodeBuildSettings::default()
    };
    settings.check_stack_limit().map_err(|error| {
        Failure::with_own_hint(&error)
            .at(error.setting().and_then(|it| place(app.config_path.as_deref(), it)))
    })
}

/// Why nothing can be generated, and where in the configuration that is said.
pub(crate) fn refused(app: &App, error: &GenerateError) -> Failure {
    let path = app.config_path.as_deref();
    Failure::with_own_hint(error).at(error.setting().and_then(|setting| place(path, setting)))
}

/// Where the configuration has a setting: `paceline.yaml:12:5`. One that is not there is nowhere.
fn place(path: Option<&Utf8Path>, setting: &str) -> Option<impl Display + use<>> {
    let path = path?;
    let mut node = yaml::parse(&read_regular_text(path, LARGEST_BY_HAND).ok()?).ok()?;
    for name in setting.split('.') {
        let Kind::Map(entries) = node.kind else { return None };
        node = entries.into_iter().find(|(key, _)| key.text == name)?.1;
    }
    Some(format!("{path}:{}:{}", node.at.line, node.at.column))
}

fn runner(runner: Option<&Runner>) -> Result<RunnerSource, Failure> {
    let Some(runner) = runner else { return Ok(RunnerSource::Unset) };
    let need = |value: &Option<String>, field: &str| {
        value.clone().ok_or_else(|| {
            Failure::usage(
                format!("runner.{field} is missing in the configuration"),
                format!("add {field}, or set runner.from to image if the build image has paceline"),
            )
        })
    };
    Ok(match runner.from {
        RunnerFrom::Image => RunnerSource::Installed,
        RunnerFrom::S3 => {
            RunnerSource::S3 { uri: need(&runner.uri, "uri")?, sha256: need(&runner.sha256, "sha256")? }
        }
        RunnerFrom::Https => {
            RunnerSource::Https { url: need(&runner.uri, "uri")?, sha256: need(&runner.sha256, "sha256")? }
        }
    })
}

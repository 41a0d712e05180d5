//! Collects the input of `gen` and `project` from an app, its plan and its configuration.

mod paths;
mod rights;
mod runner;
mod write;

use std::collections::BTreeSet;

use camino::Utf8Path;
use paceline_buildspec::generate::{self, Apps, GenerateError, shell_word};
use paceline_buildspec::{Generation, MultiRegion, RunnerSource, StackNode};
use paceline_config::SettingPlace;
use paceline_plan::{Plan, PlannedStack, Work};

pub use self::write::generate_files;
use crate::app::App;
use crate::failure::Failure;
use paths::{in_repository, lock_file};
pub(crate) use paths::{name, name_of};

/// What is generated besides the buildspecs and the project.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras {
    pub(crate) pipeline: bool,
    pub(crate) fan_out: bool,
}

/// The input for the generated files. `project` is the name of the project. Without it, the project gets the name of the
/// folder that contains the app.
pub(crate) fn generation(
    app: &App,
    plan: &Plan,
    out: &Utf8Path,
    project: Option<&str>,
    extras: Extras,
) -> Result<Generation, Failure> {
    let distinct = |of: fn(&PlannedStack) -> Option<&String>| {
        let mut all: Vec<String> = plan.stacks.iter().filter_map(of).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let runner = runner::source(app)?;
    let is_one = app.config.apps.is_empty();
    let lock_file = match &runner {
        RunnerSource::Npm { lock: Some(lock), .. } => Some(lock.clone()),
        _ if is_one => lock_file(&app.dir),
        _ => None,
    };
    Ok(Generation {
        name: project.map_or_else(|| name(app), str::to_owned),
        out_dir: in_repository(out),
        apps: apps(app),
        config: app.config_path.as_deref().map(in_repository),
        regions: distinct(|stack| stack.region.as_ref()),
        accounts: distinct(|stack| stack.account.as_ref()),
        stacks: plan.stacks.len(),
        stack_names: distinct(|stack| Some(&stack.name)),
        graph: graph(plan),
        images: plan.images(),
        multi_region: app.config.multi_region.as_ref().map(|multi_region| MultiRegion {
            variable: multi_region.when.clone(),
            primary: multi_region.primary.clone(),
        }),
        rollout: app.config.rollout.is_some(),
        codebuild: app.config.codebuild.clone(),
        metrics: app.config.metrics,
        notifications: app.config.notifications.clone(),
        rights: rights::rights(app, plan),
        synth: synth(app, &runner),
        lock_file,
        runner,
        assemblies: rights::folders(app).iter().map(|folder| in_repository(folder)).collect(),
        pipeline: extras.pipeline.then(|| app.config.pipeline.clone()),
        fan_out: extras.fan_out.then(|| app.config.fan_out.clone()),
    })
}

fn apps(app: &App) -> Apps {
    if app.config.apps.is_empty() {
        return Apps::One(in_repository(&app.dir));
    }
    Apps::Several(app.config.apps.values().map(|one| in_repository(&app.dir.join(&one.dir))).collect())
}

/// The command that synthesizes in the build: the `synth` command of the only app, or `paceline synth` for several apps.
fn synth(app: &App, runner: &RunnerSource) -> Option<String> {
    if app.config.apps.is_empty() {
        let synth = app.config.synth.clone()?;
        return Some(match &app.config.install {
            // The same command has installed the runner.
            Some(_) if matches!(runner, RunnerSource::Npm { .. }) => synth,
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

/// Puts a script into a subshell, so that later commands stay in their folder.
fn in_subshell(script: &str) -> String {
    let script = script.trim();
    match script.find(')') {
        Some(at) if script.starts_with('(') && at + 1 == script.len() => script.to_owned(),
        None if !script.contains(['\n', '#', '(']) => format!("({script})"),
        // `((` would begin arithmetic, and a comment would hide the closing `)`.
        _ => format!("(\n{script}\n)"),
    }
}

/// The graph of stacks for a batch or a state machine. A stack depends on another if its step needs that stack's step,
/// directly or through a gate, a command or the barrier of a phase.
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
        account: stack.account.clone().unwrap_or_else(|| "unknown-account".to_owned()),
        region: stack.region.clone().unwrap_or_else(|| "unknown-region".to_owned()),
        images: images[at],
        depends_on: depends_on[at].iter().copied().collect(),
    };
    plan.stacks.iter().enumerate().map(node).collect()
}

/// Refuses a time limit of a stack that is not below the limit of the runner: it would never take effect.
pub fn check_stack_limit(app: &App) -> Result<(), Failure> {
    generate::check_stack_limit(&app.config.codebuild).map_err(|error| {
        let place = place(app, error.setting());
        Failure::from(error).at(place)
    })
}

/// The failure of a generation, with the place of the setting that causes it.
pub(crate) fn refused(app: &App, error: GenerateError) -> Failure {
    let place = nearest_place(app, error.setting());
    Failure::from(error).at(place)
}

/// The place of a setting, or of the section that it is missing from, or the file.
fn nearest_place(app: &App, setting: Option<&str>) -> Option<SettingPlace> {
    let setting = setting?;
    let section = setting.rsplit_once('.').map(|(section, _)| section);
    let found = place(app, Some(setting)).or_else(|| place(app, section));
    found.or_else(|| Some(SettingPlace { file: app.config_path.clone()?, at: None }))
}

/// The place of a setting in the configuration. None if the configuration does not have it.
fn place(app: &App, setting: Option<&str>) -> Option<SettingPlace> {
    app.config.places.get(setting?)
}

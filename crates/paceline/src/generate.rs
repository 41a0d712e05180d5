//! `paceline gen`.

use std::time::Duration;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use paceline_buildspec::project::{CodeBuildSettings, SourceSettings};
use paceline_buildspec::{Generation, Mode, MultiRegion, RunnerSource, generate, reconcile};
use paceline_engine::exit;
use paceline_plan::config::{CodeBuild, Runner, RunnerFrom};

use crate::cli::{GenArgs, GeneratedArgs};
use crate::failure::Failure;
use crate::load::{self, App};
use crate::terminal;

pub(crate) fn run(args: &GenArgs) -> Result<u8, Failure> {
    let check = args.check;
    let args = &args.generated;
    let app = load::app(&args.app)?;
    let plan = app.plan(&app.options_for_all_regions())?;
    let generation = generation(&app, &plan, args)?;
    let files = generate(&generation).map_err(|error| Failure::with_own_hint(&error))?;
    let mode = if check { Mode::Check } else { Mode::Write };
    let reconciled = reconcile(&args.out, &files, mode).map_err(|error| Failure::with_own_hint(&error))?;
    for path in &reconciled.written {
        terminal::say(&format!("wrote {path}"));
    }
    if reconciled.stale.is_empty() {
        if reconciled.written.is_empty() {
            terminal::say(&format!("{} files in {} are up to date", files.len(), args.out));
        }
        return Ok(exit::DONE);
    }
    for stale in &reconciled.stale {
        terminal::print(&stale.diff);
    }
    let config = args.app.config.as_ref().map(|config| format!(" --config {config}"));
    let out = (args.out != "buildspecs").then(|| format!(" --out {}", args.out));
    let name = args.name.as_ref().map(|name| format!(" --name {name}"));
    let options: String = [config, out, name].into_iter().flatten().collect();
    let stale = match reconciled.stale.len() {
        1 => "1 generated file is".to_owned(),
        count => format!("{count} generated files are"),
    };
    terminal::say(&format!(
        "error: {stale} stale in {}\n hint: run: paceline gen --app {}{options}",
        args.out, app.dir
    ));
    Ok(exit::STALE)
}

/// What is generated from an app.
pub(crate) fn generation(
    app: &App,
    plan: &paceline_plan::Plan,
    args: &GeneratedArgs,
) -> Result<Generation, Failure> {
    let distinct = |of: fn(&paceline_plan::PlannedStack) -> Option<&String>| {
        let mut all: Vec<String> = plan.stacks.iter().filter_map(of).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let is_image = |step: &&paceline_plan::Step| matches!(&step.work, paceline_plan::Work::Publish(publish) if publish.image);
    Ok(Generation {
        name: args.name.clone().unwrap_or_else(|| name(&app.dir)),
        out_dir: in_repository(&args.out),
        app_dir: in_repository(&app.dir),
        config: app.config_path.as_deref().map(in_repository),
        regions: distinct(|stack| stack.region.as_ref()),
        accounts: distinct(|stack| stack.account.as_ref()),
        stacks: plan.stacks.len(),
        images: plan.steps.iter().filter(is_image).count(),
        multi_region: app.config.multi_region.as_ref().map(|multi_region| MultiRegion {
            variable: multi_region.when.clone(),
            primary: multi_region.primary.clone(),
        }),
        codebuild: settings(&app.config.codebuild)?,
        runner: runner(app.config.runner.as_ref())?,
        synth: app.config.synth.clone(),
    })
}

/// A path as the build sees it, from the root of the repository: that is where commands like this one are
/// run. A path that leads elsewhere is taken from its own repository, if it is in one.
fn in_repository(path: &Utf8Path) -> String {
    let is_plain = |path: &Utf8Path| {
        path.components().all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir))
    };
    if is_plain(path) {
        return path
            .components()
            .filter(|part| *part != Utf8Component::CurDir)
            .collect::<Utf8PathBuf>()
            .into();
    }
    let full = camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    let full = full.canonicalize_utf8().unwrap_or(full);
    let here = Utf8Path::new(".").canonicalize_utf8().unwrap_or_default();
    let root = full.ancestors().find(|folder| folder.join(".git").exists());
    let inside = full.strip_prefix(&here).ok().or_else(|| full.strip_prefix(root?).ok());
    inside.map_or_else(|| full.file_name().unwrap_or("app").to_owned(), ToString::to_string)
}

/// The folder that holds the app: `workshop/cdk.out` is the app `workshop`.
fn name(dir: &Utf8Path) -> String {
    let full = dir.canonicalize_utf8().unwrap_or_else(|_| dir.to_owned());
    full.parent().and_then(Utf8Path::file_name).unwrap_or("app").to_owned()
}

fn settings(config: &CodeBuild) -> Result<CodeBuildSettings, Failure> {
    fn parse<T: std::str::FromStr<Err = paceline_buildspec::project::SettingError>>(
        text: &str,
    ) -> Result<T, Failure> {
        text.parse().map_err(|error| Failure::with_own_hint(&error))
    }
    let minutes = |time: Duration| u32::try_from(time.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
    let cache: Result<Vec<_>, Failure> = config.cache.iter().map(|mode| parse(mode)).collect();
    Ok(CodeBuildSettings {
        image: parse(&config.image)?,
        compute: parse(&config.compute)?,
        timeout_minutes: minutes(config.timeout),
        cache: Some(cache?),
        privileged: parse(&config.privileged)?,
        queued_timeout_minutes: minutes(config.queued_timeout),
        source: SourceSettings { kind: parse(&config.source)?, location: config.location.clone() },
        artifacts_bucket: config.artifacts_bucket.clone(),
        service_role: config.service_role.clone(),
        ..CodeBuildSettings::default()
    })
}

fn runner(runner: Option<&Runner>) -> Result<RunnerSource, Failure> {
    let Some(runner) = runner else { return Ok(RunnerSource::Installed) };
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

//! `paceline gen`: writes the generated files, or checks that they are up to date.

use camino::Utf8PathBuf;
use paceline_buildspec::generate::{FAN_OUT_TEMPLATE, PIPELINE_TEMPLATE, gaps, generate, has_generated};
use paceline_buildspec::{Generation, Mode, write_files};
use paceline_engine::ExitCode;

use super::{Extras, generation, refused};
use crate::app::configured;
use crate::failure::Failure;
use crate::forecast::finish;
use crate::settings::GenSettings;
use crate::terminal;

/// Writes, removes or checks the generated files.
pub fn generate_files(args: &GenSettings) -> Result<ExitCode, Failure> {
    let GenSettings { generated: args, check, pipeline, fan_out } = args;
    let check = *check;
    let app = configured(&args.app)?.app(&args.app)?;
    let options = app.options_for_all_regions();
    let whole = app.plan(&options)?;
    let name = args.name.clone().unwrap_or_else(|| super::name(&app));
    let is_there = |suffix: &str| has_generated(&args.out, &format!("{name}{suffix}"));
    let extras = Extras {
        pipeline: *pipeline || is_there(PIPELINE_TEMPLATE),
        fan_out: *fan_out || is_there(FAN_OUT_TEMPLATE),
    };
    let generation = generation(&app, &whole, &args.out, Some(&name), extras)?;
    let files = generate(&generation).map_err(|error| refused(&app, error))?;
    // A forecast may be wrong, so this is only a note.
    let (expected, limit) = (finish(&whole)?, generation.runner_limit());
    if expected >= limit {
        let minutes = |time: std::time::Duration| time.as_secs().div_ceil(60);
        let (expected, limit) = (minutes(expected), minutes(limit));
        terminal::say_with_hint(
            &format!(
                "note: the deployment is expected to take {expected} minutes, and the runner stops after {limit}"
            ),
            "raise codebuild.timeout",
        );
    }
    let mode = if check { Mode::Check } else { Mode::Write };
    let changes = write_files(&args.out, Some(&generation.name), &files, mode)?;
    for path in &changes.written {
        terminal::say(&format!("wrote {path}"));
    }
    if generation.codebuild.service_role.is_none() {
        say_role(&changes.written, &generation);
    }
    for path in &changes.removed {
        terminal::say(&format!("removed {path}, which is not generated any more"));
    }
    for gap in gaps(&generation) {
        let how = if gap.is_certain() { "warning" } else { "note" };
        terminal::say_with_hint(&format!("{how}: {}", gap.what()), gap.hint());
    }
    if changes.stale.is_empty() {
        if changes.written.is_empty() && changes.removed.is_empty() {
            terminal::say(&format!("{} files in {} are up to date", files.len(), args.out));
        }
        return Ok(ExitCode::Done);
    }
    for stale in &changes.stale {
        terminal::data(&stale.diff);
    }
    let named = if app.config.apps.is_empty() { format!(" --app {}", app.dir) } else { String::new() };
    let config = args.app.config.as_ref().map(|config| format!(" --config {config}"));
    let out = (args.out != "buildspecs").then(|| format!(" --out {}", args.out));
    let name = args.name.as_ref().map(|name| format!(" --name {name}"));
    let pipeline = pipeline.then(|| " --pipeline".to_owned());
    let fan_out = fan_out.then(|| " --fan-out".to_owned());
    let options: String = [config, out, name, pipeline, fan_out].into_iter().flatten().collect();
    let stale = match changes.stale.len() {
        1 => "1 generated file is".to_owned(),
        count => format!("{count} generated files are"),
    };
    terminal::say_with_hint(
        &format!("error: {stale} stale in {}", args.out),
        &format!("run: paceline gen{named}{options}"),
    );
    Ok(ExitCode::Stale)
}

/// Says that the role in the input for the CLI is only an example. The CloudFormation template creates its own role.
fn say_role(written: &[Utf8PathBuf], generation: &Generation) {
    let suffix = format!("{}.project.json", generation.name);
    if let Some(path) = written.iter().find(|path| path.as_str().ends_with(&suffix)) {
        terminal::say_with_hint(
            &format!(
                "note: the role in {path} is an example: replace it to create the project from that file"
            ),
            &format!(
                "add --service-role ARN to aws codebuild create-project, or set codebuild.service-role; \
                 {}.project.yaml creates its own role",
                generation.name
            ),
        );
    }
}

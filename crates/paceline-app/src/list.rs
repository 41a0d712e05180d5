//! `paceline ls`: the stacks that a command line chooses, as `cdk ls` prints them.

use clap::Args;
use paceline_engine::ExitCode;
use paceline_plan::show::{ListContents, list, list_json};

use crate::app::configured;
use crate::failure::Failure;
use crate::settings::{AppPaths, Format, ParameterValues, Selection};
use crate::terminal;

/// The arguments of `paceline ls`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("strategy", |arg| arg.hide(true)),
    mut_arg("concurrency", |arg| arg.hide(true)),
)]
pub struct ListSettings {
    #[command(flatten)]
    pub app: AppPaths,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub parameters: ParameterValues,
    /// Show the name and the environment of each stack, as YAML
    #[arg(long, short)]
    pub long: bool,
    /// Show the stacks that each stack waits for, by every edge that the plan finds, as YAML
    #[arg(long, short = 'd')]
    pub show_dependencies: bool,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Print JSON, the same as `--format json`
    #[arg(long, short)]
    pub json: bool,
}

/// Prints the stacks.
pub fn list_stacks(settings: &ListSettings) -> Result<ExitCode, Failure> {
    let mut app = configured(&settings.app)?.app(&settings.app)?;
    app.give(&settings.parameters.parameters)?;
    app.warn_of_newer_sources(&[]);
    let format = if settings.json { Format::Json } else { settings.format };
    let plan = match app.plan(&app.selected(&settings.selection, false)?) {
        Err(nothing) if nothing.exit_code == ExitCode::Done && format == Format::Json => {
            terminal::say(&nothing.to_string());
            terminal::data("[]\n");
            return Ok(ExitCode::Done);
        }
        plan => plan?,
    };
    let contents = ListContents { long: settings.long, dependencies: settings.show_dependencies };
    terminal::data(&match format {
        Format::Text => list(&plan, contents),
        Format::Json => list_json(&plan, contents),
    });
    Ok(ExitCode::Done)
}

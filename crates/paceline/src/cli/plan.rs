//! The arguments of the commands that synthesize apps and show plans.

use camino::Utf8PathBuf;
use clap::Args;
use paceline_app::{AppPaths, Format, Lookups, ParameterValues, PlanFormat, Selection, StackOptions};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) app: AppPaths,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) parameters: ParameterValues,
    #[command(flatten)]
    pub(crate) stack: StackOptions,
    /// Forecast the run with a change: 'Storage=-10m' (also =+5m, =12m, =-20%) or 'drop-edge A B'
    #[arg(long, value_name = "CHANGE")]
    pub(crate) what_if: Vec<String>,
    /// Show the few changes that would shorten the run most
    #[arg(long)]
    pub(crate) advice: bool,
    /// Forecast by a deployment to the embedded AWS, instead of by a rehearsal of the engine
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Write the plan to this file, for `deploy --plan`
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<Utf8PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) app: AppPaths,
    /// The stack that waits
    pub(crate) stack: String,
    /// The stack that it waits for [default: every stack]; with `--why-waiting` the run [default: last]
    #[arg(value_name = "ON")]
    pub(crate) on: Option<String>,
    /// Say which limits the stack waited for in a run: `explain --why-waiting STACK [RUN]`; RUN is its name, `last`, or a
    /// file of its events
    #[arg(long)]
    pub(crate) why_waiting: bool,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    #[command(flatten)]
    pub(crate) app: AppPaths,
    /// Only these apps
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<String>,
    #[command(flatten)]
    pub(crate) lookups: Lookups,
}

//! The arguments of the commands that change an environment, wait for it, or tell of it.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::{LookupArgs, ParameterArgs, SelectArgs, duration};

/// How a run goes, and who is told of it.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct RunArgs {
    /// Use the embedded AWS, on virtual time: nothing leaves this machine, and nothing is synthesized
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the app, or the apps, as synthesized last. One that is due in the middle of the run is synthesized then
    #[arg(long)]
    pub(crate) no_synth: bool,
    #[command(flatten)]
    pub(crate) lookups: LookupArgs,
    /// Go on with the interrupted run, and fail if there is none [default: go on if there is one]
    #[arg(long, conflicts_with_all = ["simulate", "dry_run"])]
    pub(crate) resume: bool,
    /// Write every event of the run to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<Utf8PathBuf>,
    /// Keep reports in this folder: JUnit, Markdown, an HTML timeline
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<Utf8PathBuf>,
    /// Start no more stacks after the first failure
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Stop by itself after this time, resumable: less than what the build has left
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Say nothing but problems
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Use no colours, as with the variable `NO_COLOR`
    #[arg(long)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Write the outputs of the stacks to this file, and keep it up to date
    #[arg(long, short = 'O', alias = "outputs-file", value_name = "FILE")]
    pub(crate) outputs: Option<Utf8PathBuf>,
    /// How stacks are changed
    #[arg(long, short, value_enum, default_value = "direct")]
    pub(crate) method: MethodArg,
    #[command(flatten)]
    pub(crate) parameters: ParameterArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Delete them: without this, what would be deleted is shown
    #[arg(long, short, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) parameters: ParameterArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MethodArg {
    /// Create or update at once
    Direct,
    /// By way of a change set
    ChangeSet,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(subcommand)]
    pub(crate) kind: WaitKind,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WaitKind {
    /// Until IAM roles are usable
    IamRole {
        /// The names of the roles
        #[arg(required = true)]
        names: Vec<String>,
        /// Names of instance profiles to wait for as well
        #[arg(long, value_name = "NAME")]
        instance_profile: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The name of a run, or a file of events
    pub(crate) run: String,
    /// Which report
    #[arg(long, value_enum, default_value = "summary")]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReportFormat {
    Summary,
    Markdown,
    Html,
    Junit,
    /// The run's lines for .paceline/history.jsonl
    History,
}

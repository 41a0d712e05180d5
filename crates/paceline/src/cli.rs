//! The arguments of every command.

use std::num::NonZeroUsize;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Deploys AWS CDK apps of many stacks, in several regions, in parallel, from one CodeBuild build
#[derive(Debug, Parser)]
#[command(name = "paceline", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the phases, the order, why stacks wait for each other, and how long it will take
    Plan(PlanArgs),
    /// Show why one stack waits for another, or all that it waits for
    Explain(ExplainArgs),
    /// Write the buildspec and the CodeBuild project settings, to be committed
    Gen(GenArgs),
    /// Deploy the app
    Deploy(Box<DeployArgs>),
    /// Wait for one thing, for scripts
    Wait(WaitArgs),
    /// Make a report from the journal or the events of a run
    Report(ReportArgs),
    /// Compare the generated CodeBuild project with the live one, create or update it
    Project(ProjectArgs),
    /// Print the JSON Schema of paceline.yaml, for editors
    Schema,
    /// The embedded AWS
    Sim(SimArgs),
}

/// Which app, and how it is configured.
#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    /// The folder of the synthesized app [default: what paceline.yaml says, else cdk.out]
    #[arg(long, value_name = "DIR")]
    pub(crate) app: Option<Utf8PathBuf>,
    /// The configuration [default: paceline.yaml in this folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<Utf8PathBuf>,
}

/// Which stacks, and in what order.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Only these stacks: an id, a name, or a pattern with * and ?
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// Not these stacks
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// What decides when a stack may start
    #[arg(long, value_enum)]
    pub(crate) strategy: Option<StrategyArg>,
    /// How many stack operations at once
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StrategyArg {
    /// Only its dependencies
    Graph,
    /// Also the end of every phase before its own
    Phases,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PlanFormat {
    Text,
    Json,
    Mermaid,
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// The stack that waits
    pub(crate) stack: String,
    /// The stack it waits for; without it, all that it waits for
    pub(crate) on: Option<String>,
}

/// What is generated, and where it is kept.
#[derive(Debug, Args)]
pub(crate) struct GeneratedArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Where the files go
    #[arg(long, value_name = "DIR", default_value = "buildspecs")]
    pub(crate) out: Utf8PathBuf,
    /// What the files and the project are called [default: the folder that holds the app]
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GenArgs {
    #[command(flatten)]
    pub(crate) generated: GeneratedArgs,
    /// Write nothing; exit with 5 and show the difference when the files are stale
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Deploy to the embedded AWS on virtual time: nothing leaves this machine
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on with the interrupted run, and fail if there is none [default: go on if there is one]
    #[arg(long, conflicts_with_all = ["simulate", "dry_run"])]
    pub(crate) resume: bool,
    /// Write every event of the run to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<Utf8PathBuf>,
    /// Write the outputs of the stacks to this file, and keep it up to date
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs: Option<Utf8PathBuf>,
    /// Keep reports in this folder: JUnit, Markdown, an HTML timeline
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<Utf8PathBuf>,
    /// How stacks are changed
    #[arg(long, value_enum, default_value = "direct")]
    pub(crate) method: MethodArg,
    /// Start no more stacks after the first failure
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// A value for a stack's parameter; without a stack, for every stack that has it
    #[arg(long, value_name = "[STACK:]KEY=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Stop by itself after this time, resumable: less than what the build has left
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Say nothing but problems
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MethodArg {
    /// Create or update at once
    Direct,
    /// By way of a change set
    ChangeSet,
}

#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    #[command(subcommand)]
    pub(crate) command: ProjectCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Show, field by field, how the live project differs; exit with 5 if it does
    Diff {
        #[command(flatten)]
        generated: GeneratedArgs,
    },
    /// Create or update the live project
    Apply {
        #[command(flatten)]
        generated: GeneratedArgs,
        /// The role of its builds, if the configuration names none
        #[arg(long, value_name = "ARN")]
        service_role: Option<String>,
    },
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
}

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    pub(crate) command: SimCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Answer AWS clients on a port of this machine
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 4566)]
    pub(crate) port: u16,
    /// How many seconds pass in the simulated AWS for each real one
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    /// Whether the images of CDK apps are in ECR already; with `absent`, clients build and push them
    #[arg(long, value_enum, default_value = "present")]
    pub(crate) images: ImagesArg,
    /// The account of the credentials that clients come with
    #[arg(long, default_value = "111111111111")]
    pub(crate) account: String,
    /// Decides what is left to chance
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Say every request
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ImagesArg {
    Present,
    Absent,
}

fn duration(text: &str) -> Result<Duration, String> {
    paceline_plan::config::parse_duration(text).ok_or_else(|| "write it like 230m or 4h".to_owned())
}

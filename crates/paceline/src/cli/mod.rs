//! The arguments of every command.

mod cdk;
mod codebuild;
mod init;
mod lint;
mod outside;
mod plan;
mod run;
mod sim;
mod suggest;

use std::num::NonZeroUsize;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use cdk::{Translated, translate};
pub(crate) use codebuild::{
    GenArgs, GeneratedArgs, ProjectArgs, ProjectCommand, RunBuildspecArgs, StartArgs,
};
pub(crate) use init::InitArgs;
pub(crate) use lint::{DenyArg, LintArgs, LintFormat, SchemaArgs, SchemaOf};
pub(crate) use outside::{BootstrapArgs, SignalArgs};
pub(crate) use plan::{ExplainArgs, LookupArgs, PlanArgs, PlanFormat, SynthArgs};
pub(crate) use run::{
    DeployArgs, DestroyArgs, MethodArg, ReportArgs, ReportFormat, RunArgs, WaitArgs, WaitKind,
};
pub(crate) use sim::{ImagesArg, ServeArgs, SimArgs, SimCommand};
pub(crate) use suggest::without_far_suggestions;

/// Deploys AWS CDK apps of many stacks, in several regions, in parallel, from one CodeBuild build
#[derive(Debug, Parser)]
#[command(name = "paceline", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a paceline.yaml to start from: from a synthesized app, or from a hand-written buildspec
    Init(InitArgs),
    /// Synthesize the app of paceline.yaml, or its apps side by side
    Synth(SynthArgs),
    /// Show the phases, the order, why stacks wait for each other, and how long it will take
    Plan(PlanArgs),
    /// Show why one stack waits for another, or all that it waits for
    Explain(ExplainArgs),
    /// Write the buildspec and the CodeBuild project settings, to be committed
    Gen(GenArgs),
    /// Check buildspecs, also hand-written ones, for mistakes
    Lint(LintArgs),
    /// Run a buildspec on this machine the way CodeBuild does, without Docker
    RunBuildspec(RunBuildspecArgs),
    /// Synthesize the app where paceline.yaml says how, and deploy it
    Deploy(Box<DeployArgs>),
    /// Delete the app's stacks, in the reverse order
    Destroy(Box<DestroyArgs>),
    /// Bootstrap the environments that need it, side by side, with the CDK CLI
    Bootstrap(BootstrapArgs),
    /// Tell the CloudFormation wait condition of an outer stack how a build ended, unless `deploy` has
    Signal(SignalArgs),
    /// Wait for one thing, for scripts
    Wait(WaitArgs),
    /// Make a report from the journal or the events of a run
    Report(ReportArgs),
    /// Compare the generated CodeBuild project with the live one, create or update it, start a build
    Project(ProjectArgs),
    /// Print the JSON Schema of paceline.yaml or of buildspecs, for editors
    Schema(SchemaArgs),
    /// The embedded AWS
    Sim(SimArgs),
}

impl Command {
    /// After which time this process stops by itself. A rehearsal has its own time.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let run = self.run()?;
        run.deadline.filter(|_| !run.simulate)
    }

    /// Whether nothing but problems is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.run().is_some_and(|run| run.quiet)
    }

    /// Whether no colours are to be used.
    pub(crate) fn is_without_colors(&self) -> bool {
        self.run().is_some_and(|run| run.no_color)
    }

    fn run(&self) -> Option<&RunArgs> {
        match self {
            Self::Deploy(args) => Some(&args.run),
            Self::Destroy(args) => Some(&args.run),
            _ => None,
        }
    }
}

/// Which app, and how it is configured.
#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    /// The folder of the synthesized app, taken as it is [default: what paceline.yaml says, else cdk.out]
    #[arg(long, short = 'a', value_name = "DIR")]
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
    /// These stacks and what they need (to delete: and what needs them): ids, names, patterns with * and ? [default: all]
    #[arg(value_name = "STACK", conflicts_with = "only")]
    pub(crate) stacks: Vec<String>,
    /// Of the stacks that are named, these alone
    #[arg(long, short = 'e')]
    pub(crate) exclusively: bool,
    /// All stacks, as when none is named
    #[arg(long, conflicts_with_all = ["stacks", "only"])]
    pub(crate) all: bool,
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
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) concurrency: Option<NonZeroUsize>,
}

/// Values for the parameters of stacks.
#[derive(Debug, Args)]
pub(crate) struct ParameterArgs {
    /// A value for a stack's parameter; without a stack, for every stack that has it
    #[arg(long, value_name = "[STACK:]KEY=VALUE")]
    pub(crate) parameters: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StrategyArg {
    /// Only its dependencies
    Graph,
    /// Also the end of every phase before its own
    Phases,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "write a whole number, at least 1".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    paceline_plan::config::parse_duration(text).ok_or_else(|| "write it like 230m or 4h".to_owned())
}

//! The arguments of every command.

mod cdk;
mod environment;
mod manual;
mod plan;
mod project;
mod schema;
mod signal;
mod sim;
mod suggest;

use std::time::Duration;

use clap::{Parser, Subcommand};
use paceline_app::{
    BootstrapSettings, Deletion, Deployment, DiffSettings, DoctorSettings, GenSettings, HistorySettings,
    InitSettings, LintSettings, ListSettings, Publishing, ReportSettings, RunBuildspecSettings, RunRollback,
    RunSettings, WatchSettings,
};

pub(crate) use cdk::{Translated, translate};
pub(crate) use environment::asked;
pub(crate) use manual::{CompletionsArgs, ManArgs};
pub(crate) use plan::{ExplainArgs, PlanArgs, SynthArgs};
pub(crate) use project::ProjectArgs;
pub(crate) use schema::{SchemaArgs, SchemaOf};
pub(crate) use signal::{SignalArgs, WaitArgs, WaitKind};
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
    /// Write a first paceline.yaml, from a synthesized app or from a hand-written buildspec
    Init(InitSettings),
    /// Synthesize the app of paceline.yaml, or all of its apps at the same time
    Synth(SynthArgs),
    /// Show the phases, the order, why stacks wait for each other, and how long it will take
    Plan(PlanArgs),
    /// List the stacks
    #[command(visible_alias = "list")]
    Ls(ListSettings),
    /// Show why one stack waits for another, or every stack that it waits for
    Explain(ExplainArgs),
    /// Show what a deployment would change, compared with what is deployed or with another assembly
    Diff(Box<DiffSettings>),
    /// Look for everything that can stop a run: templates, assets, docker, roles, bootstrap, quotas, time limits, the clock
    Doctor(DoctorSettings),
    /// Write the buildspec and the CodeBuild project settings, for the team to commit
    Gen(GenSettings),
    /// Check buildspecs, also hand-written ones, for mistakes
    Lint(LintSettings),
    /// Run a buildspec on this machine the way CodeBuild does, without Docker
    RunBuildspec(RunBuildspecSettings),
    /// Synthesize the app if paceline.yaml says how, then deploy it
    Deploy(Box<Deployment>),
    /// Build and publish the assets of stacks, and change no stack
    Publish(Box<Publishing>),
    /// Delete the app's stacks in reverse order
    Destroy(Box<Deletion>),
    /// Watch stacks or a run while somebody deploys them, in any regions
    Watch(WatchSettings),
    /// Undo a run: give the stacks that it updated their earlier templates and parameters back
    Rollback(Box<RunRollback>),
    /// Bootstrap the environments that need it, with the CDK CLI
    Bootstrap(BootstrapSettings),
    /// Signal the wait condition of an outer stack, unless `deploy` has done so
    Signal(SignalArgs),
    /// Wait in a script until one thing is ready
    Wait(WaitArgs),
    /// Make a report from the journal or from the events of a run
    Report(ReportSettings),
    /// List the earlier runs, or compare two of them
    History(HistorySettings),
    /// Compare the generated CodeBuild project with the live one, create or update it, or start a build
    Project(ProjectArgs),
    /// Print the JSON Schema of paceline.yaml, of buildspecs or of a JSON document
    Schema(SchemaArgs),
    /// Print the script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands
    Man(ManArgs),
    /// Run the embedded AWS
    Sim(SimArgs),
}

impl Command {
    /// The time after which this process stops. A simulated run has a clock of its own.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let run = self.run()?;
        run.deadline.filter(|_| !run.simulate)
    }

    /// Whether only problems are shown.
    pub(crate) fn is_quiet(&self) -> bool {
        self.run().is_some_and(|run| run.quiet)
    }

    /// Whether the output has no colours.
    pub(crate) fn is_without_colors(&self) -> bool {
        match self {
            Self::Watch(args) => args.no_color,
            _ => self.run().is_some_and(|run| run.no_color),
        }
    }

    fn run(&self) -> Option<&RunSettings> {
        match self {
            Self::Deploy(args) => Some(&args.run),
            Self::Publish(args) => Some(&args.run),
            Self::Destroy(args) => Some(&args.run),
            Self::Rollback(args) => Some(&args.run),
            _ => None,
        }
    }
}

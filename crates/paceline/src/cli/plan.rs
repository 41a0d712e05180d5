//! The arguments of the commands that show plans.

use clap::{Args, ValueEnum};

use super::{AppArgs, ParameterArgs, SelectArgs};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) parameters: ParameterArgs,
    /// What it would take with a change: 'Storage=-10m' (also =+5m, =12m, =-20%) or 'drop-edge A B'
    #[arg(long, value_name = "CHANGE")]
    pub(crate) what_if: Vec<String>,
    /// The few changes that would shorten the run most
    #[arg(long)]
    pub(crate) advice: bool,
    /// Take the time of this plan from a deployment to the embedded AWS instead of a rehearsal
    #[arg(long)]
    pub(crate) simulate: bool,
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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

#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Only these apps
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<String>,
    #[command(flatten)]
    pub(crate) lookups: LookupArgs,
}

/// What apps are synthesized with, beside what the configuration says.
#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    /// Context of the CDK for the synthesis of an app; without an app, of all
    #[arg(long, short, value_name = "[APP:]KEY=VALUE")]
    pub(crate) context: Vec<String>,
    /// A key of cdk.context.json, or the name of a parameter in it, that is to be looked up again
    #[arg(long, value_name = "[APP:]KEY")]
    pub(crate) refresh_context: Vec<String>,
}

//! The arguments of the commands that show plans.

use clap::{Args, ValueEnum};

use super::{AppArgs, SelectArgs};

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

#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Only these apps
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<String>,
}

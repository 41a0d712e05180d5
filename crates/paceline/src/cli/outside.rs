//! The arguments of the commands for what is around a deployment.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args};

use super::AppArgs;

#[derive(Debug, Args)]
pub(crate) struct BootstrapArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Only the environments of these stacks: an id, a name, or a pattern with * and ?
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// Not those of these stacks
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Print which environments need it and why, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How the CDK CLI is called; what is installed beside the app comes before what is on the PATH
    #[arg(long, value_name = "COMMAND", default_value = "cdk")]
    pub(crate) cdk: String,
    /// More for `cdk bootstrap`, such as --trust or --cloudformation-execution-policies
    #[arg(last = true, value_name = "OPTIONS")]
    pub(crate) more: Vec<String>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("status").required(true)))]
pub(crate) struct SignalArgs {
    /// It ended well
    #[arg(long, group = "status")]
    pub(crate) success: bool,
    /// It failed
    #[arg(long, group = "status")]
    pub(crate) failure: bool,
    /// Why, in one line [default: the build, in CodeBuild]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The configuration, whose `signal` says which variable has the URL [default: paceline.yaml in this folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<Utf8PathBuf>,
}

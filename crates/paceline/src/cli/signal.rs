//! The arguments of `signal` and `wait`.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args, Subcommand};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("status").required(true)))]
pub(crate) struct SignalArgs {
    /// The build succeeded
    #[arg(long, group = "status")]
    pub(crate) success: bool,
    /// The build failed
    #[arg(long, group = "status")]
    pub(crate) failure: bool,
    /// The reason, in one line [default: in CodeBuild, the id of the build]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The configuration. Its `signal` names the variable that has the URL [default: paceline.yaml in this folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<Utf8PathBuf>,
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
        /// The name of an instance profile to wait for, too
        #[arg(long, value_name = "NAME")]
        instance_profile: Vec<String>,
    },
}

//! The arguments of the commands about buildspecs and CodeBuild projects.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use super::AppArgs;

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

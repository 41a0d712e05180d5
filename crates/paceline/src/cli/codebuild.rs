//! The arguments of the commands about buildspecs and CodeBuild projects.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use paceline_buildspec::project::{ComputeType, Image};

use super::{AppArgs, duration};

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

/// Which buildspec, and what CodeBuild would be given with it.
#[derive(Debug, Args)]
pub(crate) struct RunBuildspecArgs {
    /// The buildspec
    pub(crate) file: Utf8PathBuf,
    /// The folder of the source, which the build works in: it is not copied [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<Utf8PathBuf>,
    /// A variable of the build, in place of what the buildspec says
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Copy the artifacts and reports of the build to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) artifacts: Option<Utf8PathBuf>,
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
    /// Start a build, follow its phases and its log, and end as it ends
    Start(Box<StartArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) generated: GeneratedArgs,
    /// A variable on top of the project's
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// What to build: a branch, a commit, a tag, or a version of the source's object
    #[arg(long, value_name = "VERSION")]
    pub(crate) source_version: Option<String>,
    /// Another build image
    #[arg(long)]
    pub(crate) image: Option<Image>,
    /// Another compute type, such as large
    #[arg(long)]
    pub(crate) compute: Option<ComputeType>,
    /// Another timeout
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Starting again with the same token within five minutes starts nothing, and follows the same build
    #[arg(long, value_name = "TOKEN")]
    pub(crate) idempotency_token: Option<String>,
    /// Stop the build when this is interrupted [default: it goes on]
    #[arg(long)]
    pub(crate) stop_on_interrupt: bool,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it like KEY=VALUE".to_owned()),
    }
}

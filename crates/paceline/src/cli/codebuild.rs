//! The arguments of the commands about buildspecs and CodeBuild projects.

use camino::Utf8PathBuf;
use clap::Args;
use paceline_app::{ProjectCommand, variable};

/// The arguments of `paceline run-buildspec`.
#[derive(Debug, Args)]
pub(crate) struct RunBuildspecArgs {
    /// The buildspec
    pub(crate) file: Utf8PathBuf,
    /// The folder of the source. The build works in it, not in a copy [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<Utf8PathBuf>,
    /// A variable of the build, in place of the buildspec's
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

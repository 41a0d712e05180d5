//! The arguments of `project`.

use clap::Args;
use paceline_app::ProjectCommand;

#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    #[command(subcommand)]
    pub(crate) command: ProjectCommand,
}

//! The arguments of the commands that describe the command line itself.

use camino::Utf8PathBuf;
use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
    /// Accepted because every command accepts it, and not used
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) config: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command to this folder, instead of printing the page of `paceline`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<Utf8PathBuf>,
    /// Accepted because every command accepts it, and not used
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) config: Option<Utf8PathBuf>,
}

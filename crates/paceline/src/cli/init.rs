//! The arguments of `init`.

use camino::Utf8PathBuf;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The synthesized app, or the folder of a CDK app [default: cdk.out, else this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) app: Option<Utf8PathBuf>,
    /// A hand-written buildspec to take over; its paths are those from this folder
    #[arg(long, value_name = "BUILDSPEC")]
    pub(crate) from: Vec<Utf8PathBuf>,
    /// The file to write; - for standard output
    #[arg(long, visible_alias = "config", value_name = "FILE", default_value = paceline_plan::config::FILE_NAME)]
    pub(crate) out: Utf8PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

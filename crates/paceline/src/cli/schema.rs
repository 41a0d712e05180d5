//! The arguments of `schema`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The file that the schema is for
    #[arg(value_enum, default_value = "config")]
    pub(crate) of: SchemaOf,
    /// Write the schema to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<Utf8PathBuf>,
    /// Write nothing. If that file is stale, show the difference and exit with 5
    #[arg(long, requires = "out")]
    pub(crate) check: bool,
    /// Accepted because every command accepts it, and not used
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) config: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaOf {
    /// paceline.yaml
    Config,
    /// A buildspec
    Buildspec,
    /// The JSON report of a run
    Report,
    /// The JSON of `paceline diff`
    Diff,
    /// The JSON of `paceline doctor`
    Doctor,
}

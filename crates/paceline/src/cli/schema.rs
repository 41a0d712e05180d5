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
    /// An event of a run: a line of `--events`, of `watch`, and of a run with `--format json`
    Events,
    /// The JSON report of a run
    Report,
    /// The JSON of `paceline bootstrap --dry-run`
    Bootstrap,
    /// The JSON of `paceline destroy` that only shows what it would do
    Destroy,
    /// The JSON of `paceline diff`
    Diff,
    /// The JSON of `paceline doctor`
    Doctor,
    /// The JSON of `paceline explain`
    Explain,
    /// The JSON of `paceline history`
    History,
    /// The JSON of `paceline history compare`
    HistoryCompare,
    /// The JSON of `paceline lint`
    Lint,
    /// The JSON of `paceline ls`
    Ls,
    /// The JSON of `paceline plan`, and of `paceline deploy --dry-run`
    Plan,
    /// The JSON of `paceline project apply`
    ProjectApply,
    /// The JSON of `paceline project diff`
    ProjectDiff,
    /// A line of the JSON of `paceline project start`
    ProjectStart,
    /// The JSON of `paceline publish --dry-run`
    Publish,
    /// The JSON of `paceline rollback` that only shows what it would do
    Rollback,
    /// The JSON of `paceline explain --why-waiting`
    WhyWaiting,
}

//! The arguments of the commands that check buildspecs and describe formats.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// The buildspecs; - is standard input
    #[arg(required_unless_present = "explain", value_name = "FILE")]
    pub(crate) files: Vec<Utf8PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: LintFormat,
    /// Fix what needs no decision, in the file. For standard input, print the fixed text
    #[arg(long)]
    pub(crate) fix: bool,
    /// The lowest severity that makes the command exit with 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "warning")]
    pub(crate) deny: DenyArg,
    /// The project that runs the buildspecs, as JSON of create-project or of batch-get-projects
    #[arg(long, value_name = "FILE")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// The configuration whose project runs the buildspecs, in place of --project
    #[arg(long, value_name = "FILE", conflicts_with = "project")]
    pub(crate) config: Option<Utf8PathBuf>,
    /// Explain a rule such as PL203; `all` lists the rules
    #[arg(long, value_name = "CODE", conflicts_with_all = ["files", "fix"])]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    Text,
    Json,
    Sarif,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DenyArg {
    Error,
    Warning,
    Note,
}

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

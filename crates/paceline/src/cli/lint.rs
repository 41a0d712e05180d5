//! The arguments of the commands that check buildspecs and describe formats.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// The buildspecs; - is standard input
    #[arg(required_unless_present = "explain", value_name = "FILE")]
    pub(crate) files: Vec<Utf8PathBuf>,
    /// How to show what is found
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: LintFormat,
    /// Mend what needs no decision, in place; of standard input, print it mended
    #[arg(long)]
    pub(crate) fix: bool,
    /// From which severity on a finding makes the command end with 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "warning")]
    pub(crate) deny: DenyArg,
    /// The project that runs the buildspecs, as create-project takes it or batch-get-projects shows it
    #[arg(long, value_name = "FILE")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// The configuration whose project runs the buildspecs, in place of --project
    #[arg(long, value_name = "FILE", conflicts_with = "project")]
    pub(crate) config: Option<Utf8PathBuf>,
    /// Print the explanation of a rule such as PL203, or with all the list of rules
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
    /// Of which file
    #[arg(value_enum, default_value = "config")]
    pub(crate) of: SchemaOf,
    /// Write it there
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<Utf8PathBuf>,
    /// Write nothing; exit with 5 and show the difference when that file is stale
    #[arg(long, requires = "out")]
    pub(crate) check: bool,
    /// Taken as by every command, and not looked at
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) config: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaOf {
    /// paceline.yaml
    Config,
    /// A buildspec
    Buildspec,
}

//! The arguments of `signal`, `wait` and `report`.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("status").required(true)))]
pub(crate) struct SignalArgs {
    /// The build succeeded
    #[arg(long, group = "status")]
    pub(crate) success: bool,
    /// The build failed
    #[arg(long, group = "status")]
    pub(crate) failure: bool,
    /// The reason, in one line [default: in CodeBuild, the id of the build]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The configuration. Its `signal` names the variable that has the URL [default: paceline.yaml in this folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(subcommand)]
    pub(crate) kind: WaitKind,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WaitKind {
    /// Until IAM roles are usable
    IamRole {
        /// The names of the roles
        #[arg(required = true)]
        names: Vec<String>,
        /// The name of an instance profile to wait for, too
        #[arg(long, value_name = "NAME")]
        instance_profile: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The name of a run, `last` for the newest one, or a file of events
    pub(crate) run: String,
    /// The kind of report
    #[arg(long, value_enum, default_value = "summary")]
    pub(crate) format: ReportFormat,
    /// Write the report to this file, and replace the file if it exists
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// As at the end of a run
    Summary,
    /// For a pull request or a chat
    Markdown,
    /// The timeline as a page
    Html,
    /// The timeline as a picture
    Svg,
    /// For the reports of CodeBuild
    Junit,
    /// For programs; `paceline schema report` prints its schema
    Json,
    /// For Perfetto, and the trace viewer of Chrome
    Trace,
    /// An OpenTelemetry trace, as OTLP in JSON
    Otlp,
    /// The run's lines for .paceline/history.jsonl
    History,
}

//! Arguments that several commands share: the app, the stacks, the settings of a run.
//!
//! One field here is the setting, its flag, and its line in `--help`, for every command that has it.

use std::num::NonZeroUsize;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use paceline_config::{ComputeType, Image, MetricsTarget, Strategy};

use crate::failure::Failure;
use crate::terminal;

/// The app and its configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct AppPaths {
    /// The folder of the synthesized app, which is not synthesized again [default: what paceline.yaml says, else cdk.out]
    #[arg(long, short = 'a', value_name = "DIR")]
    pub app: Option<Utf8PathBuf>,
    /// The configuration [default: paceline.yaml in this folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
}

/// The stacks of an app that a command works on, and the strategy for their order.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// These stacks and what they need (to delete: and what needs them): ids, names, patterns with * and ?, `region:`,
    /// `account:` or `phase:` with a pattern; `Web+` is also what needs Web [default: all]
    #[arg(value_name = "STACK", conflicts_with = "only")]
    pub stacks: Vec<String>,
    /// The named stacks alone, without what they need
    #[arg(long, short = 'e')]
    pub exclusively: bool,
    /// All stacks, the same as naming none
    #[arg(long, conflicts_with_all = ["stacks", "only"])]
    pub all: bool,
    /// Only these stacks, written in the same way; `+Web` is also what Web needs
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Not these stacks
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Only stacks whose template, assets or settings differ from another synthesized app: its folder, or a commit that
    /// has it
    #[arg(long, value_name = "DIR-OR-COMMIT")]
    pub affected_by: Option<String>,
    /// What decides when a stack may start
    #[arg(long, value_enum)]
    pub strategy: Option<StrategySetting>,
    /// The most stack operations at a time
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub concurrency: Option<NonZeroUsize>,
}

impl Selection {
    /// Whether all stacks are meant.
    pub(crate) fn is_all(&self) -> bool {
        let Self { stacks, only, exclude, affected_by, .. } = self;
        stacks.is_empty() && only.is_empty() && exclude.is_empty() && affected_by.is_none()
    }
}

/// What decides when a stack may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StrategySetting {
    /// The stacks that it depends on
    Graph,
    /// Those, and every stack of an earlier phase
    Phases,
}

impl From<StrategySetting> for Strategy {
    fn from(setting: StrategySetting) -> Self {
        match setting {
            StrategySetting::Graph => Self::Graph,
            StrategySetting::Phases => Self::Phases,
        }
    }
}

/// Where the figures of a run go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsSetting {
    /// To CloudWatch
    Cloudwatch,
    /// To stdout, in CloudWatch's embedded metric format
    Emf,
    /// Nowhere
    Off,
}

impl From<MetricsSetting> for MetricsTarget {
    fn from(setting: MetricsSetting) -> Self {
        match setting {
            MetricsSetting::Cloudwatch => Self::Cloudwatch,
            MetricsSetting::Emf => Self::Emf,
            MetricsSetting::Off => Self::Off,
        }
    }
}

/// Values for the parameters of stacks.
#[derive(Debug, Clone, Default, Args)]
pub struct ParameterValues {
    /// The value of a stack's parameter; without a stack, of every stack that has the parameter
    #[arg(long, value_name = "[STACK:]KEY=VALUE")]
    pub parameters: Vec<String>,
}

/// Context for the synthesis of apps, in addition to the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct Lookups {
    /// A context value for the synthesis of one app; without an app, of all apps
    #[arg(long, short, value_name = "[APP:]KEY=VALUE")]
    pub context: Vec<String>,
    /// Look up again this key of cdk.context.json, or the parameter of this name
    #[arg(long, value_name = "[APP:]KEY")]
    pub refresh_context: Vec<String>,
}

/// The settings of a run and of its reports.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct RunSettings {
    /// Use the embedded AWS on virtual time: nothing leaves this machine, and no app is synthesized
    #[arg(long)]
    pub simulate: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Use the apps as they were last synthesized. An app that must be synthesized during the run still is
    #[arg(long)]
    pub no_synth: bool,
    #[command(flatten)]
    pub lookups: Lookups,
    /// Continue the interrupted run, and fail if there is none [default: continue if there is one]. With the name of a run,
    /// or `last`, also a run of another machine, which the staging bucket has
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", value_parser = run_to_resume,
        conflicts_with_all = ["simulate", "dry_run"])]
    pub resume: Option<String>,
    /// Write every event of the run to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub events: Option<Utf8PathBuf>,
    /// Keep reports in this folder: JUnit, Markdown, an HTML timeline
    #[arg(long, value_name = "DIR")]
    pub report: Option<Utf8PathBuf>,
    /// End the run at the first failure. What runs in AWS then goes on there
    #[arg(long)]
    pub fail_fast: bool,
    /// Stop after this time, so that the run can be resumed. Choose less than the build has left
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// What to do while another run is changing one of the stacks, as its lease in the staging bucket says
    #[arg(long, value_enum, default_value = "wait")]
    pub lock: LockSetting,
    /// Where the figures of the run go, in place of what paceline.yaml says
    #[arg(long, value_enum, value_name = "WHERE")]
    pub metrics: Option<MetricsSetting>,
    /// Show only problems
    #[arg(long, short)]
    pub quiet: bool,
    /// Show each change of a resource as a line
    #[arg(long, short, conflicts_with = "quiet")]
    pub verbose: bool,
    /// What is written to stdout: nothing, or every event as a line of JSON, as --events writes it. If the command only
    /// shows what it would do: this, as text or as one JSON document
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Use no colours, like the variable `NO_COLOR`
    #[arg(long)]
    pub no_color: bool,
}

/// What a run does while another run is changing one of its stacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LockSetting {
    /// Wait until the other run has ended
    #[default]
    Wait,
    /// End before anything is touched
    Refuse,
    /// Take no lease, and look at none
    None,
}

/// For whom a command writes to stdout. `paceline schema COMMAND` prints the JSON Schema of its JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

impl Format {
    /// Prints a text for people, or a document for programs.
    pub fn print(
        self,
        text: impl FnOnce() -> Result<String, Failure>,
        json: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        match self {
            Self::Text => terminal::print(&text()?),
            Self::Json => terminal::data(&json()?),
        }
        Ok(())
    }
}

/// The generated files: their app, their folder, their name.
#[derive(Debug, Clone, Args)]
pub struct GeneratedFiles {
    #[command(flatten)]
    pub app: AppPaths,
    /// The folder of the generated files
    #[arg(long, value_name = "DIR", default_value = "buildspecs")]
    pub out: Utf8PathBuf,
    /// The name of the files and of the project [default: the folder that holds the app]
    #[arg(long)]
    pub name: Option<String>,
}

/// The arguments of `paceline gen`.
#[derive(Debug, Clone, Args)]
pub struct GenSettings {
    #[command(flatten)]
    pub generated: GeneratedFiles,
    /// Also generate a pipeline that plans, waits for the approval of the plan, and deploys exactly this plan. Once it is
    /// generated, `gen` keeps it up to date without this flag, too
    #[arg(long)]
    pub pipeline: bool,
    /// Also generate a state machine of Step Functions that deploys each environment with a build of its own. Once it is
    /// generated, `gen` keeps it up to date without this flag, too
    #[arg(long)]
    pub fan_out: bool,
    /// Write nothing. If the files are stale, show the difference and exit with 5
    #[arg(long)]
    pub check: bool,
}

/// The build that is started.
#[derive(Debug, Clone, Args)]
pub struct StartSettings {
    #[command(flatten)]
    pub generated: GeneratedFiles,
    /// A variable that is added to those of the project
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// What to build: a branch, a commit, a tag, or a version of the source's object
    #[arg(long, value_name = "VERSION")]
    pub source_version: Option<String>,
    /// The build image, in place of the project's
    #[arg(long)]
    pub image: Option<Image>,
    /// The compute type, such as large, in place of the project's
    #[arg(long)]
    pub compute: Option<ComputeType>,
    /// The timeout, in place of the project's
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Start one build for this token within five minutes: the second command follows the build of the first
    #[arg(long, value_name = "TOKEN")]
    pub idempotency_token: Option<String>,
    /// Stop the build when this command is interrupted [default: the build continues]
    #[arg(long)]
    pub stop_on_interrupt: bool,
    /// What is written to stdout: the log of the build, or everything that happens in it, one JSON object a line
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// Reads a number of the command line that is at least 1.
pub(crate) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "write a whole number, at least 1".to_owned())
}

/// Reads a duration of the command line.
pub fn duration(text: &str) -> Result<Duration, String> {
    paceline_config::parse_duration(text).ok_or_else(|| "write it like 230m or 4h".to_owned())
}

/// Reads a variable of the command line.
pub fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it like KEY=VALUE".to_owned()),
    }
}

/// The name that stands for the newest run.
pub const LAST: &str = "last";

/// Whether a text looks like the name of a run, such as `20260102T030405Z-0123abcd`, which is the name of no stack.
pub(crate) fn is_name_of_run(text: &str) -> bool {
    let Some((start, key)) = text.split_once("Z-") else { return false };
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    start.split_once('T').is_some_and(|(date, time)| digits(date, 8) && digits(time, 6))
        && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the run to continue. It is empty if the option has no value.
fn run_to_resume(text: &str) -> Result<String, String> {
    if text.is_empty() || text == LAST || is_name_of_run(text) {
        Ok(text.to_owned())
    } else {
        Err("this is not the name of a run; write the names of stacks before --resume".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_run_is_no_name_of_a_stack() {
        assert!(is_name_of_run("20260102T030405Z-0123abcd"));
        for name in ["last", "Services", "2026T03Z-0123abcd", "A20260102T030405Z-0123abcd", "Z-1"] {
            assert!(!is_name_of_run(name), "{name}");
        }
    }
}

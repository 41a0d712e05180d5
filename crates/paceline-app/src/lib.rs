//! The work of the commands on an app: plan it, forecast it, generate files from it, deploy it, delete it. A run goes to
//! AWS or to the embedded AWS.
//!
//! This crate connects the other crates, which do not know each other. One reads the assembly, one makes the plan, one
//! executes it, one calls AWS, and one writes the reports.

mod app;
mod bootstrap;
mod build;
mod diff;
mod diff_change_sets;
mod display;
mod doctor;
mod failure;
mod forecast;
mod generation;
mod init;
pub mod interrupt;
mod lint;
mod list;
mod overview;
mod past_runs;
mod project;
mod report;
mod run;
mod run_buildspec;
mod runtime;
mod settings;
mod simulation;
mod stack_options;
pub mod terminal;
mod watch;
mod why_waiting;

pub use app::{App, Configured, Parameters, Synthesized, configured, synthesize_apps};
pub use bootstrap::{BootstrapSettings, bootstrap, json_schema as bootstrap_schema};
pub use build::json_schema as build_schema;
pub use diff::{DiffFormat, DiffSettings, diff};
pub use doctor::{DoctorSettings, doctor, json_schema as doctor_schema};
pub use failure::Failure;
pub use forecast::{ForecastRequest, PlanFormat, show, warn_of_sources};
pub use generation::{check_stack_limit, generate_files};
pub use init::{InitSettings, init};
pub use lint::{LintSettings, lint_files};
pub use list::{ListSettings, list_stacks};
pub use overview::{is_new_app, overview};
pub use past_runs::{HistorySettings, past_runs};
pub use project::{ProjectCommand, apply_schema, diff_schema, project};
pub use report::{ReportSettings, report};
pub use run::{
    CopiedJournal, Deletion, Deployment, MethodSetting, OuterStack, Publishing, RUNS, RunRollback, deploy,
    destroy, history, publish, publish_schema, rollback, save_plan, this_build,
};
pub use run_buildspec::{RunBuildspecSettings, run_buildspec};
pub use settings::{
    AppPaths, Format, GenSettings, GeneratedFiles, LAST, LockSetting, Lookups, MetricsSetting,
    ParameterValues, RunSettings, Selection, StartSettings, StrategySetting, duration, variable,
};
pub use stack_options::StackOptions;
pub use watch::{WatchSettings, watch};
pub use why_waiting::why_waiting;

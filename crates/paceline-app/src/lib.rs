//! An app on this machine, and what the commands do with it: its plan and forecast, what is generated from it, and its
//! deployment or deletion, in AWS or in the embedded one.
//!
//! Here the other crates are put together. Each of them has its own job and does not know the rest: the assembly is
//! read, the plan is made, the engine executes it, and AWS and the reports hear of it.

mod app;
mod bootstrap;
mod build;
mod failure;
mod forecast;
mod generation;
mod init;
pub mod interrupt;
mod project;
mod run;
mod runtime;
mod settings;
mod simulation;
pub mod terminal;

pub use app::{App, Configured, Parameters, Synthesized, configured, synthesize_apps};
pub use bootstrap::{BootstrapSettings, bootstrap};
pub use failure::Failure;
pub use forecast::{Asked, PlanFormat, show, warn_of_sources};
pub use generation::{check_stack_limit, generate_files};
pub use init::{InitSettings, init};
pub use project::{ProjectCommand, project};
pub use run::{
    Deletion, Deployment, MethodSetting, RUNS, Waiting, deploy, destroy, history, save_plan, this_build,
};
pub use settings::{
    AppPaths, GenSettings, GeneratedFiles, Lookups, ParameterValues, RunSettings, Selection, StartSettings,
    StrategySetting, duration, variable,
};

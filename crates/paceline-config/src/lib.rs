//! `paceline.yaml`: what a team says about its deployment that the assembly does not.
//!
//! Every field has a default. A field that does not exist is an error, with line and column, so that
//! a typing mistake is never a silent default.

mod apps;
mod codebuild;
mod commands;
mod config;
mod edges;
mod outside;
mod patterns;
mod price;
mod schema;
mod wording;

pub use apps::{AppConfig, is_in_app_name};
pub use codebuild::{Batch, CodeBuild, Runner, RunnerFrom, Timeouts, Vpc};
pub use commands::CommandConfig;
pub use config::{
    Concurrency, Config, ConfigError, FILE_NAME, FailurePolicy, GateConfig, IamRoles, MultiRegion, OnFailure,
    PhaseConfig, Rollback, Strategy, Unchanged, Version, parse_duration,
};
pub use edges::{DeclaredEdge, Reason, Relax, Until};
pub use outside::Signal;
pub use patterns::{Pattern, Patterns};
pub use price::Dollars;
pub use schema::schema;

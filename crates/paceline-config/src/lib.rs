//! `paceline.yaml`: what a team says about its deployment that the assembly does not.
//!
//! Every setting has a default, a type that refuses what cannot be meant, and a place in the file. Each is declared
//! once, in the struct that it is a field of: the field's name is the key, its documentation the description in the
//! JSON [`schema`]. A key that does not exist is an error, so that a typing mistake is never a silent default.

mod approve;
mod apps;
mod codebuild;
mod commands;
mod config;
mod duration;
mod edges;
mod error;
mod fan_out;
mod gates;
mod metrics;
mod misplaced;
mod notifications;
mod patterns;
mod pipeline;
mod places;
mod prewarm;
mod price;
mod rollout;
mod run;
mod secrets;
mod setting;
mod signal;
mod stacks;
mod traces;

pub use approve::{Approve, Broadening, RefusedReplacement};
pub use apps::{AppConfig, is_in_app_name};
pub use codebuild::{
    BatchBy, BuildTimeout, CacheMode, CodeBuild, ComputeType, HostKernel, Image, ImageError, LogRetention,
    Minutes, Privileged, QueueTimeout, RetryLimit, Runner, RunnerFrom, SourceType, Timeouts, Vpc,
};
pub use commands::CommandConfig;
pub use config::{Config, FILE_NAME, Version, schema};
pub use duration::parse_duration;
pub use edges::{DeclaredEdge, Reason, Relax, Until};
pub use error::ConfigError;
pub use fan_out::FanOut;
pub use gates::{GateConfig, IamRoles};
pub use metrics::{METRIC_NAMESPACE, MetricsTarget};
pub use notifications::{
    EventBus, Notifications, Occasion, ParameterName, TopicArn, Webhook, WebhookTemplate, WebhookTexts,
};
pub use patterns::{Pattern, Patterns};
pub use pipeline::{BranchName, ConnectionArn, KeyArn, Pipeline};
pub use places::{SettingPlace, SettingPlaces};
pub use prewarm::{Prewarm, RepositoryName};
pub use price::Dollars;
pub use rollout::{AlarmNames, OnAlarm, RegionName, Rollout, Then};
pub use run::{
    Concurrency, FailedRun, FailurePolicy, HistoryPlace, JournalCopy, JournalSettings, OnFailure, RateFactor,
    Rollback, Strategy, Stuck, Unchanged,
};
pub use secrets::{WrittenSecret, written_secrets};
pub use setting::SettingError;
pub use signal::{Signal, SignalId, VariableName};
pub use stacks::{MultiRegion, PhaseConfig};
pub use traces::{CollectorUrl, Traces};

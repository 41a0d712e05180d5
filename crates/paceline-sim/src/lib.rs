//! A simulated AWS on virtual time, in process or over HTTP.
//!
//! A [`Simulator`] is a state machine: an HTTP request and the time go in, an HTTP response comes out. It
//! speaks the wire protocols of the services that a CDK deployment uses, so real clients can call it. It is
//! as strict as AWS where a deployment tool would notice. It has no clock and no background tasks: work that
//! takes time is due at some moment, and happens when a later request arrives. The same seed and the same
//! requests therefore give the same answers.
//!
//! There are two ways to call it:
//!
//! - [`SimHttpClient`] is an HTTP client for the AWS SDK. With tokio's time paused, a deployment of two
//!   hours takes milliseconds.
//! - [`serve`](serve::serve) answers on a socket, to any client.
//!
//! A [`Proxy`] in front of a [`SimHttpClient`] can lose calls, refuse them, or replace their answers.
//!
//! | service | simulated |
//! |---|---|
//! | CloudFormation | stacks, change sets, events, exports, nested stacks, rollbacks, throttling |
//! | STS | `GetCallerIdentity`, `AssumeRole` across accounts |
//! | SSM | parameters, written by callers and by stacks |
//! | Secrets Manager | the existence of secrets, for dynamic references |
//! | S3 | the buckets of bootstraps and of stacks: objects, multipart uploads |
//! | ECR | the existence of images |
//! | IAM | the roles of stacks, with eventual consistency |
//! | CodeBuild | projects; builds, whose phases take time but run nothing |
//! | CloudWatch Logs | the logs of builds |
//! | CloudWatch | metrics, which no request reads back; alarms, whose states are given |
//! | SNS, EventBridge | messages and events, which reach nobody; rules, which start builds when a stack's status changes |
//! | ECS, Auto Scaling | what they say of resources that hang |
//!
//! Most resource types have no simulation of their own. A resource takes the typical time of its type, and
//! has a plausible physical id and plausible attributes. No intrinsic function fails because of their form.
//! The simulation is exact where stacks affect each other: SSM parameters, exports, roles, buckets,
//! repositories, names that must be unique, and the custom resources with which CDK apps reach into other
//! regions.
//!
//! Not modelled: property schemas; the properties that force a replacement (only names do); macros and the
//! `Transform` section, apart from `AWS::LanguageExtensions`; drift; stack sets; imports of existing
//! resources, which are created instead; stack policies; rollback triggers; the timing of express mode; the
//! propagation of tags to resources; wait conditions, which complete at once; an update of a nested stack
//! whose properties did not change.

#![warn(missing_docs)]

mod alarm;
mod client;
mod clock;
mod options;
mod past;
pub mod proxy;
mod random;
mod resources;
pub mod serve;
mod services;
mod simulator;
mod stack;
mod template;
mod wire;
mod world;
mod written;

pub use alarm::{AlarmState, SimAlarm};
pub use client::SimHttpClient;
pub use clock::VirtualClock;
pub use options::{
    Accounts, Bootstrap, Failure, Faults, Hanging, Images, Sessions, SimOptions, StaleReads,
    ValidationFinding,
};
pub use paceline_plan::durations::{Durations, ResourceOperation as Operation};
pub use proxy::{Calls, Mishap, Passed, Proxy};
pub use simulator::Simulator;
pub use world::{Call, Message, StackSummary, StoredMetric};
pub use written::WriteItLike;

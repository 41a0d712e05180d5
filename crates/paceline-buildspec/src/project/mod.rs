//! The CodeBuild project that runs a buildspec.
//!
//! [`Project`] is the input of `CreateProject`. It serializes to the input of `aws codebuild create-project
//! --cli-input-json`. [`cloudformation::template`] is the same project as a CloudFormation template, with its
//! log group and its roles. [`Project::check`] finds combinations that CodeBuild refuses, and
//! [`Timeouts::disorder`] finds limits that cannot take effect.

mod artifacts;
mod cache;
mod check;
pub mod cloudformation;
mod environment;
pub mod monitoring;
pub mod resources;
mod rights;
pub mod role;
mod source;
mod timeouts;
pub mod wake;

use paceline_config::{CodeBuild, RetryLimit};
use serde::{Deserialize, Serialize};

pub use artifacts::{ArtifactsType, ProjectArtifacts};
pub use cache::{CacheType, LocalCacheMode, ProjectCache};
pub use check::ProjectError;
pub use environment::{
    BuildEnvironment, DockerServer, EnvironmentType, EnvironmentVariable, ImagePullCredentials, VariableType,
};
pub use rights::{CUSTOM_RESOURCE, EXPLAINED, Located, OwnStack, Rights, Unaided};
pub use source::Source;
pub(crate) use source::object;
pub use timeouts::{Disorder, Level, Timeouts};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Project {
    pub name: String,
    pub description: String,
    pub source: Source,
    pub artifacts: ProjectArtifacts,
    pub cache: ProjectCache,
    pub environment: BuildEnvironment,
    /// The role of the builds. It is absent if the CloudFormation template creates the role. Users who create
    /// the project by hand name the role with `--service-role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_role: Option<String>,
    pub timeout_in_minutes: u32,
    pub queued_timeout_in_minutes: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_retry_limit: Option<u32>,
    pub tags: Vec<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_config: Option<VpcConfig>,
    pub logs_config: LogsConfig,
    /// The settings of batches, each of which consists of several builds of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_batch_config: Option<BuildBatchConfig>,
}

/// The properties of a project that follow from the deployment and not from a setting alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub name: String,
    pub description: String,
    /// The path of the buildspec, relative to the root of the source.
    pub buildspec: String,
    /// The number of Docker images that a build makes.
    pub images: usize,
    pub queued_timeout_in_minutes: u32,
    /// The timeout of a batch. `None` if builds do not run in batches.
    pub batch_timeout_in_minutes: Option<u32>,
}

impl Project {
    pub fn of(settings: &CodeBuild, deployment: Deployment) -> Self {
        let Deployment { name, description, buildspec, images, .. } = deployment;
        Self {
            source: Source::of(settings, buildspec),
            artifacts: ProjectArtifacts::of(settings, &name),
            cache: ProjectCache::of(settings, images),
            environment: BuildEnvironment::of(settings, images),
            service_role: settings.service_role.clone(),
            timeout_in_minutes: settings.timeout.minutes(),
            queued_timeout_in_minutes: deployment.queued_timeout_in_minutes,
            auto_retry_limit: settings.auto_retry_limit.map(RetryLimit::get),
            tags: tags(settings),
            vpc_config: settings.vpc.as_ref().map(|vpc| VpcConfig {
                vpc_id: vpc.id.clone(),
                subnets: vpc.subnets.clone(),
                security_group_ids: vpc.security_groups.clone(),
            }),
            logs_config: LogsConfig {
                cloud_watch_logs: CloudWatchLogs {
                    status: "ENABLED".to_owned(),
                    group_name: format!("/aws/codebuild/{name}"),
                },
            },
            build_batch_config: deployment
                .batch_timeout_in_minutes
                .map(|timeout_in_mins| BuildBatchConfig { service_role: None, timeout_in_mins }),
            name,
            description,
        }
    }
}

fn tags(settings: &CodeBuild) -> Vec<Tag> {
    let mut tags = settings.tags.clone();
    tags.entry("generated-by".to_owned()).or_insert_with(|| "paceline".to_owned());
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VpcConfig {
    pub vpc_id: String,
    pub subnets: Vec<String>,
    pub security_group_ids: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogsConfig {
    pub cloud_watch_logs: CloudWatchLogs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudWatchLogs {
    pub status: String,
    pub group_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildBatchConfig {
    /// The role that starts the builds. It is absent if the template creates the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_role: Option<String>,
    pub timeout_in_mins: u32,
}

//! The CodeBuild project that runs a buildspec.
//!
//! [`Project`] is the input of `CreateProject`. It serializes to the input of `aws codebuild create-project
//! --cli-input-json`. [`cloudformation::template`] is the same project as a CloudFormation template, with its
//! log group and its roles. [`Project::check`] finds combinations that CodeBuild refuses, and
//! [`Timeouts::disorder`] finds limits that cannot take effect.

mod check;
pub mod cloudformation;
pub mod monitoring;
mod rights;
pub mod role;
mod timeouts;

use paceline_config::{ComputeType, HostKernel, Image, SourceType};
use serde::{Deserialize, Serialize};

pub use check::ProjectError;
pub use rights::{Located, OwnStack, Rights, Unaided};
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    #[serde(rename = "type")]
    pub kind: SourceType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_clone_depth: Option<u32>,
    /// A path relative to the root of the source, or the text of a buildspec.
    pub buildspec: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectArtifacts {
    #[serde(rename = "type")]
    pub kind: ArtifactsType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Gives each build its own folder, so that a build does not overwrite the output of an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packaging: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ArtifactsType {
    Codepipeline,
    S3,
    NoArtifacts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectCache {
    #[serde(rename = "type")]
    pub kind: CacheType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<LocalCacheMode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CacheType {
    NoCache,
    S3,
    Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LocalCacheMode {
    LocalDockerLayerCache,
    LocalSourceCache,
    LocalCustomCache,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildEnvironment {
    #[serde(rename = "type")]
    pub kind: EnvironmentType,
    pub image: Image,
    pub host_kernel: HostKernel,
    pub compute_type: ComputeType,
    pub environment_variables: Vec<EnvironmentVariable>,
    pub privileged_mode: bool,
    pub image_pull_credentials_type: ImagePullCredentials,
    /// A separate host that keeps the layers of images between builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_server: Option<DockerServer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DockerServer {
    pub compute_type: ComputeType,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_group_ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EnvironmentType {
    LinuxContainer,
    ArmContainer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImagePullCredentials {
    Codebuild,
    ServiceRole,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentVariable {
    pub name: String,
    pub value: String,
    #[serde(rename = "type")]
    pub kind: VariableType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VariableType {
    Plaintext,
    ParameterStore,
    SecretsManager,
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

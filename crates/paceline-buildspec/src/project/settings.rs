//! What a team sets about its CodeBuild project, in the words of `paceline.yaml`.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Image, LocalCacheMode};

/// The defaults are the ones a deployment of many stacks with Docker images wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBuildSettings {
    pub image: Image,
    pub compute: ComputeType,
    pub timeout_minutes: u32,
    /// `None` leaves as much as CodeBuild allows, or as what waits outside leaves.
    pub queued_timeout_minutes: Option<u32>,
    /// How long the creation or the update of a stack may take. `None` leaves it as long as it takes.
    pub stack_minutes: Option<u32>,
    /// How long the runner may take. `None` leaves it what the build has left.
    pub runner_minutes: Option<u32>,
    /// How long whoever started the build waits for it.
    pub outside_minutes: Option<u32>,
    /// `None` chooses: Docker layers when the app has images and the host can keep them, else nothing.
    pub cache: Option<Vec<CacheMode>>,
    pub privileged: Privileged,
    /// The size of a Docker server.
    pub docker_server: Option<ComputeType>,
    pub batch: Option<BatchBy>,
    pub source: SourceSettings,
    /// Keeps what every build leaves (events, outputs, journal, reports), failed builds included. For a
    /// CodePipeline source it is the pipeline's own bucket, which the role is then allowed to use.
    pub artifacts_bucket: Option<String>,
    /// The ARNs of keys of the team's own, by which what builds read and keep is encrypted.
    pub kms_keys: Vec<String>,
    pub log_retention_days: u32,
    /// An existing role. `None` has the CloudFormation template make one.
    pub service_role: Option<String>,
    pub vpc: Option<VpcSettings>,
    pub tags: BTreeMap<String, String>,
}

impl Default for CodeBuildSettings {
    fn default() -> Self {
        Self {
            image: Image::default(),
            compute: ComputeType::XLarge,
            timeout_minutes: 240,
            queued_timeout_minutes: None,
            stack_minutes: None,
            runner_minutes: None,
            outside_minutes: None,
            cache: None,
            privileged: Privileged::Auto,
            docker_server: None,
            batch: None,
            source: SourceSettings::default(),
            artifacts_bucket: None,
            kms_keys: Vec::new(),
            log_retention_days: 30,
            service_role: None,
            vpc: None,
            tags: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("`{0}` is not a compute type\nhint: use one of small, medium, large, x-large, 2x-large")]
    Compute(String),
    #[error("`{0}` is not a cache\nhint: use docker-layer, source, custom, or s3://bucket/prefix")]
    Cache(String),
    #[error("`{0}` is not a privileged mode\nhint: use auto, yes or no")]
    Privileged(String),
    #[error(
        "`{0}` is not a source type\nhint: use codepipeline, github, codecommit, s3, gitlab or bitbucket"
    )]
    Source(String),
}

/// The sizes of container that can run the docker daemon. Lambda compute cannot, and has no
/// `on-failure` either, so it is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComputeType {
    #[serde(rename = "BUILD_GENERAL1_SMALL")]
    Small,
    #[serde(rename = "BUILD_GENERAL1_MEDIUM")]
    Medium,
    #[serde(rename = "BUILD_GENERAL1_LARGE")]
    Large,
    #[serde(rename = "BUILD_GENERAL1_XLARGE")]
    XLarge,
    #[serde(rename = "BUILD_GENERAL1_2XLARGE")]
    X2Large,
}

impl ComputeType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "BUILD_GENERAL1_SMALL",
            Self::Medium => "BUILD_GENERAL1_MEDIUM",
            Self::Large => "BUILD_GENERAL1_LARGE",
            Self::XLarge => "BUILD_GENERAL1_XLARGE",
            Self::X2Large => "BUILD_GENERAL1_2XLARGE",
        }
    }
}

impl FromStr for ComputeType {
    type Err = SettingError;

    /// `x-large`, `xlarge`, `X_LARGE` and `BUILD_GENERAL1_XLARGE` are all the same one.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let word = text.to_ascii_lowercase().replace(['-', '_'], "");
        match word.strip_prefix("buildgeneral1").unwrap_or(&word) {
            "small" => Ok(Self::Small),
            "medium" => Ok(Self::Medium),
            "large" => Ok(Self::Large),
            "xlarge" => Ok(Self::XLarge),
            "2xlarge" | "x2large" => Ok(Self::X2Large),
            _ => Err(SettingError::Compute(text.to_owned())),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheMode {
    DockerLayer,
    Source,
    Custom,
    /// `bucket/prefix`.
    S3(String),
}

impl CacheMode {
    pub fn local(&self) -> Option<LocalCacheMode> {
        match self {
            Self::DockerLayer => Some(LocalCacheMode::LocalDockerLayerCache),
            Self::Source => Some(LocalCacheMode::LocalSourceCache),
            Self::Custom => Some(LocalCacheMode::LocalCustomCache),
            Self::S3(_) => None,
        }
    }
}

impl FromStr for CacheMode {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "docker-layer" => Ok(Self::DockerLayer),
            "source" => Ok(Self::Source),
            "custom" => Ok(Self::Custom),
            _ => match text.strip_prefix("s3://").map(|location| location.trim_end_matches('/')) {
                Some(location) if !location.is_empty() => Ok(Self::S3(location.to_owned())),
                _ => Err(SettingError::Cache(text.to_owned())),
            },
        }
    }
}

/// Whether the build may run a docker daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privileged {
    /// When the app has Docker images, or Docker layers are to be cached.
    #[default]
    Auto,
    Yes,
    No,
}

impl FromStr for Privileged {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "auto" => Ok(Self::Auto),
            "yes" | "true" => Ok(Self::Yes),
            "no" | "false" => Ok(Self::No),
            _ => Err(SettingError::Privileged(text.to_owned())),
        }
    }
}

/// What the builds of a batch are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchBy {
    /// The stacks of a Region.
    Regions,
    /// A stack with images, or what is between such stacks.
    Images,
}

/// Where a build gets the repository from. CodePipeline is the default because it alone needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceSettings {
    pub kind: SourceType,
    /// A clone URL, or `bucket/key` for S3.
    pub location: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceType {
    Bitbucket,
    Codecommit,
    #[default]
    Codepipeline,
    Github,
    GithubEnterprise,
    Gitlab,
    GitlabSelfManaged,
    NoSource,
    S3,
}

impl SourceType {
    const ALL: [Self; 9] = [
        Self::Bitbucket,
        Self::Codecommit,
        Self::Codepipeline,
        Self::Github,
        Self::GithubEnterprise,
        Self::Gitlab,
        Self::GitlabSelfManaged,
        Self::NoSource,
        Self::S3,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bitbucket => "BITBUCKET",
            Self::Codecommit => "CODECOMMIT",
            Self::Codepipeline => "CODEPIPELINE",
            Self::Github => "GITHUB",
            Self::GithubEnterprise => "GITHUB_ENTERPRISE",
            Self::Gitlab => "GITLAB",
            Self::GitlabSelfManaged => "GITLAB_SELF_MANAGED",
            Self::NoSource => "NO_SOURCE",
            Self::S3 => "S3",
        }
    }

    pub fn is_git(self) -> bool {
        !matches!(self, Self::Codepipeline | Self::NoSource | Self::S3)
    }
}

impl FromStr for SourceType {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let word = text.replace('-', "_");
        let found = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&word));
        found.ok_or_else(|| SettingError::Source(text.to_owned()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcSettings {
    pub vpc: String,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for (text, compute) in [
            ("small", "BUILD_GENERAL1_SMALL"),
            ("x-large", "BUILD_GENERAL1_XLARGE"),
            ("X_LARGE", "BUILD_GENERAL1_XLARGE"),
            ("2x-large", "BUILD_GENERAL1_2XLARGE"),
            ("BUILD_GENERAL1_2XLARGE", "BUILD_GENERAL1_2XLARGE"),
        ] {
            assert_eq!(text.parse::<ComputeType>().unwrap().as_str(), compute);
        }
        assert_eq!("s3://b/cache/".parse(), Ok(CacheMode::S3("b/cache".into())));
        assert_eq!("github-enterprise".parse(), Ok(SourceType::GithubEnterprise));
        assert!("huge".parse::<ComputeType>().unwrap_err().to_string().contains("x-large"));
        assert!("s3://".parse::<CacheMode>().is_err());
    }

    #[test]
    fn names_and_serialized_names_are_the_same() {
        for kind in SourceType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for compute in ["small", "medium", "large", "x-large", "2x-large"] {
            let compute: ComputeType = compute.parse().unwrap();
            assert_eq!(serde_json::to_value(compute).unwrap(), compute.as_str());
        }
    }
}

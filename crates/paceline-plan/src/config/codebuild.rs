//! The CodeBuild project, and where its build gets the runner from.

use std::time::Duration;

use serde::Deserialize;

use super::duration;
use crate::price::Dollars;

/// The CodeBuild project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct CodeBuild {
    /// The build image; `standard:7.0` is short for `aws/codebuild/standard:7.0`.
    pub image: String,
    /// `small`, `medium`, `large`, `x-large` or `2x-large`.
    pub compute: String,
    /// What a minute of that costs, in US dollars; for the estimate of the plan.
    pub price_per_minute: Option<Dollars>,
    /// How long a build may take, such as `240m`.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// How long a build may wait for its turn.
    #[serde(deserialize_with = "duration")]
    pub queued_timeout: Duration,
    /// Where the source comes from: `codepipeline`, `github`, `codecommit`, `s3`, `gitlab` or `bitbucket`.
    pub source: String,
    /// The address of the source; a pipeline brings its own.
    pub location: Option<String>,
    /// The bucket that keeps the run's journal and reports, also of a build that fails.
    pub artifacts_bucket: Option<String>,
    /// The ARN of a role of yours for the build, instead of one that the template makes.
    pub service_role: Option<String>,
    /// Which of CodeBuild's caches are on.
    pub cache: Vec<String>,
    /// Whether builds may run Docker: `auto`, `yes` or `no`.
    pub privileged: String,
}

impl Default for CodeBuild {
    fn default() -> Self {
        Self {
            image: "standard:7.0".into(),
            compute: "x-large".into(),
            price_per_minute: None,
            timeout: Duration::from_hours(4),
            queued_timeout: Duration::from_hours(8),
            source: "codepipeline".into(),
            location: None,
            artifacts_bucket: None,
            service_role: None,
            cache: vec!["docker-layer".into()],
            privileged: "auto".into(),
        }
    }
}

/// Where the build gets the runner from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// How it is fetched.
    pub from: RunnerFrom,
    /// Where it is.
    #[serde(default)]
    pub uri: Option<String>,
    /// The SHA-256 of the file, in hexadecimal; a build with another file stops.
    #[serde(default)]
    pub sha256: Option<String>,
}

/// How the build gets the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunnerFrom {
    /// From an S3 object.
    S3,
    /// From an HTTPS address.
    Https,
    /// It is in the build image.
    Image,
}

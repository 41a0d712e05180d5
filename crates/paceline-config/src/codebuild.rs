//! The CodeBuild project, and where its build gets the runner from.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::config::{duration, some_duration};
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
    /// How long a build may wait for its turn; eight hours, or what is left of what waits outside.
    #[serde(deserialize_with = "some_duration")]
    pub queued_timeout: Option<Duration>,
    /// The limits inside and outside the build's own.
    pub timeouts: Timeouts,
    /// Where the source comes from: `codepipeline`, `github`, `codecommit`, `s3`, `gitlab` or `bitbucket`.
    pub source: String,
    /// The address of the source; a pipeline brings its own.
    pub location: Option<String>,
    /// The bucket that keeps the run's journal and reports, also of a build that fails. Of a pipeline it is the
    /// pipeline's own bucket, which builds read their source from.
    pub artifacts_bucket: Option<String>,
    /// The ARNs of KMS keys of yours that builds need: those of the pipeline's bucket, of the runner's, of the cache.
    pub kms_keys: Vec<String>,
    /// The ARN of a role of yours for the build, instead of one that the template makes.
    pub service_role: Option<String>,
    /// Which of CodeBuild's caches are on: `docker-layer`, `source`, `custom`, or an `s3://bucket/prefix`. Without
    /// it, Docker layers when the app has images and the build can keep them.
    pub cache: Option<Vec<String>>,
    /// Whether builds may run Docker: `auto`, `yes` or `no`.
    pub privileged: String,
    /// The size of a Docker server that keeps layers between builds, in place of the build's own daemon.
    pub docker_server: Option<String>,
    /// The network that builds run in.
    pub vpc: Option<Vpc>,
    /// For how many days the logs of builds are kept.
    pub log_retention_days: Option<u32>,
    /// Tags of the project.
    pub tags: BTreeMap<String, String>,
    /// A build for each part of the deployment, beside the one for all of it: by `regions` or by `images`.
    pub batch: Option<Batch>,
}

/// The limits inside and outside the build's own. Each has to leave time for the next larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// How long the creation or the update of a stack may take before CloudFormation is told to take it back; without
    /// it, as long as it takes. It counts wherever the runner runs.
    #[serde(deserialize_with = "stack_limit")]
    pub stack: Option<Duration>,
    /// How long the runner may take before it stops in good order; what the build leaves it, if not given.
    #[serde(deserialize_with = "some_duration")]
    pub runner: Option<Duration>,
    /// How long whoever started the build waits for it: a pipeline, a wait condition.
    #[serde(deserialize_with = "some_duration")]
    pub outside: Option<Duration>,
}

/// No time at all would end every operation.
fn stack_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let limit = duration(deserializer)?;
    if limit.is_zero() {
        return Err(D::Error::custom("a stack needs some time; leave `stack` out for as long as it takes"));
    }
    Ok(Some(limit))
}

/// The network that builds run in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// The ids of its subnets, which need a way to AWS.
    pub subnets: Vec<String>,
    /// The ids of the security groups of the builds.
    pub security_groups: Vec<String>,
}

/// What the builds of a batch are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Batch {
    /// The stacks of a region.
    Regions,
    /// A stack with images, or what is between such stacks.
    Images,
}

impl Default for CodeBuild {
    fn default() -> Self {
        Self {
            image: "standard:7.0".into(),
            compute: "x-large".into(),
            price_per_minute: None,
            timeout: Duration::from_hours(4),
            queued_timeout: None,
            timeouts: Timeouts::default(),
            source: "codepipeline".into(),
            location: None,
            artifacts_bucket: None,
            kms_keys: Vec::new(),
            service_role: None,
            cache: None,
            privileged: "auto".into(),
            docker_server: None,
            vpc: None,
            log_retention_days: None,
            tags: BTreeMap::new(),
            batch: None,
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

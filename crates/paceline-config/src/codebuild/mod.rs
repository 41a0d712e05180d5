//! The CodeBuild project.

mod cache;
mod compute;
mod image;
mod kernel;
mod limits;
mod logs;
mod retries;
mod runner;
mod source;

use std::collections::BTreeMap;

use crate::price::Dollars;
use crate::setting::{choices, settings};

pub use cache::CacheMode;
pub use compute::{ComputeType, Privileged};
pub use image::{Image, ImageError};
pub use kernel::HostKernel;
pub use limits::{BuildTimeout, Minutes, QueueTimeout, Timeouts};
pub use logs::LogRetention;
pub use retries::RetryLimit;
pub use runner::{Runner, RunnerFrom};
pub use source::SourceType;

settings! {
    /// The CodeBuild project that deploys. The defaults suit a deployment of many stacks with Docker images.
    pub struct CodeBuild: Default {
        /// The build image. An image of AWS needs no `aws/codebuild/`: `standard:7.0` (Ubuntu 22.04, with Node.js 18 to
        /// 24 and Python 3.9 to 3.14), or `standard:8.0` (Ubuntu 24.04, with Node.js 22 and 24, Python 3.10 to 3.14, and
        /// Rust).
        pub image: Image,
        /// The kernel of the host that a build runs on, which is not part of the image. The kernel of Amazon Linux 2,
        /// `linux-kernel-4`, is no longer supported.
        pub host_kernel: HostKernel,
        /// The size of the machine that a build runs on.
        pub compute: ComputeType,
        /// The price of one minute of a build in US dollars. The plan uses it to estimate the cost.
        pub price_per_minute: Option<Dollars>,
        /// How long a build may run, from `5m` to `36h`.
        pub timeout: BuildTimeout = BuildTimeout::from_minutes(240),
        /// How long a build may wait in the queue before it starts, from `5m` to `8h`. Without it, 8 hours; less when
        /// `timeouts.outside` leaves less.
        pub queued_timeout: Option<QueueTimeout>,
        /// How many times CodeBuild repeats a build that has failed, from 0 to 10. Each repetition is a whole new
        /// build, which continues the run, or stops at once if the cause of the failure does not disappear by itself.
        /// Without it, failed builds are not repeated. A pipeline cannot use it.
        pub auto_retry_limit: Option<RetryLimit>,
        /// Whether a build may end while only CloudFormation works, for more than 15 minutes. A rule of EventBridge starts the
        /// build that continues. The generated template has the rule. A pipeline and a batch cannot use it.
        pub sleep: bool,
        /// More time limits. Each must be shorter than the one around it: a stack's, the runner's, the build's
        /// `timeout`, and `outside`.
        pub timeouts: Timeouts,
        /// The kind of place that holds the source.
        pub source: SourceType,
        /// The address of the source: a clone URL, or `bucket/key` for S3. A pipeline brings its own.
        pub location: Option<String>,
        /// The S3 bucket that keeps the journal and the reports of every build, failed builds included. For a
        /// pipeline, name the pipeline's own bucket, from which its builds read their source.
        pub artifacts_bucket: Option<String>,
        /// The ARNs of your own KMS keys that a build needs: those of a source in S3, of the pipeline's bucket, of the
        /// bucket with the runner, of the cache.
        pub kms_keys: Vec<String>,
        /// The ARN of an existing role for the builds. Without it, the CloudFormation template creates one.
        pub service_role: Option<String>,
        /// What is kept from one build to the next: `docker-layer`, `source`, `custom`, or `s3://bucket/prefix`.
        /// Without it, Docker layers when the app has images and the builds can keep layers.
        pub cache: Option<Vec<CacheMode>>,
        /// Whether a build can run Docker. `auto`: when the app has Docker images, or Docker layers are cached.
        pub privileged: Privileged,
        /// The size of a Docker server, which builds the images instead of the build's own Docker and keeps their
        /// layers. Without it, there is no Docker server.
        pub docker_server: Option<ComputeType>,
        /// The network that builds run in. Without it, CodeBuild's own.
        pub vpc: Option<Vpc>,
        /// The number of days for which the logs of builds are kept.
        pub log_retention_days: LogRetention,
        /// Tags of the project.
        pub tags: BTreeMap<String, String>,
        /// Also generates a batch, which deploys with several builds: one for each region, or one for each group of
        /// stacks around an image.
        pub batch: Option<BatchBy>,
    }
}

settings! {
    /// The network that builds run in.
    pub struct Vpc {
        /// The id of the VPC.
        pub id: String,
        /// The ids of its subnets. Builds must be able to reach AWS from them.
        pub subnets: Vec<String>,
        /// The ids of the security groups of the builds.
        pub security_groups: Vec<String>,
    }
}

choices! {
    /// How a batch divides a deployment into builds.
    pub enum BatchBy: "a way to divide a batch" {
        /// By the regions of the stacks.
        Regions = "regions",
        /// A stack with images, or the stacks between such stacks.
        Images = "images",
    }
}

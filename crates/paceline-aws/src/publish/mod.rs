//! Publishes assets where stacks expect them. An asset that exists is left alone, because its name is the
//! digest of its content.

mod bucket;
mod files;
mod images;
mod legacy;
mod listing;
mod push;
mod toolkit;

use std::time::Duration;

use aws_config::SdkConfig;
use paceline_engine::{Ended, Outcome};
use paceline_host::{ToolError, ToolErrorKind};
use paceline_text::Explained as _;

use crate::call::Caller;
use crate::error::{AwsError, ErrorKind};
use crate::target::Target;

pub(crate) use bucket::{Bucket, Condition, Listed};
pub(crate) use files::{file_is_there, publish_file, upload_text};
pub(crate) use images::{ImagePublisher, image_is_there, publish_image};
pub(crate) use legacy::{legacy_bucket, legacy_image, legacy_is_there, publish_legacy};
pub(crate) use listing::BucketListing;
pub(crate) use toolkit::Toolkit;

/// The way to build images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Images {
    /// With the `docker` command, or with the program that `CDK_DOCKER` names.
    #[default]
    Docker,
    /// For a simulation: nothing runs, but the images take their time.
    Pretended {
        /// The time for building an image.
        build: Duration,
        /// The time for pushing an image to one destination.
        push: Duration,
    },
}

/// The handling of files whose source does not exist, or is made by a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingFiles {
    /// A stack that needs a missing file cannot be deployed. Commands run.
    #[default]
    Refused,
    /// For a simulation: a few bytes replace the files, and no command runs.
    Pretended,
}

/// The destination of assets: the account and region, the configuration of the role, and the caller.
#[derive(Debug)]
pub(crate) struct AssetTarget {
    pub(crate) target: Target,
    pub(crate) config: SdkConfig,
    pub(crate) caller: Caller,
}

impl From<ToolError> for AwsError {
    fn from(error: ToolError) -> Self {
        let kind = match error.kind {
            ToolErrorKind::NoFolder { .. } | ToolErrorKind::Failed { .. } => ErrorKind::Refused,
            ToolErrorKind::TimedOut { .. } => ErrorKind::Unreachable,
            _ => ErrorKind::Setup,
        };
        let hint = error.hint();
        Self { hint, ..Self { kind, ..Self::setup(error.to_string()) }.during(error.command) }
    }
}

fn already_there() -> Ended {
    Ended::new(Outcome::Unchanged).with_detail("already there")
}

/// A number of bytes as text for people.
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes = bytes as f64;
    match bytes {
        b if b < 1e3 => format!("{b:.0} B"),
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

//! Brings assets to where the stacks expect them. What is there already is left alone: an asset's name
//! is the digest of its content.

mod bucket;
mod files;
mod images;
mod legacy;
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

pub(crate) use bucket::Bucket;
pub(crate) use files::{file_is_there, publish_file, upload_text};
pub(crate) use images::{ImagePublisher, image_is_there, publish_image};
pub(crate) use legacy::{legacy_bucket, legacy_image, legacy_is_there, publish_legacy};
pub(crate) use toolkit::Toolkit;

/// How images get built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Images {
    /// By the `docker` command, or the one that `CDK_DOCKER` names.
    #[default]
    Docker,
    /// They take their time and nothing is run: for a simulation.
    Pretended {
        /// To build one.
        build: Duration,
        /// To push it to a place.
        push: Duration,
    },
}

/// What happens to files whose source is not there, or is made by a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingFiles {
    /// What needs them cannot be deployed. Commands are run.
    #[default]
    Refused,
    /// A few bytes stand in for them, and no command is run: for a simulation.
    Pretended,
}

/// Where assets go to: an account and region, as whom, and who makes the calls.
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

/// Bytes for people.
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

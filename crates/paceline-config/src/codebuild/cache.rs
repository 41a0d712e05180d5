//! What is kept from one build to the next.

use std::fmt;
use std::str::FromStr;

use crate::setting::{SettingError, text_setting};

/// A cache of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheMode {
    /// The layers of Docker images, on the build's host.
    DockerLayer,
    /// The Git metadata of the source, on the build's host.
    Source,
    /// The folders that the buildspec names, on the build's host.
    Custom,
    /// The folders that the buildspec names, in S3: `bucket/prefix`.
    S3(String),
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
                _ => Err(SettingError::new(
                    format!("`{text}` is not a cache"),
                    "use docker-layer, source, custom, or s3://bucket/prefix",
                )),
            },
        }
    }
}

impl fmt::Display for CacheMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DockerLayer => f.write_str("docker-layer"),
            Self::Source => f.write_str("source"),
            Self::Custom => f.write_str("custom"),
            Self::S3(location) => write!(f, "s3://{location}"),
        }
    }
}

text_setting!(CacheMode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_in_s3_has_a_bucket() {
        assert_eq!("s3://b/cache/".parse(), Ok(CacheMode::S3("b/cache".into())));
        assert!("s3://".parse::<CacheMode>().is_err());
    }
}

//! Where the build takes its source from.

use paceline_config::{CodeBuild, SourceType};
use serde::{Deserialize, Serialize};

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

/// The `bucket/key` of an object, which may be written as an ARN of any partition.
pub(crate) fn object(location: &str) -> &str {
    let arn = location.split_once(":s3:::").filter(|(start, _)| start.starts_with("arn:"));
    arn.map_or(location, |(_, object)| object)
}

impl Source {
    pub(super) fn of(settings: &CodeBuild, buildspec: String) -> Self {
        Self {
            kind: settings.source,
            location: settings.location.clone(),
            // A deployment does not need the history.
            git_clone_depth: settings.source.is_git().then_some(1),
            buildspec,
        }
    }
}

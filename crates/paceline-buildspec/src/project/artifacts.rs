//! What a build leaves behind: the journal and the reports.

use paceline_config::{CodeBuild, SourceType};
use serde::{Deserialize, Serialize};

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

impl ProjectArtifacts {
    pub(super) fn of(settings: &CodeBuild, name: &str) -> Self {
        let none = Self {
            kind: ArtifactsType::NoArtifacts,
            location: None,
            namespace_type: None,
            name: None,
            packaging: None,
        };
        match &settings.artifacts_bucket {
            _ if settings.source == SourceType::Codepipeline => {
                Self { kind: ArtifactsType::Codepipeline, ..none }
            }
            None => none,
            Some(bucket) => Self {
                kind: ArtifactsType::S3,
                location: Some(bucket.clone()),
                namespace_type: Some("BUILD_ID".to_owned()),
                name: Some(name.to_owned()),
                packaging: Some("ZIP".to_owned()),
            },
        }
    }
}

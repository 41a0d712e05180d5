//! What is kept from one build to the next.

use paceline_config::{CacheMode, CodeBuild, ComputeType, Privileged};
use serde::{Deserialize, Serialize};

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

impl ProjectCache {
    pub(super) fn of(settings: &CodeBuild, images: usize) -> Self {
        let can_keep_layers = settings.vpc.is_none()
            && settings.docker_server.is_none()
            && settings.compute != ComputeType::X2Large
            && settings.privileged != Privileged::No;
        let automatic = if images > 0 && can_keep_layers { vec![CacheMode::DockerLayer] } else { Vec::new() };
        let wanted = settings.cache.as_ref().unwrap_or(&automatic);
        let mut modes: Vec<_> = wanted.iter().filter_map(LocalCacheMode::of).collect();
        modes.sort_unstable();
        modes.dedup();
        let location = wanted.iter().find_map(|mode| match mode {
            CacheMode::S3(location) => Some(location.clone()),
            _ => None,
        });
        let kind = match (&location, modes.is_empty()) {
            (Some(_), _) => CacheType::S3,
            (None, false) => CacheType::Local,
            (None, true) => CacheType::NoCache,
        };
        Self { kind, location, modes }
    }
}

impl LocalCacheMode {
    fn of(mode: &CacheMode) -> Option<Self> {
        match mode {
            CacheMode::DockerLayer => Some(Self::LocalDockerLayerCache),
            CacheMode::Source => Some(Self::LocalSourceCache),
            CacheMode::Custom => Some(Self::LocalCustomCache),
            CacheMode::S3(_) => None,
        }
    }
}

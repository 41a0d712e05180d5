//! The machine and the image that a build runs on.

use paceline_config::{CacheMode, CodeBuild, ComputeType, HostKernel, Image, Privileged};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildEnvironment {
    #[serde(rename = "type")]
    pub kind: EnvironmentType,
    pub image: Image,
    pub host_kernel: HostKernel,
    pub compute_type: ComputeType,
    pub environment_variables: Vec<EnvironmentVariable>,
    pub privileged_mode: bool,
    pub image_pull_credentials_type: ImagePullCredentials,
    /// A separate host that keeps the layers of images between builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_server: Option<DockerServer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DockerServer {
    pub compute_type: ComputeType,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_group_ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EnvironmentType {
    LinuxContainer,
    ArmContainer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImagePullCredentials {
    Codebuild,
    ServiceRole,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentVariable {
    pub name: String,
    pub value: String,
    #[serde(rename = "type")]
    pub kind: VariableType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VariableType {
    Plaintext,
    ParameterStore,
    SecretsManager,
}

impl BuildEnvironment {
    pub(super) fn of(settings: &CodeBuild, images: usize) -> Self {
        let image = settings.image.clone();
        Self {
            kind: EnvironmentType::of(&image),
            host_kernel: settings.host_kernel,
            compute_type: settings.compute,
            environment_variables: Vec::new(),
            privileged_mode: match settings.privileged {
                Privileged::Yes => true,
                Privileged::No => false,
                // A cache of Docker layers means that the build uses Docker, perhaps only to synthesize.
                Privileged::Auto => {
                    let layers = settings.cache.iter().flatten().any(|mode| *mode == CacheMode::DockerLayer);
                    images > 0 || layers
                }
            },
            image_pull_credentials_type: if image.is_private_ecr() {
                ImagePullCredentials::ServiceRole
            } else {
                ImagePullCredentials::Codebuild
            },
            docker_server: settings.docker_server.map(|compute_type| DockerServer {
                compute_type,
                // In a VPC, these groups must allow the build on port 9876.
                security_group_ids: settings.vpc.iter().flat_map(|vpc| vpc.security_groups.clone()).collect(),
            }),
            image,
        }
    }
}

impl EnvironmentType {
    /// The environment for an image, which depends on its processor.
    fn of(image: &Image) -> Self {
        if image.is_arm() { Self::ArmContainer } else { Self::LinuxContainer }
    }
}

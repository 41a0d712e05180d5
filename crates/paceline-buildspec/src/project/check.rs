//! Finds settings that CodeBuild would refuse.

use paceline_config::{ComputeType, SourceType};
use paceline_text::Explained;

use super::{ArtifactsType, CacheType, Disorder, LocalCacheMode, Project, VpcConfig};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    #[error(
        "project name `{0}` is not 2 to 150 letters, digits, dashes and underscores, the first a letter or digit"
    )]
    Name(String),
    #[error("the project's description has {0} characters, and CodeBuild takes 255")]
    Description(usize),
    #[error("builds cannot keep a local cache on BUILD_GENERAL1_2XLARGE")]
    LocalCacheOnLargest,
    #[error("builds cannot keep a local cache in a VPC")]
    LocalCacheInVpc,
    #[error("a project has one cache, local or in S3, and both are set")]
    TwoCaches,
    #[error("Docker layers are to be cached by a build that is not privileged")]
    LayersWithoutDocker,
    #[error("the app builds {0} Docker images, and the build is not privileged to run Docker")]
    ImagesWithoutDocker(usize),
    #[error("a {} source has no location", .0)]
    SourceWithoutLocation(SourceType),
    #[error("`source: {0}` takes no location")]
    SourceWithLocation(SourceType),
    #[error("a project without a source has no file `{0}` to take its buildspec from")]
    BuildspecWithoutSource(String),
    #[error("a CodePipeline source and CodePipeline artifacts go together, and only one is set")]
    HalfAPipeline,
    #[error(
        "a project's VPC needs 1 to 16 subnets and 1 to 5 security groups, and has {subnets} and {groups}"
    )]
    Vpc { subnets: usize, groups: usize },
    #[error("the service role `{0}` is not the ARN of a role")]
    ServiceRole(String),
    #[error("{0}")]
    Timeouts(Disorder),
    #[error("a pipeline repeats its own builds")]
    RetriesInPipeline,
    #[error("a project has at most 50 tags, and {0} are set")]
    Tags(usize),
}

impl Explained for ProjectError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Name(_) => "set another name",
            Self::Description(_) => "shorten it",
            Self::LocalCacheOnLargest => "use x-large, or an S3 cache",
            Self::LocalCacheInVpc => "use an S3 cache, or no VPC",
            Self::TwoCaches => "keep one of them in `codebuild.cache`",
            Self::LayersWithoutDocker => {
                "set `codebuild.privileged: auto`, or remove docker-layer from `codebuild.cache`"
            }
            Self::ImagesWithoutDocker(_) => "set `codebuild.privileged: auto`",
            Self::SourceWithoutLocation(_) => "set `codebuild.location`",
            Self::SourceWithLocation(_) => "set another source, or remove `codebuild.location`",
            Self::BuildspecWithoutSource(_) => "set `codebuild.source`",
            Self::HalfAPipeline => "leave artifacts to the pipeline",
            Self::Vpc { .. } => "correct `codebuild.vpc`",
            Self::ServiceRole(_) => "write it as arn:aws:iam::111122223333:role/name, or leave it out",
            Self::Timeouts(_) => {
                "each limit has to be below the one around it: a stack's, the runner's, `codebuild.timeout`, what waits outside"
            }
            Self::RetriesInPipeline => {
                "remove `codebuild.auto-retry-limit`, or set another `codebuild.source`"
            }
            Self::Tags(_) => "remove some",
        };
        Some(hint.to_owned())
    }
}

impl ProjectError {
    /// The setting of `paceline.yaml` that causes the error.
    pub fn setting(&self) -> Option<&'static str> {
        Some(match self {
            Self::Name(_) | Self::Description(_) => return None,
            Self::LocalCacheOnLargest
            | Self::LocalCacheInVpc
            | Self::TwoCaches
            | Self::LayersWithoutDocker => "codebuild.cache",
            Self::ImagesWithoutDocker(_) => "codebuild.privileged",
            Self::SourceWithoutLocation(_) | Self::BuildspecWithoutSource(_) | Self::HalfAPipeline => {
                "codebuild.source"
            }
            Self::SourceWithLocation(_) => "codebuild.location",
            Self::Vpc { .. } => "codebuild.vpc",
            Self::RetriesInPipeline => "codebuild.auto-retry-limit",
            Self::Tags(_) => "codebuild.tags",
            Self::ServiceRole(_) => "codebuild.service-role",
            Self::Timeouts(disorder) => disorder.inner.0.setting(),
        })
    }
}

impl Project {
    /// Returns the first setting that CodeBuild would refuse.
    pub fn check(&self) -> Result<(), ProjectError> {
        self.check_name()?;
        self.check_limits()?;
        self.check_source()?;
        self.check_cache()
    }

    fn check_name(&self) -> Result<(), ProjectError> {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let first = self.name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !first || !(2..=150).contains(&self.name.len()) || !self.name.chars().all(word) {
            return Err(ProjectError::Name(self.name.clone()));
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), ProjectError> {
        let description = self.description.chars().count();
        if description > 255 {
            return Err(ProjectError::Description(description));
        }
        let is_role = |arn: &String| arn.starts_with("arn:") && arn.contains(":role/");
        if let Some(role) = self.service_role.as_ref().filter(|role| !is_role(role)) {
            return Err(ProjectError::ServiceRole(role.clone()));
        }
        if self.tags.len() > 50 {
            return Err(ProjectError::Tags(self.tags.len()));
        }
        if let Some(VpcConfig { subnets, security_group_ids: groups, .. }) = &self.vpc_config
            && (!(1..=16).contains(&subnets.len()) || !(1..=5).contains(&groups.len()))
        {
            return Err(ProjectError::Vpc { subnets: subnets.len(), groups: groups.len() });
        }
        Ok(())
    }

    fn check_source(&self) -> Result<(), ProjectError> {
        let kind = self.source.kind;
        let pipeline = kind == SourceType::Codepipeline;
        if pipeline != (self.artifacts.kind == ArtifactsType::Codepipeline) {
            return Err(ProjectError::HalfAPipeline);
        }
        if pipeline && self.auto_retry_limit.is_some() {
            return Err(ProjectError::RetriesInPipeline);
        }
        let needs_location = !matches!(kind, SourceType::Codepipeline | SourceType::NoSource);
        match &self.source.location {
            None if needs_location => return Err(ProjectError::SourceWithoutLocation(kind)),
            Some(_) if !needs_location => return Err(ProjectError::SourceWithLocation(kind)),
            _ => {}
        }
        // A path has one line, and the text of a buildspec has several.
        if kind == SourceType::NoSource && !self.source.buildspec.contains('\n') {
            return Err(ProjectError::BuildspecWithoutSource(self.source.buildspec.clone()));
        }
        Ok(())
    }

    fn check_cache(&self) -> Result<(), ProjectError> {
        let cache = &self.cache;
        if cache.kind == CacheType::Local && cache.location.is_some()
            || cache.kind == CacheType::S3 && !cache.modes.is_empty()
        {
            return Err(ProjectError::TwoCaches);
        }
        if cache.kind != CacheType::Local {
            return Ok(());
        }
        if self.environment.compute_type == ComputeType::X2Large {
            return Err(ProjectError::LocalCacheOnLargest);
        }
        if self.vpc_config.is_some() {
            return Err(ProjectError::LocalCacheInVpc);
        }
        let layers = cache.modes.contains(&LocalCacheMode::LocalDockerLayerCache);
        if layers && !self.environment.privileged_mode {
            return Err(ProjectError::LayersWithoutDocker);
        }
        Ok(())
    }
}

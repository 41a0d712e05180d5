//! Where the pipeline takes the source from.

use paceline_config::{BranchName, ConnectionArn, Pipeline, SourceType};
use paceline_text::Explained;

use super::super::Generation;
use crate::project::object;

const DEFAULT_BRANCH: &str = "main";

/// The longest name of a pipeline (CodePipeline API reference, `PipelineDeclaration`).
const LONGEST_NAME: usize = 100;

/// The source action of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourceAction {
    /// A repository at GitHub, GitLab or Bitbucket.
    Connection {
        connection: ConnectionArn,
        repository: String,
        branch: String,
    },
    CodeCommit {
        repository: String,
        branch: String,
    },
    /// A zip file.
    S3 {
        bucket: String,
        key: String,
    },
}

/// A setting that the pipeline needs and does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    #[error("the pipeline has no source: `codebuild.source` says where the repository is, and it is not set")]
    NoSource,
    #[error(
        "the pipeline reads a {0} repository with a connection, and the setting `pipeline.connection` is missing"
    )]
    NoConnection(SourceType),
    #[error("`{setting}` has no effect with `codebuild.source: {source_type}`")]
    NoEffect { setting: &'static str, source_type: SourceType },
    #[error("`codebuild.location` is `{0}`, which does not end in the owner and the name of a repository")]
    Repository(String),
    #[error("`codebuild.location` is `{0}`, and a pipeline takes its source from one zip file in a bucket")]
    Object(String),
    #[error("the name of the pipeline has {0} characters, and CodePipeline takes {LONGEST_NAME}")]
    Name(usize),
}

impl Explained for PipelineError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSource => {
                "set `codebuild: { source: github, location: \"https://github.com/OWNER/NAME\" }`, or gitlab, bitbucket, \
                 codecommit or s3 with its location"
            }
            Self::NoConnection(_) => {
                "add `pipeline: { connection: \"arn:aws:codeconnections:REGION:ACCOUNT:connection/ID\" }`; `aws \
                 codeconnections create-connection` creates one"
            }
            Self::NoEffect { .. } => "remove it",
            Self::Repository(_) => "write it like `https://github.com/OWNER/NAME`",
            Self::Object(_) => "write it like `bucket/folder/source.zip`",
            Self::Name(_) => "set a shorter one with --name",
        };
        Some(hint.to_owned())
    }
}

impl PipelineError {
    /// The setting of `paceline.yaml` that causes the error.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::NoSource => Some("codebuild.source"),
            Self::NoConnection(_) => Some("pipeline.connection"),
            Self::NoEffect { setting, .. } => Some(setting),
            Self::Repository(_) | Self::Object(_) => Some("codebuild.location"),
            Self::Name(_) => None,
        }
    }
}

/// The source action that the settings ask for.
pub(super) fn action(generation: &Generation, settings: &Pipeline) -> Result<SourceAction, PipelineError> {
    let name = generation.name.len();
    if name > LONGEST_NAME {
        return Err(PipelineError::Name(name));
    }
    let source_type = generation.codebuild.source;
    let no_effect = |setting, is_set: bool| {
        if is_set { Err(PipelineError::NoEffect { setting, source_type }) } else { Ok(()) }
    };
    // A source with a place has a location. The project of the build is checked before.
    let location = generation.codebuild.location.as_deref().unwrap_or_default();
    let branch = || settings.branch.as_ref().map_or(DEFAULT_BRANCH, BranchName::as_str).to_owned();
    match source_type {
        SourceType::Codepipeline | SourceType::NoSource => Err(PipelineError::NoSource),
        SourceType::S3 => {
            no_effect("pipeline.connection", settings.connection.is_some())?;
            no_effect("pipeline.branch", settings.branch.is_some())?;
            let object = object(location).split_once('/');
            // With a colon, the bucket is an address or the ARN of something else.
            let is_bucket = |bucket: &str| !bucket.is_empty() && !bucket.contains(':');
            let object =
                object.filter(|(bucket, key)| is_bucket(bucket) && !key.is_empty() && !key.ends_with('/'));
            let (bucket, key) = object.ok_or_else(|| PipelineError::Object(location.to_owned()))?;
            Ok(SourceAction::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
        }
        SourceType::Codecommit => {
            no_effect("pipeline.connection", settings.connection.is_some())?;
            let name = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            if !is_path(name, 1..=1) {
                return Err(PipelineError::Repository(location.to_owned()));
            }
            Ok(SourceAction::CodeCommit { repository: name.to_owned(), branch: branch() })
        }
        SourceType::Bitbucket
        | SourceType::Github
        | SourceType::GithubEnterprise
        | SourceType::Gitlab
        | SourceType::GitlabSelfManaged => {
            let connection = settings.connection.clone();
            let connection = connection.ok_or(PipelineError::NoConnection(source_type))?;
            // A group of GitLab may be in another group.
            let is_gitlab = matches!(source_type, SourceType::Gitlab | SourceType::GitlabSelfManaged);
            let longest = if is_gitlab { 20 } else { 2 };
            let repository = repository(location).filter(|path| is_path(path, 2..=longest));
            let repository = repository.ok_or_else(|| PipelineError::Repository(location.to_owned()))?;
            Ok(SourceAction::Connection { connection, repository, branch: branch() })
        }
    }
}

/// The path of the repository in an address such as `https://host/owner/name.git` or `git@host:owner/name.git`.
fn repository(location: &str) -> Option<String> {
    let path = match location.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => location.split_once(':')?.1,
    };
    let path = path.trim_matches('/');
    Some(path.strip_suffix(".git").unwrap_or(path).to_owned())
}

/// Whether a text is a path of so many plain names.
fn is_path(text: &str, names: std::ops::RangeInclusive<usize>) -> bool {
    let is_name = |name: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !name.is_empty() && name.chars().all(is_plain)
    };
    names.contains(&text.split('/').count()) && text.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_found_in_its_address() {
        for (location, found) in [
            ("https://github.com/acme/shop.git", Some("acme/shop")),
            ("https://github.com/acme/shop/", Some("acme/shop")),
            ("https://git.acme.example:8443/group/sub/shop", Some("group/sub/shop")),
            ("git@github.com:acme/shop.git", Some("acme/shop")),
            ("ssh://git@github.com/acme/shop", Some("acme/shop")),
            ("shop", None),
        ] {
            assert_eq!(repository(location).as_deref(), found, "{location}");
        }
    }
}

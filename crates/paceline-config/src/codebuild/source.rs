//! Where a build gets the repository from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::setting::{SettingError, one_of, text_setting};

/// The kind of place that holds the source. CodePipeline is the default because it alone needs no location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceType {
    Bitbucket,
    Codecommit,
    #[default]
    Codepipeline,
    Github,
    GithubEnterprise,
    Gitlab,
    GitlabSelfManaged,
    NoSource,
    S3,
}

impl SourceType {
    const ALL: [Self; 9] = [
        Self::Codepipeline,
        Self::Github,
        Self::GithubEnterprise,
        Self::Gitlab,
        Self::GitlabSelfManaged,
        Self::Bitbucket,
        Self::Codecommit,
        Self::S3,
        Self::NoSource,
    ];

    /// The word for it in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bitbucket => "bitbucket",
            Self::Codecommit => "codecommit",
            Self::Codepipeline => "codepipeline",
            Self::Github => "github",
            Self::GithubEnterprise => "github-enterprise",
            Self::Gitlab => "gitlab",
            Self::GitlabSelfManaged => "gitlab-self-managed",
            Self::NoSource => "no-source",
            Self::S3 => "s3",
        }
    }

    /// Whether it is a Git repository.
    pub fn is_git(self) -> bool {
        !matches!(self, Self::Codepipeline | Self::NoSource | Self::S3)
    }

    /// The words that a deployment can use. It needs a source: its buildspec is a file there.
    fn words() -> impl Iterator<Item = &'static str> + Clone {
        Self::ALL.iter().filter(|kind| **kind != Self::NoSource).map(|kind| kind.as_str())
    }
}

impl FromStr for SourceType {
    type Err = SettingError;

    /// CodeBuild's own names, such as `GITHUB_ENTERPRISE`, are taken too.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let word = text.replace('_', "-");
        let found = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&word));
        found.ok_or_else(|| {
            SettingError::new(format!("`{text}` is not a source type"), one_of(text, Self::words()))
        })
    }
}

impl fmt::Display for SourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

text_setting!(SourceType, json!({ "enum": Self::words().collect::<Vec<_>>() }));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_codebuild_in_kebab_case() {
        for kind in SourceType::ALL {
            let word = serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned();
            assert_eq!(word.parse(), Ok(kind));
            assert_eq!(word.to_lowercase().replace('_', "-"), kind.as_str());
        }
        assert_eq!("github-enterprise".parse(), Ok(SourceType::GithubEnterprise));
    }
}

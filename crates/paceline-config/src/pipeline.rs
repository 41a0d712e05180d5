//! The pipeline around the build.

use std::str::FromStr;

use serde_json::json;

use crate::notifications::TopicArn;
use crate::setting::{SettingError, settings, shown_as_written, text_setting};

settings! {
    /// The pipeline that `paceline gen --pipeline` writes: source, plan, approval of the plan, deployment. It reads the
    /// repository that `codebuild.source` and `codebuild.location` name.
    pub struct Pipeline: Default {
        /// The ARN of the connection to GitHub, GitLab or Bitbucket with which the pipeline reads the repository.
        /// `aws codeconnections create-connection` creates one, and a person confirms it in the console.
        pub connection: Option<ConnectionArn>,
        /// The branch that the pipeline deploys. Without it, `main`.
        pub branch: Option<BranchName>,
        /// The ARN of your own KMS key, which encrypts the artifacts of the pipeline. Without it, S3 encrypts them with the
        /// key of AWS.
        pub kms_key: Option<KeyArn>,
        /// The ARN of an SNS topic that gets a message when a plan waits for its approval. It is in the region of the
        /// pipeline.
        pub approval_topic: Option<TopicArn>,
    }
}

/// The ARN of a connection to a provider of Git repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionArn(String);

/// The name of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchName(String);

/// The ARN of a KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArn(String);

/// The services whose ARNs connections have: the present name, and the name until 2024.
const CONNECTION_SERVICES: [&str; 2] = ["codeconnections", "codestar-connections"];

text_setting!(
    ConnectionArn,
    json!({ "type": "string", "pattern": "^arn:[^:]+:(codeconnections|codestar-connections):[^:]+:[0-9]{12}:connection/[A-Za-z0-9-]+$" })
);
text_setting!(BranchName);
text_setting!(
    KeyArn,
    json!({ "type": "string", "pattern": "^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$" })
);

impl ConnectionArn {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service in the ARN, which is also the prefix of its actions in IAM.
    pub fn service(&self) -> &str {
        self.0.split(':').nth(2).unwrap_or_default()
    }
}

impl BranchName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyArn {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is an ARN of one of these services, in an account and a region, with a resource of this kind.
fn is_arn(text: &str, services: &[&str], kind: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts[..] else { return false };
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_resource =
        resource.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).is_some_and(is_word);
    is_word(partition) && services.contains(&service) && is_word(region) && is_account && is_resource
}

impl FromStr for ConnectionArn {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        is_arn(text, &CONNECTION_SERVICES, "connection").then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                format!("`{text}` is not the ARN of a connection"),
                "write it like `arn:aws:codeconnections:eu-west-1:111122223333:connection/ID`; `aws codeconnections \
                 list-connections` lists them",
            )
        })
    }
}

impl FromStr for BranchName {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        // A variable of the pipeline begins with `#{`. Git itself refuses the other characters (git-check-ref-format).
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\#".contains(c);
        let is_name = !text.is_empty() && !text.starts_with(['-', '/']) && !text.contains(is_odd);
        is_name.then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(format!("`{text}` is not the name of a branch"), "write it like `main`")
        })
    }
}

impl FromStr for KeyArn {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        is_arn(text, &["kms"], "key").then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                format!("`{text}` is not the ARN of a KMS key"),
                "write it as arn:aws:kms:REGION:111122223333:key/ID; an alias is not enough",
            )
        })
    }
}

shown_as_written!(ConnectionArn, BranchName, KeyArn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_those_of_the_right_kind() {
        for text in [
            "arn:aws:codeconnections:eu-west-1:111122223333:connection/1a-2b",
            "arn:aws-us-gov:codestar-connections:us-gov-west-1:111122223333:connection/1a-2b",
        ] {
            assert_eq!(text.parse::<ConnectionArn>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "github",
            "arn:aws:codeconnections:eu-west-1:111122223333:host/1a",
            "arn:aws:codeconnections:eu-west-1:*:connection/1a",
            "arn:aws:codeconnections:eu-west-1:111122223333:connection/*",
            "arn:aws:codeconnections:eu-west-1:111122223333:connection/",
        ] {
            let error = text.parse::<ConnectionArn>().unwrap_err();
            assert!(error.to_string().contains("is not the ARN of a connection"), "{text}: {error}");
        }
        assert!("arn:aws:kms:eu-west-1:111122223333:key/1a-2b".parse::<KeyArn>().is_ok());
        assert!("arn:aws:kms:eu-west-1:111122223333:alias/mine".parse::<KeyArn>().is_err());
    }

    #[test]
    fn a_branch_has_no_character_with_another_meaning() {
        for text in ["main", "release/2026-11", "feature_1"] {
            assert_eq!(text.parse::<BranchName>().unwrap().as_str(), text);
        }
        for text in ["", "-f", "a b", "a:b", "#{Source.Branch}", "a\nb", "/main"] {
            assert!(text.parse::<BranchName>().is_err(), "{text}");
        }
    }
}

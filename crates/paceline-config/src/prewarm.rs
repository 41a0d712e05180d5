//! What is created before the stacks that need it.

use serde_json::json;

use crate::setting::{SettingError, settings, shown_as_written, text_setting};

settings! {
    /// What a run creates at its start, while other steps run, so that no stack has to wait for it or fails without it.
    /// What a stack of the app creates is left to that stack. Nothing of this is ever deleted.
    pub struct Prewarm: Default {
        /// Repositories of images in ECR: in each account and region in which a template names them or, if none does, in
        /// every one that the run deploys to.
        pub ecr: Vec<RepositoryName>,
        /// Also the repositories that templates name in the URIs of images, and those that images of the app are published
        /// to, in the accounts of the app.
        pub from_templates: bool,
    }
}

/// The name of a repository in ECR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryName(String);

text_setting!(
    RepositoryName,
    json!({ "type": "string", "pattern": "^[a-z0-9]+([._/-][a-z0-9]+)*$", "minLength": 2, "maxLength": 256 })
);

impl RepositoryName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

shown_as_written!(RepositoryName);

impl std::str::FromStr for RepositoryName {
    type Err = SettingError;

    /// ECR API Reference, `CreateRepository`: 2 to 256 lower case letters and digits, and single `.`, `_`, `-` and `/`
    /// between them.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let mut words = text.split(['.', '_', '-', '/']);
        let fits = (2..=256).contains(&text.len())
            && words.all(|word| !word.is_empty() && word.bytes().all(is_plain));
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(SettingError::new(
            format!("`{text}` cannot be the name of a repository"),
            "use lower case letters and digits, with one `.`, `_`, `-` or `/` between them",
        ))
    }
}

impl Prewarm {
    /// Whether there is anything to create.
    pub fn is_set(&self) -> bool {
        self.from_templates || !self.ecr.is_empty()
    }
}

//! The wait condition that learns how a deployment ended.

use std::str::FromStr;

use serde_json::json;

use crate::setting::{SettingError, settings, shown_as_written, text_setting};

settings! {
    /// The CloudFormation wait condition that is signalled once, when the deployment ends: as a success or as a
    /// failure. A process that is killed signals nothing, and the wait condition then ends by its own timeout.
    pub struct Signal: Default {
        /// The environment variable that holds the presigned URL of the wait condition handle. Without the variable,
        /// nothing is signalled.
        pub wait_handle: VariableName,
        /// The id of the signal, for a wait condition that counts the signals of several deployments.
        pub id: Option<SignalId>,
        /// Whether an interrupted deployment is signalled as a failure, although it could be resumed. Without this, it
        /// is in CodeBuild, where nobody resumes it.
        ///
        /// What the run has kept goes with the build.
        pub when_interrupted: Option<bool>,
    }
}

/// The name of the environment variable that has a presigned URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableName(String);

/// The id of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalId(String);

text_setting!(VariableName, json!({ "type": "string", "pattern": "^[A-Za-z0-9_]+$" }));
text_setting!(SignalId, json!({ "type": "string", "pattern": "^[A-Za-z0-9]{1,64}$" }));

impl VariableName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SignalId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for VariableName {
    fn default() -> Self {
        Self("WAIT_HANDLE_URL".to_owned())
    }
}

impl FromStr for VariableName {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        // Not shown: a team that mistakes it for the URL has written a secret here.
        is_name.then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                "`wait-handle` is the name of an environment variable, and this is not one",
                "write the name, such as `WAIT_HANDLE_URL`; the presigned URL itself is a secret and does not \
                 belong in this file",
            )
        })
    }
}

impl FromStr for SignalId {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        // "The UniqueId is an arbitrary alphanumerical string": CloudFormation User Guide, "Create wait conditions".
        let is_id = (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric());
        is_id.then(|| Self(text.to_owned())).ok_or_else(|| {
            SettingError::new(
                format!("`{text}` cannot be the id of a signal"),
                "use up to 64 letters and digits",
            )
        })
    }
}

shown_as_written!(VariableName, SignalId);

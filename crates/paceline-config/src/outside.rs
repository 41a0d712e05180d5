//! Who waits outside for a deployment to end.

use serde::{Deserialize, Deserializer, de};

/// The variable that has the wait condition handle when the configuration names no other.
const WAIT_HANDLE: &str = "WAIT_HANDLE_URL";

/// The CloudFormation wait condition that is signalled once, when a deployment has ended well or badly.
///
/// A process that is killed, or that panics, signals nothing: the wait condition then ends by its own timeout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Signal {
    /// The environment variable that has the handle's presigned URL. Without the variable nobody waits.
    #[serde(deserialize_with = "variable")]
    pub wait_handle: String,
    /// What CloudFormation tells signals apart by, when a wait condition counts those of several deployments.
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    /// Whether an interrupted deployment, which could be gone on with, is signalled as a failure. Without this
    /// it is in CodeBuild, where nobody goes on with it: what it has kept goes with the build.
    pub when_interrupted: Option<bool>,
}

impl Default for Signal {
    fn default() -> Self {
        Self { wait_handle: WAIT_HANDLE.to_owned(), id: None, when_interrupted: None }
    }
}

fn variable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // Not shown: whoever mistakes it for the URL has written a secret here.
    let wrong = "`wait-handle` is the name of an environment variable, such as `WAIT_HANDLE_URL`; the presigned \
                 URL itself is a secret and does not belong in this file";
    if is_name { Ok(text) } else { Err(de::Error::custom(wrong)) }
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // "The UniqueId is an arbitrary alphanumerical string": CloudFormation User Guide, "Create wait conditions".
    let is_id = (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric());
    let wrong = format!("`{text}` cannot be the id of a signal: use up to 64 letters and digits");
    if is_id { Ok(Some(text)) } else { Err(de::Error::custom(wrong)) }
}

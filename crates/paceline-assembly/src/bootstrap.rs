//! The parts of the bootstrap stack that a stack needs: roles, and a version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A role to assume, with placeholders in its ARN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub arn: String,
    pub external_id: Option<String>,
    /// Raw fields of the `AssumeRole` request, such as `Tags`.
    pub session_options: BTreeMap<String, Value>,
    /// The bootstrap stack that contains this role. Only lookup roles state it.
    pub bootstrap: Option<Bootstrap>,
}

/// The lowest version of the environment's bootstrap stack that is sufficient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    pub required_version: u32,
    /// The SSM parameter that contains the version. `None` means that the stack `CDKToolkit` states it.
    pub ssm_parameter: Option<String>,
}

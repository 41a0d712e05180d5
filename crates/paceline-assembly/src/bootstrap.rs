//! What a stack needs of its environment's bootstrap stack: roles, and a version.

use std::collections::BTreeMap;

use serde_json::Value;

/// A role to assume, with placeholders in its ARN.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    pub arn: String,
    pub external_id: Option<String>,
    /// Raw fields of the `AssumeRole` request, such as `Tags`.
    pub session_options: BTreeMap<String, Value>,
    /// The bootstrap stack that has this role; only lookup roles state it.
    pub bootstrap: Option<Bootstrap>,
}

/// The least version that the environment's bootstrap stack must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    pub required_version: u32,
    /// The SSM parameter that holds the version; `None` means asking the stack `CDKToolkit`.
    pub ssm_parameter: Option<String>,
}

//! What a run asks of every stack operation, whatever the stack is to be.

use serde::{Deserialize, Serialize};

/// What a run asks of every stack operation, whatever the stack is to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct DeployOptions {
    /// Whether a parameter without a value gets its default, and not the value that the stack has.
    pub forgets_parameters: bool,
    /// Whether a stack takes in the resources that exist already under the names in its template.
    pub imports_existing: bool,
    /// Whether a stack is also changed where it has drifted from its template.
    pub reverts_drift: bool,
    /// Whether a stack is deployed although it is unchanged.
    pub forces: bool,
}

impl DeployOptions {
    /// Whether nothing special is asked for. Then nothing of this is saved, and digests are those of a plan without it.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an operation is needed to find out if the stack is as it should be.
    pub fn always_deploys(&self) -> bool {
        self.forces || self.reverts_drift
    }
}

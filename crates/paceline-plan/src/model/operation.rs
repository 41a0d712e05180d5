//! What happens to a stack or an asset.

use serde::{Deserialize, Serialize};

/// What a step did, or is expected to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOperation {
    /// Create a stack.
    Create,
    /// Update a stack.
    Update,
    /// Delete a stack.
    Delete,
    /// Publish an asset, wait at a gate, run a command.
    Done,
    /// Nothing: it was up to date.
    Unchanged,
}

impl StepOperation {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
        }
    }
}

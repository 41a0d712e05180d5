//! The last check before a change set that nobody has reviewed is executed.

use std::fmt;
use std::sync::Arc;

use paceline_engine::PreparedChange;

/// Decides whether a change set may be executed that was made in the middle of a run.
#[derive(Clone)]
pub struct ChangeGuard(Arc<Check>);

type Check = dyn Fn(&str, &[PreparedChange]) -> Result<(), GuardRefusal> + Send + Sync;

/// Why a change set may not be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardRefusal {
    /// What is refused.
    pub message: String,
    /// What a person can do.
    pub hint: String,
}

impl ChangeGuard {
    /// `check` gets the id of a stack of the app, and the changes of its change set.
    pub fn new(
        check: impl Fn(&str, &[PreparedChange]) -> Result<(), GuardRefusal> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(check))
    }

    pub(super) fn check(&self, stack: &str, changes: &[PreparedChange]) -> Result<(), GuardRefusal> {
        (self.0)(stack, changes)
    }
}

impl fmt::Debug for ChangeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeGuard")
    }
}

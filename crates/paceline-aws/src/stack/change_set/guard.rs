//! The last check before a change set that nobody has reviewed is executed.

use std::fmt;
use std::sync::Arc;

use paceline_assembly::{Stack, Template};
use paceline_engine::PreparedChange;

/// Decides whether a change set may be executed that was made in the middle of a run.
#[derive(Clone)]
pub struct ChangeGuard(Arc<Check>);

type Check = dyn Fn(&Unreviewed<'_>) -> Result<(), GuardRefusal> + Send + Sync;

/// A change set that was made in the middle of a run.
#[derive(Debug)]
pub struct Unreviewed<'a> {
    /// The stack as the run deploys it. Its template may be newer than the plan.
    pub stack: &'a Stack,
    /// The template that is deployed. `None` for a new stack.
    pub deployed: Option<Template>,
    /// What the change set changes.
    pub changes: &'a [PreparedChange],
}

/// Why a change set may not be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardRefusal {
    /// What is refused.
    pub message: String,
    /// What a person can do.
    pub hint: String,
}

impl ChangeGuard {
    /// A guard that decides with this function.
    pub fn new(check: impl Fn(&Unreviewed<'_>) -> Result<(), GuardRefusal> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    pub(super) fn check(&self, unreviewed: &Unreviewed<'_>) -> Result<(), GuardRefusal> {
        (self.0)(unreviewed)
    }
}

impl fmt::Debug for ChangeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeGuard")
    }
}

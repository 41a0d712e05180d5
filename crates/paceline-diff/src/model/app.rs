//! An app, compared with a base.

use std::time::Duration;

use paceline_plan::price::Price;

use super::collision::Collision;
use super::stack::StackDiff;

/// An app, compared with a base.
#[derive(Debug, Clone, PartialEq)]
pub struct AppDiff {
    /// The stacks in the order of the app, then those that only the base has.
    pub stacks: Vec<StackDiff>,
    /// The names that would collide.
    pub collisions: Vec<Collision>,
    /// The edges of the plan that are new or gone. `None` if the two plans were not compared.
    pub edges: Option<EdgeChanges>,
    /// How much longer a run takes. `None` if the two plans were not compared.
    pub time: Option<TimeChange>,
}

impl AppDiff {
    /// Whether anything differs.
    pub fn is_different(&self) -> bool {
        self.stacks.iter().any(|stack| stack.change.is_change())
    }
}

/// The edges of the plan that are new, and those that are gone. Several edges between two stacks count as one: the
/// order of the two changes only with the first and the last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeChanges {
    pub gained: Vec<EdgeChange>,
    pub lost: Vec<EdgeChange>,
}

/// A stack that newly waits for another one, or does not wait any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeChange {
    /// The id of the stack that waits.
    pub from: String,
    /// The id of the stack that it waits for.
    pub to: String,
    /// The kinds of the edges between the two, such as `ssm`, each once.
    pub reasons: Vec<String>,
    /// What ties the two, and where, for the first of these edges.
    pub detail: String,
}

/// How long a run of the whole plan takes, in the base and in the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeChange {
    pub before: Duration,
    pub after: Duration,
    /// What a minute of the build costs, where that is known.
    pub price: Option<Price>,
}

//! What a team says about the graph that no file shows.

use serde::{Deserialize, Serialize};

use super::Pattern;
use crate::model::Reason;

/// A dependency that no file shows, or what is enough of one that files show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredEdge {
    /// The stack that waits.
    pub from: Pattern,
    /// The stack it waits for.
    pub to: Pattern,
    /// Why, for whoever reads the plan.
    pub because: String,
    /// With `relax` or `until`: the kind of edge that is meant; without it, all that templates show. What only the
    /// manifest asks for can be relaxed when it is named.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Drops the edges.
    #[serde(default)]
    pub relax: Option<Relax>,
    /// How long the edges that templates show wait.
    #[serde(default)]
    pub until: Option<Until>,
}

impl DeclaredEdge {
    /// Whether it is about edges that templates show, and adds none.
    pub fn changes_others(&self) -> bool {
        self.relax.is_some() || self.until.is_some()
    }
}

/// When edges are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relax {
    /// When every parameter that is read is there before the run starts, or for an edge of the manifest the stack that is
    /// waited for: a redeployment. On a fresh account they stay, unless stacks would wait for each other in a circle.
    WhenPresent,
}

/// Until what of a stack an edge waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// The whole stack.
    #[default]
    Stack,
    /// The parameters or repositories that are read. If the stack fails later, they may be gone again.
    Resource,
}

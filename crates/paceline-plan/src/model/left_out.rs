//! Stacks that will not be deployed, and why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A stack that will not be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its id.
    pub stack: String,
    /// Why.
    pub why: LeftOutReason,
}

/// The stacks that differ from another assembly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The other assembly, as it was named.
    pub base: String,
    /// The ids of the stacks.
    pub stacks: BTreeSet<String>,
}

/// Why a stack will not be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// Its region is not switched on.
    RegionOff {
        /// The region.
        region: String,
        /// The environment variable that switches it on.
        variable: String,
    },
    /// It waits for a stack that is left out.
    WaitsFor {
        /// The id of that stack.
        stack: String,
    },
    /// `--exclude` names it.
    Excluded,
    /// `--only` names others.
    NotInOnly,
    /// It does not differ from another assembly.
    NotAffected {
        /// The other assembly, as it was named.
        base: String,
    },
    /// Stacks are named, and these alone are meant.
    NotNamed,
    /// Stacks are named, and none of them needs it.
    NotNeeded,
    /// Stacks to delete are named, and it needs none of them.
    NeedsNoneNamed,
}

//! Where a stack goes.

use std::fmt;

use paceline_assembly::{partition, placeholders};

/// An account and a region that are known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Target {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Target {
    /// Where IAM is: in no region.
    pub(crate) fn everywhere(account: &str) -> Self {
        Self { account: account.to_owned(), region: "global".to_owned() }
    }

    /// Puts the account, the region and the partition where a text has placeholders for them.
    pub(crate) fn resolve(&self, text: &str) -> String {
        placeholders(text, partition(&self.region), &self.account, &self.region)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

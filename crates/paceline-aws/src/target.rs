//! The destination of a stack.

use std::fmt;

use paceline_assembly::{partition, placeholders};

/// A known account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Target {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Target {
    /// The target of IAM, which has no region.
    pub(crate) fn everywhere(account: &str) -> Self {
        Self { account: account.to_owned(), region: "global".to_owned() }
    }

    /// The target of a destination of this account: in the region that it names, which may have placeholders, or in this
    /// one.
    pub(crate) fn of_destination(self, region: Option<&String>) -> Self {
        match region {
            Some(region) => Self { region: self.resolve(region), ..self },
            None => self,
        }
    }

    /// Replaces the placeholders in a text by the account, the region and the partition.
    pub(crate) fn resolve(&self, text: &str) -> String {
        placeholders(text, partition(&self.region), &self.account, &self.region)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

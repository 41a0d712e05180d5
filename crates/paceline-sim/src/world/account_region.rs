//! Accounts, regions and the keys of stacks.

use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountRegion {
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
}

impl AccountRegion {
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    pub(crate) fn partition(&self) -> &'static str {
        paceline_assembly::partition(&self.region)
    }

    /// The domain of the region's endpoints.
    pub(crate) fn url_suffix(&self) -> &'static str {
        paceline_assembly::url_suffix(&self.region)
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

/// The key of a stack: its account, its region and its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackKey {
    pub(crate) place: AccountRegion,
    pub(crate) arn: Arc<str>,
}

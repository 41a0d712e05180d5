//! The account and the region of a stack in a manifest.

use std::fmt;
use std::str::FromStr;

/// An account and a region. A field that is `None` comes from the credentials or the region in use.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Environment {
    pub account: Option<String>,
    pub region: Option<String>,
}

const UNKNOWN_ACCOUNT: &str = "unknown-account";
const UNKNOWN_REGION: &str = "unknown-region";

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_deref().unwrap_or(UNKNOWN_ACCOUNT);
        let region = self.region.as_deref().unwrap_or(UNKNOWN_REGION);
        write!(f, "aws://{account}/{region}")
    }
}

/// The error for a text that is not `aws://ACCOUNT/REGION`. It does not quote the text, because the caller
/// knows the text and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment is written aws://ACCOUNT/REGION")]
pub struct EnvironmentError;

impl FromStr for Environment {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (account, region) =
            text.strip_prefix("aws://").and_then(|rest| rest.split_once('/')).ok_or(EnvironmentError)?;
        let account_ok = |c: char| c.is_ascii_alphanumeric() || "-@._".contains(c);
        let region_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if account.is_empty() || !account.chars().all(account_ok) {
            return Err(EnvironmentError);
        }
        if region.is_empty() || !region.chars().all(region_ok) {
            return Err(EnvironmentError);
        }
        Ok(Environment {
            account: (account != UNKNOWN_ACCOUNT).then(|| account.to_owned()),
            region: (region != UNKNOWN_REGION).then(|| region.to_owned()),
        })
    }
}

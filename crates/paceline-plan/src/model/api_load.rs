//! The services whose APIs take few requests a second.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long an operation on a stack occupies the API of each service whose rate is low.
pub type ApiLoads = BTreeMap<ThrottledService, Duration>;

/// A service whose API takes few requests a second, so that stacks throttle each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThrottledService {
    ApiGateway,
    Iam,
    Lambda,
    Route53,
}

impl ThrottledService {
    /// The service with this name in the table of loads.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "api-gateway" => Self::ApiGateway,
            "iam" => Self::Iam,
            "lambda" => Self::Lambda,
            "route53" => Self::Route53,
            _ => return None,
        })
    }

    /// Whether the rate counts in all regions of an account together.
    pub fn is_global(self) -> bool {
        matches!(self, Self::Iam | Self::Route53)
    }
}

//! The roles and instance profiles of an account, and the times at which they become visible.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{World, add};

/// The identities of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities {
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) profiles: BTreeMap<String, Profile>,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) trust: String,
    pub(crate) created: Timestamp,
    pub(crate) visible: Timestamp,
    /// Whether the role has been missing once after it was visible.
    pub(crate) flapped: bool,
    /// The stack that created the role. `None` if no stack did.
    pub(crate) stack: Option<String>,
    /// ARNs of attached policies, with the times at which they become visible.
    pub(crate) attached: BTreeMap<String, Timestamp>,
    /// Inline policies by name: the JSON, and the time at which it becomes visible.
    pub(crate) inline: BTreeMap<String, (String, Timestamp)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) roles: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) visible: Timestamp,
}

/// The time at which a change made now becomes visible.
pub(crate) fn visible_at(world: &World, words: &[&str]) -> Timestamp {
    let (low, high) = (*world.options.iam_lag.start(), *world.options.iam_lag.end());
    let span = high.saturating_sub(low).as_secs_f64();
    let unit = world.draws(words).unit();
    let lag = low.saturating_add(Duration::try_from_secs_f64(span * unit).unwrap_or_default());
    add(world.now, lag)
}

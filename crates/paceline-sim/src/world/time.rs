//! Moments: additions, and the formats in which AWS writes them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub(crate) fn add(at: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// A moment in the format of XML answers and of ids.
pub(crate) fn written(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A moment in the format of JSON answers: seconds since the epoch.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit a float exactly")]
pub(crate) fn epoch(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

//! Virtual time.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Derives virtual time from tokio's clock.
///
/// When tokio's time is paused, virtual time stands still until every task waits, and then jumps. When
/// tokio's time runs, a scale above 1 makes virtual time run that many times faster than real time.
#[derive(Debug, Clone, Copy)]
pub struct VirtualClock {
    start: Timestamp,
    origin: Instant,
    scale: f64,
}

impl VirtualClock {
    /// A clock that shows `start` now and then runs at tokio's pace.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, origin: Instant::now(), scale: 1.0 }
    }

    /// Lets `scale` virtual seconds pass in each of tokio's seconds. A value that is not a positive number
    /// means 1.
    #[must_use]
    pub fn with_scale(mut self, scale: f64) -> Self {
        self.scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        self
    }

    /// The virtual time now.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.origin.elapsed().as_secs_f64() * self.scale;
        let elapsed = SignedDuration::try_from_secs_f64(elapsed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// The virtual time as a system time, for users such as the SDK's time source. The credentials that the
    /// simulator hands out expire in virtual time.
    pub fn system_time(&self) -> SystemTime {
        SystemTime::from(self.now())
    }

    /// The time on tokio's clock in which this much virtual time passes.
    pub fn real(&self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() / self.scale).unwrap_or(duration)
    }
}

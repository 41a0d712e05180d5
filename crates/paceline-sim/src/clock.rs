//! Virtual time.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells virtual time from tokio's clock.
///
/// With tokio's time paused, virtual time stands still until everything waits, and then jumps; with
/// a scale above 1 and real time, it runs that many times faster than the world outside.
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

    /// Lets `scale` virtual seconds pass in each of tokio's seconds. Anything that is not a positive
    /// number means 1.
    #[must_use]
    pub fn with_scale(mut self, scale: f64) -> Self {
        self.scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        self
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.origin.elapsed().as_secs_f64() * self.scale;
        let elapsed = SignedDuration::try_from_secs_f64(elapsed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// The virtual time for what wants the system's, such as the SDK's time source: credentials that the
    /// simulator hands out expire in virtual time.
    pub fn system_time(&self) -> SystemTime {
        SystemTime::from(self.now())
    }

    /// How long this much virtual time takes on tokio's clock.
    pub fn real(&self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() / self.scale).unwrap_or(duration)
    }
}

//! The figures of reports: points in time on the run's own clock, the columns of tables, the seconds of events.

use std::time::Duration;

/// The time on the run's own clock: `mm:ss`, or `h:mm:ss` from an hour on.
pub(crate) fn clock(at: Duration) -> String {
    let s = at.as_secs();
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h == 0 { format!("{m:02}:{s:02}") } else { format!("{h}:{m:02}:{s:02}") }
}

/// The unit of a table's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Minutes,
}

impl Unit {
    /// Minutes, unless the run was so short that they would say nothing.
    pub(crate) fn of(run: Duration) -> Self {
        if run < Duration::from_mins(2) { Self::Seconds } else { Self::Minutes }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
        }
    }

    /// The duration in this unit, with one decimal.
    pub(crate) fn figure(self, duration: Duration) -> String {
        let seconds = duration.as_secs_f64();
        match self {
            Self::Seconds => format!("{seconds:.1}"),
            Self::Minutes => format!("{:.1}", seconds / 60.0),
        }
    }
}

/// Converts the seconds of an event to a duration. A journal may hold any number: an invalid one becomes zero, and a very
/// large one is capped so that sums do not overflow.
pub(crate) fn seconds(s: f64) -> Duration {
    const MOST: f64 = 1e9;
    Duration::try_from_secs_f64(s.min(MOST)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        assert_eq!(clock(Duration::from_secs(65)), "01:05");
        assert_eq!(clock(Duration::from_secs(3_725)), "1:02:05");
    }
}

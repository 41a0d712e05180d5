//! Where an expected duration comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an expected duration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The median of so many earlier runs.
    History(usize),
    /// The table by resource type, along the longest path inside the stack.
    Table,
    /// Nothing is known: a fixed figure, or a stack most of whose types are in no table.
    Default,
    /// According to history the stack is up to date, so that it is only looked at.
    Unchanged {
        /// The day of the last change.
        since: Day,
        /// How many earlier looks it is the median of; 0 is a fixed figure.
        samples: usize,
    },
    /// Measured in the run that is looked at.
    Measured,
    /// Set by `--what-if`.
    Assumed,
    /// Set in the configuration.
    Configured,
}

impl Basis {
    /// Whether the figure is that of the whole step, with all that the runner does around the operation.
    pub fn is_whole_step(self) -> bool {
        !matches!(self, Self::Table | Self::Default | Self::Unchanged { samples: 0, .. })
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::History(samples) => write!(f, "history (median of {samples})"),
            Self::Table => f.write_str("table"),
            Self::Default => f.write_str("default"),
            Self::Unchanged { since, .. } => write!(f, "unchanged since {since}"),
            Self::Measured => f.write_str("measured"),
            Self::Assumed => f.write_str("what-if"),
            Self::Configured => f.write_str("configuration"),
        }
    }
}

/// A day in UTC, as a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Day {
    year: u16,
    month: u8,
    of_month: u8,
}

impl Day {
    /// The day of a timestamp such as `2026-01-01T00:00:00.000Z`.
    pub(crate) fn of(timestamp: &str) -> Option<Self> {
        let mut parts = timestamp.get(..10)?.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { year: year.parse().ok()?, month: month.parse().ok()?, of_month: day.parse().ok()? })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.of_month)
    }
}

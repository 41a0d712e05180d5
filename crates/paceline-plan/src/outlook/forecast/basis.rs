//! Where an expected duration comes from.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::outlook::history::Day;

/// Where an expected duration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The median of so many earlier runs.
    History(usize),
    /// The table by resource type, along the longest path inside the stack.
    Table,
    /// Nothing is known: a fixed figure, or a stack most of whose types are in no table.
    Default,
    /// By history there is nothing to do but to look.
    Unchanged {
        /// The day of the last change.
        since: Day,
        /// Of how many earlier looks it is the median; 0 is a fixed figure.
        samples: usize,
    },
    /// Measured in the run that is looked at.
    Measured,
    /// Somebody asked what would be if.
    Assumed,
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
        }
    }
}

impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

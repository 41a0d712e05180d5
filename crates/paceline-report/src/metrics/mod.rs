//! The metrics of a run: figures with a name, a unit and dimensions, for CloudWatch.
//!
//! [`metrics`] makes them from the events of one process. What an earlier process of an interrupted run did is in the
//! metrics of that process, so that no stack and no retry counts twice. Durations of the run as a whole are the exception:
//! they are known only at its end, and cover all of its processes.

mod counts;
mod emf;
mod kinds;
mod of_run;

pub use counts::Counts;
pub use emf::emf;
pub use kinds::{MetricKind, Unit};
pub use of_run::metrics;

/// Values of one metric, all of the end of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// What they are values of.
    pub kind: &'static MetricKind,
    /// The values of the dimensions that the kind names, in that order. ASCII, as CloudWatch requires.
    pub dimensions: Vec<String>,
    /// At least one value, in the unit of the kind.
    pub values: Vec<f64>,
}

/// The longest value of a dimension (CloudWatch API reference, "Dimension").
const LONGEST_DIMENSION: usize = 1024;

impl Metric {
    fn new(kind: &'static MetricKind, dimensions: &[&str], values: Vec<f64>) -> Self {
        Self { kind, dimensions: dimensions.iter().map(|value| ascii(value)).collect(), values }
    }

    /// Each dimension with its value.
    pub fn dimensions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.kind.dimensions.iter().copied().zip(self.dimensions.iter().map(String::as_str))
    }
}

/// The value of a dimension as CloudWatch takes it: ASCII without control characters, and not blank.
fn ascii(text: &str) -> String {
    let plain = |c: char| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' };
    let text: String = text.chars().map(plain).take(LONGEST_DIMENSION).collect();
    if text.trim().is_empty() { "unknown".to_owned() } else { text }
}

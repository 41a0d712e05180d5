//! Where the figures of a run go.

use crate::setting::choices;

choices! {
    /// Where the metrics of a run go.
    pub enum MetricsTarget: "a place for metrics" {
        /// Nowhere.
        Off = "off",
        /// To CloudWatch, with the API call `PutMetricData`.
        Cloudwatch = "cloudwatch",
        /// To stdout, as lines in CloudWatch's embedded metric format.
        Emf = "emf",
    }
    default Off
}

/// The namespace of the metrics in CloudWatch. The role of a generated project may write to no other namespace.
pub const METRIC_NAMESPACE: &str = "Paceline";

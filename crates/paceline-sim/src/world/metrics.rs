//! What callers have put into CloudWatch.

use std::collections::BTreeMap;

/// The values of one metric in one request.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMetric {
    /// The region that they were sent to.
    pub region: String,
    /// The namespace.
    pub namespace: String,
    /// The name of the metric.
    pub name: String,
    /// The unit.
    pub unit: String,
    /// The values of the dimensions, by their names.
    pub dimensions: BTreeMap<String, String>,
    /// The values, each as often as it was counted.
    pub values: Vec<f64>,
}

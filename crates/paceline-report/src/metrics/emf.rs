//! Metrics as lines in CloudWatch's embedded metric format.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Metric;

/// The most values that a member of a line has (CloudWatch User Guide, "Specification: Embedded metric format").
const MOST_VALUES: usize = 100;

/// The metrics as JSON objects, one a line, each ended by a line feed. Metrics with the same dimensions share a line.
///
/// CloudWatch Logs reads such a line if it is a log event of its own. `run` is a member of each line, and not a dimension:
/// queries of the log can use it.
pub fn emf(metrics: &[Metric], namespace: &str, run: &str, at: Timestamp) -> String {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for metric in metrics {
        for values in metric.values.chunks(MOST_VALUES) {
            let fits = |line: &&mut Line<'_>| {
                let names_once = line.metrics.iter().all(|(other, _)| other.kind.name != metric.kind.name);
                line.of.dimensions == metric.dimensions
                    && line.of.kind.dimensions == metric.kind.dimensions
                    && names_once
            };
            match lines.iter_mut().find(fits) {
                Some(line) => line.metrics.push((metric, values)),
                None => lines.push(Line { of: metric, metrics: vec![(metric, values)] }),
            }
        }
    }
    lines.iter().flat_map(|line| [line.json(namespace, run, at).to_string(), "\n".to_owned()]).collect()
}

/// Metrics with the same dimensions.
struct Line<'a> {
    of: &'a Metric,
    metrics: Vec<(&'a Metric, &'a [f64])>,
}

impl Line<'_> {
    fn json(&self, namespace: &str, run: &str, at: Timestamp) -> Value {
        let defined: Vec<Value> = self
            .metrics
            .iter()
            .map(|(metric, _)| json!({ "Name": metric.kind.name, "Unit": metric.kind.unit.as_str() }))
            .collect();
        let directive = json!({
            "Namespace": namespace,
            "Dimensions": [self.of.kind.dimensions],
            "Metrics": defined,
        });
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] }),
        );
        line.insert("Run".to_owned(), run.into());
        for (name, value) in self.of.dimensions() {
            line.insert(name.to_owned(), value.into());
        }
        for (metric, values) in &self.metrics {
            let value = if let [value] = values { json!(value) } else { json!(values) };
            line.insert(metric.kind.name.to_owned(), value);
        }
        Value::Object(line)
    }
}

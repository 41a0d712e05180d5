//! Sends metrics to CloudWatch, within the limits of `PutMetricData`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::AwsError;
use crate::performer::Aws;
use crate::signed::{Form, Protocol, Service, SignedCalls};

/// CloudWatch. Its model lists three protocols; every answer in this one has a body, which distinguishes it from the
/// answer of something else.
const CLOUDWATCH: Service =
    Service { id: "CloudWatch", host: "monitoring", signing_name: "monitoring", protocol: Protocol::Query };
const VERSION: &str = "2010-08-01";

/// The most metrics in one request (API reference, `PutMetricData`).
const MOST_METRICS: usize = 1000;
/// The most values of one metric in one request (the same).
const MOST_VALUES: usize = 150;
/// The longest request. The limit is 1 MB (the same); what comes around the metrics needs little of the rest.
const LONGEST: usize = 1_000_000;
/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_secs(3);

/// Values of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDatum {
    /// The name of the metric.
    pub name: String,
    /// The unit, as CloudWatch names it.
    pub unit: String,
    /// The dimensions, each a name and a value in ASCII. At most 30.
    pub dimensions: Vec<(String, String)>,
    /// Finite values.
    pub values: Vec<f64>,
    /// When they were measured: at most two weeks ago.
    pub at: Timestamp,
}

impl Aws {
    /// Sends metrics to CloudWatch in the region of the base credentials, in as few requests as its limits allow.
    ///
    /// An error may come after some of the requests.
    pub async fn put_metrics(&self, namespace: &str, data: &[MetricDatum]) -> Result<(), AwsError> {
        let calls = SignedCalls::new(&CLOUDWATCH, self.sessions.base(), None);
        let put = calls.operation("PutMetricData", None)?;
        let caller = self.sessions.caller(&self.sessions.here()).within(PATIENCE);
        for request in requests(namespace, data) {
            caller.call("PutMetricData", || put.invoke(request.clone())).await?;
        }
        Ok(())
    }
}

/// The bodies of the requests.
fn requests(namespace: &str, data: &[MetricDatum]) -> Vec<String> {
    let empty = || {
        let mut form = Form::new("PutMetricData", VERSION);
        form.add("Namespace", namespace);
        form
    };
    let mut requests = Vec::new();
    let (mut form, mut metrics) = (empty(), 0);
    for one in
        data.iter().flat_map(|datum| datum.values.chunks(MOST_VALUES).map(move |values| (datum, values)))
    {
        let mut written = written(metrics + 1, one.0, one.1);
        if metrics == MOST_METRICS || metrics > 0 && form.len() + written.len() > LONGEST {
            requests.push(std::mem::replace(&mut form, empty()).into_body());
            metrics = 0;
            written = self::written(1, one.0, one.1);
        }
        form.append(&written);
        metrics += 1;
    }
    if metrics > 0 {
        requests.push(form.into_body());
    }
    requests
}

/// One metric of a request. Equal values are sent once, with their count.
fn written(number: usize, datum: &MetricDatum, values: &[f64]) -> Form {
    let member = format!("MetricData.member.{number}");
    let mut form = Form::default();
    form.add(&format!("{member}.MetricName"), &datum.name);
    form.add(&format!("{member}.Unit"), &datum.unit);
    form.add(&format!("{member}.Timestamp"), &format!("{:.3}", datum.at));
    for (at, (name, value)) in (1..).zip(&datum.dimensions) {
        form.add(&format!("{member}.Dimensions.member.{at}.Name"), name);
        form.add(&format!("{member}.Dimensions.member.{at}.Value"), value);
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value.to_string()).or_default() += 1;
    }
    for (at, (value, count)) in (1..).zip(&counts) {
        form.add(&format!("{member}.Values.member.{at}"), value);
        form.add(&format!("{member}.Counts.member.{at}"), &count.to_string());
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datum(name: &str, values: Vec<f64>) -> MetricDatum {
        MetricDatum {
            name: name.to_owned(),
            unit: "Seconds".to_owned(),
            dimensions: vec![("Deployment".to_owned(), "shop".to_owned())],
            values,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn metrics_in(request: &str) -> usize {
        request.matches(".MetricName=").count()
    }

    #[test]
    fn a_request_has_at_most_a_thousand_metrics() {
        let data: Vec<MetricDatum> = (0..2001).map(|n| datum(&format!("M{n}"), vec![1.0])).collect();
        let requests = requests("Paceline", &data);
        assert_eq!(requests.iter().map(|it| metrics_in(it)).collect::<Vec<_>>(), [1000, 1000, 1]);
        assert!(requests[2].contains("MetricData.member.1.MetricName=M2000"), "{}", requests[2]);
    }

    #[test]
    fn a_request_is_shorter_than_a_megabyte_and_a_metric_has_at_most_150_values() {
        let values = || (0..1500).map(|n| f64::from(n) + 0.125).collect();
        let data: Vec<MetricDatum> = (0..50).map(|n| datum(&format!("M{n}"), values())).collect();
        let requests = requests("Paceline", &data);
        assert_eq!(requests.iter().map(|it| metrics_in(it)).sum::<usize>(), 500);
        assert!(requests.len() > 1);
        assert!(requests.iter().all(|it| it.len() <= LONGEST + 200));
        let most = requests.iter().flat_map(|it| it.match_indices(".Values.member.151=")).count();
        assert_eq!(most, 0);
    }

    #[test]
    fn equal_values_are_sent_once() {
        let request = requests("Paceline", &[datum("M", vec![2.5, 1.0, 2.5])]).remove(0);
        assert!(request.ends_with(
            "&MetricData.member.1.Values.member.1=1&MetricData.member.1.Counts.member.1=1\
             &MetricData.member.1.Values.member.2=2.5&MetricData.member.1.Counts.member.2=2"
        ));
        assert!(requests("Paceline", &[]).is_empty());
    }
}

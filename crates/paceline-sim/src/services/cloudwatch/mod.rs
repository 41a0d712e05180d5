//! CloudWatch: metrics are stored, for tests to look at. No request reads them. Alarms have the states that they are given.

mod alarms;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::services::service::{Answer, Service, unknown_operation};
use crate::wire::{Fault, Form, Outcome, Protocol, Request};
use crate::world::{StoredMetric, World};

/// `CloudWatch`.
pub(super) struct CloudWatch;

/// The limits of a request, of a metric in it, and of its timestamp (API reference, `PutMetricData` and `MetricDatum`).
const MOST_METRICS: usize = 1000;
const MOST_VALUES: usize = 150;
const MOST_DIMENSIONS: usize = 30;
const LONGEST_BODY: usize = 1024 * 1024;
const OLDEST: SignedDuration = SignedDuration::from_hours(14 * 24);
const NEWEST: SignedDuration = SignedDuration::from_hours(2);
/// The units that a deployment has a use for. CloudWatch knows more.
const UNITS: [&str; 5] = ["Seconds", "Milliseconds", "Count", "Percent", "None"];

impl Service for CloudWatch {
    fn name(&self) -> &'static str {
        "monitoring"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Query { namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/" }
    }

    fn protocol_of(&self, operation: &str) -> Protocol {
        if operation == "DescribeAlarms" { Protocol::Json } else { self.protocol() }
    }

    /// Like CloudWatch, it also answers in JSON.
    fn recognise(&self, request: &mut Request) {
        if request.header("x-amz-target").is_some() {
            request.protocol = Protocol::Json;
        }
    }

    fn answer(&self, world: &mut World, request: &Request) -> Result<Answer, Fault> {
        match request.operation.as_str() {
            "DescribeAlarms" => alarms::describe(world, request),
            "SetAlarmState" => alarms::set_state(world, request),
            _ => perform(world, request),
        }
        .map(Answer::Result)
    }
}

fn perform(world: &mut World, request: &Request) -> Outcome {
    if request.operation != "PutMetricData" {
        return Err(unknown_operation(request));
    }
    if request.body.len() > LONGEST_BODY {
        return Err(Fault::new(
            413,
            "RequestEntityTooLarge",
            "Request size exceeds the maximum allowed size",
        ));
    }
    let namespace = request.form.required("Namespace")?;
    if namespace.starts_with("AWS/") || namespace.starts_with(':') {
        return Err(invalid("The value AWS/ for parameter Namespace is invalid."));
    }
    let data = request.form.structures("MetricData").unwrap_or_default();
    if data.len() > MOST_METRICS {
        return Err(invalid("The collection MetricData must not have a size greater than 1000."));
    }
    let now = world.now;
    let read = |datum: &Form| stored(datum, namespace, &request.place.region, now);
    let stored: Vec<StoredMetric> = data.iter().map(read).collect::<Result<_, _>>()?;
    world.region_mut(&request.place).metrics.extend(stored);
    // The operation has no result, so the answer has no element for it.
    Ok(Value::Null)
}

fn stored(datum: &Form, namespace: &str, region: &str, now: Timestamp) -> Result<StoredMetric, Fault> {
    let name = datum.required("MetricName")?;
    let unit = datum.text("Unit").unwrap_or("None");
    if !UNITS.contains(&unit) {
        return Err(invalid(&format!("The parameter Unit is not valid: {unit}")));
    }
    if let Some(at) = datum.text("Timestamp") {
        let at: Timestamp =
            at.parse().map_err(|_| invalid("The parameter Timestamp must be a timestamp."))?;
        let age = now.duration_since(at);
        if age > OLDEST || age < -NEWEST {
            return Err(invalid(
                "The parameter Timestamp must specify a time within the past two weeks and no more than two hours in the future.",
            ));
        }
    }
    let mut dimensions = BTreeMap::new();
    for dimension in datum.structures("Dimensions").unwrap_or_default() {
        let (name, value) = (dimension.required("Name")?, dimension.required("Value")?);
        if !value.is_ascii() || value.trim().is_empty() || value.len() > 1024 {
            return Err(invalid(
                "The value of a dimension must contain ASCII characters only, and not be blank.",
            ));
        }
        dimensions.insert(name.to_owned(), value.to_owned());
    }
    if dimensions.len() > MOST_DIMENSIONS {
        return Err(invalid("The collection Dimensions must not have a size greater than 30."));
    }
    Ok(StoredMetric {
        region: region.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        dimensions,
        values: values(datum)?,
    })
}

fn values(datum: &Form) -> Result<Vec<f64>, Fault> {
    let number = |text: &String| {
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| invalid(&format!("The value {text} is not a number.")))
    };
    if let Some(value) = datum.text("Value") {
        return Ok(vec![number(&value.to_owned())?]);
    }
    let values: Vec<f64> =
        datum.list("Values").unwrap_or_default().iter().map(number).collect::<Result<_, _>>()?;
    let counts: Option<Vec<f64>> =
        datum.list("Counts").map(|counts| counts.iter().map(number).collect()).transpose()?;
    if values.is_empty()
        || values.len() > MOST_VALUES
        || counts.as_ref().is_some_and(|it| it.len() != values.len())
    {
        return Err(invalid("The collection Values must have between 1 and 150 entries, as many as Counts."));
    }
    let mut all = Vec::new();
    for (at, value) in values.into_iter().enumerate() {
        let count = counts.as_ref().map_or(1.0, |counts| counts[at]);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count is a small number"
        )]
        all.extend(std::iter::repeat_n(value, count as usize));
    }
    Ok(all)
}

fn invalid(message: &str) -> Fault {
    Fault::bad("InvalidParameterValue", message)
}

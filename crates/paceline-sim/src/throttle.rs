//! The documented API rates, as token buckets.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::world::Place;

/// Requests per second of an operation, if it has a documented limit.
///
/// AWS General Reference, "AWS CloudFormation endpoints and quotas": per account and region, not
/// adjustable. `DescribeEvents` is not in that table.
fn rate(service: &str, operation: &str) -> Option<f64> {
    if service != "cloudformation" {
        return None;
    }
    match operation {
        "CreateStack"
        | "UpdateStack"
        | "DeleteStack"
        | "CreateChangeSet"
        | "ExecuteChangeSet"
        | "DescribeChangeSet"
        | "DeleteChangeSet"
        | "ListChangeSets"
        | "RollbackStack"
        | "ContinueUpdateRollback"
        | "CancelUpdateStack"
        | "ValidateTemplate"
        | "GetTemplateSummary"
        | "ListImports"
        | "UpdateTerminationProtection"
        | "DescribeAccountLimits" => Some(2.0),
        "DescribeStacks"
        | "DescribeStackEvents"
        | "DescribeStackResources"
        | "ListStacks"
        | "ListStackResources"
        | "ListExports"
        | "GetTemplate" => Some(10.0),
        "DescribeStackResource" => Some(20.0),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// One bucket per account, region and operation. A bucket holds what one second allows, which is an
/// assumption: AWS documents the rates but not the bursts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Throttle(BTreeMap<(Place, String), Bucket>);

impl Throttle {
    pub(crate) fn admits(&mut self, place: &Place, service: &str, operation: &str, now: Timestamp) -> bool {
        let Some(rate) = rate(service, operation) else { return true };
        let bucket =
            self.0.entry((place.clone(), operation.to_owned())).or_insert(Bucket { tokens: rate, at: now });
        let elapsed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + elapsed * rate).min(rate);
        bucket.at = now;
        // Sums of fractions fall short of the whole by a rounding error.
        let admitted = bucket.tokens >= 1.0 - 1e-9;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_refills_what_a_second_allows() {
        let mut throttle = Throttle::default();
        let place = Place::new("1", "us-east-1");
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let mut admits = |millis| throttle.admits(&place, "cloudformation", "CreateStack", at(millis));
        assert!(admits(0) && admits(0) && !admits(0));
        assert!(!admits(400));
        assert!(admits(500));
        assert!(!admits(600));
    }
}

//! API rates, as token buckets.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::AccountRegion;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// One bucket per account, region and operation. A bucket holds the requests of one second, which is an
/// assumption: AWS documents the rates but not the bursts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Throttle(BTreeMap<(AccountRegion, String), Bucket>);

impl Throttle {
    /// Whether one more request is admitted. `rate` is the number of requests per second.
    pub(crate) fn admits(
        &mut self,
        place: &AccountRegion,
        operation: &str,
        rate: f64,
        now: Timestamp,
    ) -> bool {
        let bucket =
            self.0.entry((place.clone(), operation.to_owned())).or_insert(Bucket { tokens: rate, at: now });
        let elapsed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + elapsed * rate).min(rate);
        bucket.at = now;
        // Sums of fractions can miss a whole number by a rounding error.
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
    fn a_second_refills_the_requests_of_a_second() {
        let mut throttle = Throttle::default();
        let place = AccountRegion::new("1", "us-east-1");
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let mut admits = |millis| throttle.admits(&place, "CreateStack", 2.0, at(millis));
        assert!(admits(0) && admits(0) && !admits(0));
        assert!(!admits(400));
        assert!(admits(500));
        assert!(!admits(600));
    }
}

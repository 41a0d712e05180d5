//! Keeps API calls below their documented rates, with one token bucket per account, region and operation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use paceline_plan::pace::{BURST, MUTATING_RATE, READING_RATE, SHARE};
use tokio::time::Instant;

/// The calls per second to services without a documented rate that a deployment could reach.
const OTHER_RATE: f64 = 50.0;
/// The lowest rate, in calls per second, if AWS throttles again and again.
const SLOWEST: f64 = 0.2;

/// The buckets of a run.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    buckets: Mutex<HashMap<Key, Bucket>>,
    /// How often AWS said slower, by operation.
    throttled: Mutex<BTreeMap<&'static str, u64>>,
}

/// Account, region and operation.
type Key = (String, String, &'static str);

#[derive(Debug)]
struct Bucket {
    /// The present rate and the highest rate, in calls per second.
    rate: f64,
    limit: f64,
    /// The time of the next call. A reservation moves it, so that waiting calls are sent one after another.
    next: Instant,
}

impl Limiter {
    /// Waits until a call may go out.
    pub(crate) async fn acquire(&self, account: &str, region: &str, operation: &'static str) {
        let at = self.with(account, region, operation, |bucket| {
            let now = Instant::now();
            let spacing = Duration::from_secs_f64(1.0 / bucket.rate);
            // Calls that were not made in the last second may be made at once.
            let earliest = now.checked_sub(BURST).unwrap_or(now);
            let at = bucket.next.max(earliest + spacing);
            bucket.next = at;
            bucket.next += spacing;
            at
        });
        tokio::time::sleep_until(at).await;
    }

    /// Slows down because AWS throttled a call.
    pub(crate) fn throttled(&self, account: &str, region: &str, operation: &'static str) {
        self.with(account, region, operation, |bucket| bucket.rate = (bucket.rate / 2.0).max(SLOWEST));
        *self.throttled.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    /// How often AWS has said slower so far, by operation.
    pub(crate) fn throttles(&self) -> BTreeMap<String, u64> {
        let throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        throttled.iter().map(|(operation, times)| ((*operation).to_owned(), *times)).collect()
    }

    /// Speeds up because AWS answered a call.
    pub(crate) fn answered(&self, account: &str, region: &str, operation: &'static str) {
        self.with(account, region, operation, |bucket| {
            bucket.rate = (bucket.rate * 1.05).min(bucket.limit);
        });
    }

    fn with<T>(
        &self,
        account: &str,
        region: &str,
        operation: &'static str,
        use_it: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        // A panic in another thread cannot leave a bucket half changed.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let name = bucket_of(operation);
        let bucket = buckets.entry((account.to_owned(), region.to_owned(), name)).or_insert_with(|| {
            let limit = limit_of(name) * SHARE;
            Bucket { rate: limit, limit, next: Instant::now() }
        });
        use_it(bucket)
    }
}

/// The name of the bucket of an operation. All reads of IAM share one.
fn bucket_of(operation: &'static str) -> &'static str {
    match operation {
        "GetRole" | "GetInstanceProfile" | "ListAttachedRolePolicies" | "ListRolePolicies" => "iam",
        _ => operation,
    }
}

fn limit_of(bucket: &str) -> f64 {
    match bucket {
        "DescribeStacks" | "DescribeStackEvents" | "GetTemplate" | "iam" => READING_RATE,
        "GetCallerIdentity"
        | "AssumeRole"
        | "GetParameter"
        | "GetParameters"
        | "ListObjectsV2"
        | "PutObject"
        | "DescribeImages"
        | "PutImage"
        | "GetAuthorizationToken"
        | "PutMetricData"
        | "Publish"
        | "PutEvents" => OTHER_RATE,
        _ => MUTATING_RATE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn time_of(limiter: &Limiter, operation: &'static str, calls: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..calls {
            limiter.acquire("1", "r", operation).await;
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_sent_no_faster_than_the_documented_rate() {
        let took = time_of(&Limiter::default(), "CreateStack", 20).await;
        assert!(took >= Duration::from_secs(9), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn operations_regions_and_accounts_do_not_share_a_bucket() {
        let limiter = Limiter::default();
        time_of(&limiter, "CreateStack", 10).await;
        assert_eq!(time_of(&limiter, "UpdateStack", 1).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_halves_the_rate_and_answers_restore_it() {
        let limiter = Limiter::default();
        let before = time_of(&limiter, "DescribeStacks", 40).await;
        limiter.throttled("1", "r", "DescribeStacks");
        let slowed = time_of(&limiter, "DescribeStacks", 40).await;
        assert!(slowed > before.mul_f64(1.5), "{before:?} {slowed:?}");
        (0..100).for_each(|_| limiter.answered("1", "r", "DescribeStacks"));
        let restored = time_of(&limiter, "DescribeStacks", 40).await;
        assert!(restored < slowed.mul_f64(0.7), "{restored:?} {slowed:?}");
    }
}

//! Keeps API calls below their documented rates, with one token bucket per account, region and operation.
//!
//! A bucket slows down when AWS throttles a call, and speeds up again as calls are answered. CloudFormation's rates are
//! in no list of quotas that can be read. So only an account whose owner says that AWS has raised them is called
//! faster than documented: calls that wait for their bucket speed it up, until the first throttle or the greatest
//! factor. After a throttle, the bucket stays below the rate that was too fast.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use paceline_plan::pace::{BURST, MUTATING_RATE, READING_RATE, SHARE};
use tokio::time::Instant;

/// The calls per second to services without a documented rate that a deployment could reach.
const OTHER_RATE: f64 = 50.0;
/// The lowest rate, in calls per second, if AWS throttles again and again.
const SLOWEST: f64 = 0.2;

/// The growth of a rate with each answered call.
const GROWTH: f64 = 1.05;
/// The share of a rate above the documented one that is left after a throttle showed that it was too fast.
const BELOW_THROTTLED: f64 = 0.9;

/// The buckets of a run.
#[derive(Debug)]
pub(crate) struct Limiter {
    buckets: Mutex<HashMap<Key, Arc<Bucket>>>,
    /// How many times their documented rate the calls of CloudFormation may become.
    factor: AtomicU32,
    /// How often AWS said slower, by operation.
    throttled: Mutex<BTreeMap<&'static str, u64>>,
}

/// Account, region and operation.
type Key = (String, String, &'static str);

#[derive(Debug)]
struct Bucket {
    /// The waiting calls, in their order. The first one computes its time by the rate of that moment.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The present rate and the usual one, in calls per second.
    rate: f64,
    limit: f64,
    /// The highest rate. It is above the usual one where AWS has raised the documented rates.
    ceiling: f64,
    /// True if the last call had to wait for its turn.
    is_busy: bool,
    /// The time of the next call.
    next: Instant,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { buckets: Mutex::default(), factor: AtomicU32::new(1), throttled: Mutex::default() }
    }
}

impl Limiter {
    /// Lets the calls of CloudFormation become this many times as fast as documented. Counts for operations that have
    /// not been called yet.
    pub(crate) fn allow_faster(&self, factor: u32) {
        self.factor.store(factor, Ordering::Relaxed);
    }

    /// Waits until a call may go out. Returns how long it waited.
    pub(crate) async fn acquire(&self, account: &str, region: &str, operation: &'static str) -> Duration {
        let asked = Instant::now();
        let bucket = self.bucket(account, region, operation);
        let _turn = bucket.turn.lock().await;
        let at = bucket.with(|state| {
            let now = Instant::now();
            let spacing = Duration::from_secs_f64(1.0 / state.rate);
            // Calls that were not made in the last second may be made at once.
            let earliest = now.checked_sub(BURST).unwrap_or(now);
            let at = state.next.max(earliest + spacing);
            state.next = at + spacing;
            state.is_busy = at > asked;
            at
        });
        tokio::time::sleep_until(at).await;
        asked.elapsed()
    }

    /// Slows down because AWS throttled a call.
    pub(crate) fn throttled(&self, account: &str, region: &str, operation: &'static str) {
        self.bucket(account, region, operation).with(|bucket| {
            if bucket.rate > bucket.limit {
                bucket.ceiling = (bucket.rate * BELOW_THROTTLED).max(bucket.limit);
                bucket.rate = bucket.limit;
            } else {
                bucket.rate = (bucket.rate / 2.0).max(SLOWEST);
            }
        });
        *self.throttled.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    /// How often AWS has said slower so far, by operation.
    pub(crate) fn throttles(&self) -> BTreeMap<String, u64> {
        let throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        throttled.iter().map(|(operation, times)| ((*operation).to_owned(), *times)).collect()
    }

    /// Speeds up because AWS answered a call.
    pub(crate) fn answered(&self, account: &str, region: &str, operation: &'static str) {
        self.bucket(account, region, operation).with(|bucket| {
            // Only a bucket that calls wait for shows that a higher rate is needed, and that AWS admits it.
            let highest = if bucket.is_busy { bucket.ceiling } else { bucket.limit.max(bucket.rate) };
            bucket.rate = (bucket.rate * GROWTH).min(highest);
        });
    }

    fn bucket(&self, account: &str, region: &str, operation: &'static str) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let name = bucket_of(operation);
        let bucket = buckets.entry((account.to_owned(), region.to_owned(), name)).or_insert_with(|| {
            let limit = limit_of(name) * SHARE;
            let factor = if is_of_cloudformation(name) { self.factor.load(Ordering::Relaxed) } else { 1 };
            let ceiling = limit * f64::from(factor);
            let state = State { rate: limit, limit, ceiling, is_busy: false, next: Instant::now() };
            Arc::new(Bucket { turn: tokio::sync::Mutex::default(), state: Mutex::new(state) })
        });
        Arc::clone(bucket)
    }
}

impl Bucket {
    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        // A panic in another thread cannot leave the state half changed.
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
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

/// Whether an operation is one of CloudFormation with a documented rate.
fn is_of_cloudformation(bucket: &str) -> bool {
    matches!(
        bucket,
        "CreateStack"
            | "UpdateStack"
            | "DeleteStack"
            | "CreateChangeSet"
            | "ExecuteChangeSet"
            | "DescribeChangeSet"
            | "DeleteChangeSet"
            | "RollbackStack"
            | "ContinueUpdateRollback"
            | "DescribeStacks"
            | "DescribeStackEvents"
            | "GetTemplate"
    )
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

    /// Makes this many calls of `CreateStack` in an account that throttles above `allowed` calls in a second.
    /// Returns the time that they took, and the number of throttles.
    async fn in_account(factor: u32, allowed: usize, calls: usize) -> (Duration, u64) {
        let limiter = Limiter::default();
        limiter.allow_faster(factor);
        let (start, mut sent) = (Instant::now(), Vec::new());
        for _ in 0..calls {
            limiter.acquire("1", "r", "CreateStack").await;
            let now = Instant::now();
            sent.retain(|at: &Instant| now - *at < Duration::from_secs(1));
            if sent.len() < allowed {
                sent.push(now);
                limiter.answered("1", "r", "CreateStack");
            } else {
                limiter.throttled("1", "r", "CreateStack");
            }
        }
        (start.elapsed(), limiter.throttles().values().sum())
    }

    #[tokio::test(start_paused = true)]
    async fn where_rates_are_raised_calls_become_faster_up_to_the_bound() {
        let (usual, none) = in_account(1, 100, 200).await;
        let (raised, few) = in_account(4, 100, 200).await;
        assert!(usual > Duration::from_mins(2), "{usual:?}");
        assert!(raised < usual.mul_f64(0.35) && raised > usual / 4, "{raised:?} instead of {usual:?}");
        assert_eq!((none, few), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_ends_the_growth_below_the_rate_that_was_too_fast() {
        // Documented are two calls a second.
        for allowed in [2, 3, 5] {
            let (_, throttles) = in_account(4, allowed, 500).await;
            assert!(throttles <= 3, "{throttles} throttles at {allowed} calls a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_do_not_wait_do_not_become_faster() {
        let limiter = Limiter::default();
        limiter.allow_faster(4);
        for _ in 0..100 {
            limiter.acquire("1", "r", "CreateStack").await;
            limiter.answered("1", "r", "CreateStack");
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let took = time_of(&limiter, "CreateStack", 20).await;
        assert!(took >= Duration::from_secs(9), "{took:?}");
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

//! Everything the simulated AWS knows, and what is due to happen in it.
//!
//! Nothing happens in the background. Whatever takes time is put into a queue with the moment it is
//! due; the next request first brings the world up to its own time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::builds::Build;
use crate::ecr::Repository;
use crate::iam::Identities;
use crate::options::{Accounts, SimOptions};
use crate::random::Random;
use crate::s3::Buckets;
use crate::simulator::Call;
use crate::ssm::Parameter;
use crate::stack::{self, Stack};
use crate::throttle::Throttle;

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
}

impl Place {
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The partition of the region.
    pub(crate) fn partition(&self) -> &'static str {
        paceline_assembly::partition(&self.region)
    }

    /// The domain of the region's endpoints.
    pub(crate) fn url_suffix(&self) -> &'static str {
        paceline_assembly::url_suffix(&self.region)
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

/// Where a stack is kept: its place and its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackKey {
    pub(crate) place: Place,
    pub(crate) arn: Arc<str>,
}

/// What a region holds for one account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Region {
    /// By ARN, deleted ones too.
    pub(crate) stacks: BTreeMap<Arc<str>, Box<Stack>>,
    /// The stacks that are not deleted, by name.
    pub(crate) names: BTreeMap<String, Arc<str>>,
    pub(crate) exports: BTreeMap<String, Export>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// The names of the secrets that stacks made.
    pub(crate) secrets: BTreeSet<String>,
    /// CodeBuild projects by name, as `BatchGetProjects` gives them.
    pub(crate) projects: BTreeMap<String, serde_json::Value>,
    /// Builds of those projects, by id.
    pub(crate) builds: BTreeMap<String, Build>,
    /// EKS clusters that stacks created, and whether they are still there.
    pub(crate) clusters: BTreeMap<String, bool>,
    /// Names that resources took, with the stack and the resource that did.
    pub(crate) taken: BTreeMap<(String, String), Arc<str>>,
}

/// An exported output.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) value: String,
    pub(crate) stack: Arc<str>,
    pub(crate) stack_name: String,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

/// What an account holds in no region in particular.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) identities: Identities,
    /// Peerings between transit gateways: they show in both regions.
    pub(crate) peerings: Vec<Peering>,
}

/// A transit gateway peering attachment.
#[derive(Debug, Clone)]
pub(crate) struct Peering {
    pub(crate) id: String,
    pub(crate) regions: [String; 2],
    pub(crate) accepted: bool,
}

/// Something that will happen.
#[derive(Debug, Clone)]
struct Due {
    at: Timestamp,
    /// Keeps things that are due at the same moment in the order they were scheduled in.
    sequence: u64,
    key: StackKey,
    /// The operation it belongs to; if the stack has another by then, it does not happen.
    operation: u64,
    step: stack::Step,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// How many digits the id of an account has.
const ACCOUNT_DIGITS: usize = 12;

/// How many calls are remembered, so that a server that runs for days stays small.
const MOST_CALLS: usize = 100_000;

/// The whole state.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) options: SimOptions,
    pub(crate) random: Random,
    pub(crate) now: Timestamp,
    pub(crate) regions: BTreeMap<Place, Region>,
    pub(crate) accounts: BTreeMap<Arc<str>, Account>,
    pub(crate) buckets: Buckets,
    pub(crate) throttle: Throttle,
    pub(crate) calls: Vec<Call>,
    queue: BinaryHeap<Reverse<Due>>,
    sequence: u64,
    counter: u64,
}

impl World {
    pub(crate) fn new(options: SimOptions) -> Self {
        Self {
            random: Random::new(options.seed),
            options,
            now: Timestamp::UNIX_EPOCH,
            regions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            buckets: Buckets::default(),
            throttle: Throttle::default(),
            calls: Vec::new(),
            queue: BinaryHeap::new(),
            sequence: 0,
            counter: 0,
        }
    }

    pub(crate) fn log(&mut self, call: Call) {
        if self.calls.len() >= MOST_CALLS {
            self.calls.drain(..MOST_CALLS / 2);
        }
        self.calls.push(call);
    }

    /// A copy that does not know who called.
    pub(crate) fn copy(&mut self) -> Self {
        let calls = std::mem::take(&mut self.calls);
        let copy = self.clone();
        self.calls = calls;
        copy
    }

    /// Lets everything happen that is due by then. Time never goes back: a request that was
    /// overtaken by another happens at the later one's time.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        while self.queue.peek().is_some_and(|Reverse(due)| due.at <= to) {
            if let Some(Reverse(due)) = self.queue.pop() {
                self.now = self.now.max(due.at);
                stack::step(self, &due.key, due.operation, due.step);
            }
        }
        self.now = self.now.max(to);
    }

    pub(crate) fn schedule(&mut self, after: Duration, key: StackKey, operation: u64, step: stack::Step) {
        let at = add(self.now, after);
        self.sequence += 1;
        self.queue.push(Reverse(Due { at, sequence: self.sequence, key, operation, step }));
    }

    /// When the next thing is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    /// A number that no one else has.
    pub(crate) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Draws that depend on the seed and these words alone.
    pub(crate) fn draws(&self, words: &[&str]) -> Random {
        Random::keyed(self.options.seed, words)
    }

    pub(crate) fn region(&self, place: &Place) -> Option<&Region> {
        self.regions.get(place)
    }

    pub(crate) fn region_mut(&mut self, place: &Place) -> &mut Region {
        self.regions.entry(place.clone()).or_default()
    }

    pub(crate) fn account_mut(&mut self, account: &Arc<str>) -> &mut Account {
        self.accounts.entry(account.clone()).or_default()
    }

    pub(crate) fn is_bootstrapped(&self, place: &Place) -> bool {
        self.options.bootstrap_of(&place.account, &place.region).is_there()
    }

    /// Whether a text can be the id of an account.
    pub(crate) fn is_account(&self, text: &str) -> bool {
        let fits = match self.options.accounts {
            Accounts::OfTwelveDigits => text.len() == ACCOUNT_DIGITS,
            Accounts::OfAnyLength => !text.is_empty(),
        };
        fits && text.bytes().all(|byte| byte.is_ascii_digit())
    }

    pub(crate) fn take_stack(&mut self, key: &StackKey) -> Option<Box<Stack>> {
        self.regions.get_mut(&key.place)?.stacks.remove(&key.arn)
    }

    pub(crate) fn put_stack(&mut self, stack: Box<Stack>) {
        let region = self.region_mut(&stack.key.place.clone());
        region.stacks.insert(stack.key.arn.clone(), stack);
    }
}

pub(crate) fn add(at: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// A moment as AWS writes it in XML and in ids.
pub(crate) fn written(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A moment as the JSON protocol writes it: seconds since the epoch.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit a float exactly")]
pub(crate) fn epoch(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

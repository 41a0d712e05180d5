//! The state of the simulated AWS, and the queue of what is due.
//!
//! Nothing happens in the background. A thing that takes time goes into a queue, with the time at which it is
//! due. The next request first advances the world to its own time.

mod account_region;
mod alarms;
mod buckets;
mod builds;
mod call;
pub(crate) mod forms;
mod hung;
mod identities;
mod known;
mod messages;
mod metrics;
mod operation;
pub(crate) mod parameters;
pub(crate) mod repositories;
mod rules;
pub(crate) mod secrets;
mod stack;
mod throttle;
mod time;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::buckets::Buckets;
use self::identities::Identities;
use self::parameters::StoredParameter;
use self::repositories::Repository;
use self::throttle::Throttle;
use crate::options::{Accounts, SimOptions};
use crate::random::Random;

pub(crate) use self::account_region::{AccountRegion, StackKey};
pub(crate) use self::alarms::{SeenAlarm, alarms};
pub(crate) use self::buckets::{Object, etag};
pub(crate) use self::builds::{Build, Repetition};
pub use self::call::Call;
pub(crate) use self::hung::{Attempt, Hung};
pub(crate) use self::identities::{Profile, Role, visible_at};
pub(crate) use self::known::{Known, text_of};
pub use self::messages::Message;
pub use self::metrics::StoredMetric;
pub(crate) use self::operation::{
    ANY_OPERATION, OnFailure, Operation, OperationKind, Step, Task, TaskState, Work,
};
pub(crate) use self::rules::Rule;
pub use self::stack::StackSummary;
pub(crate) use self::stack::{
    BoundParameter, ChangeSet, ChangeSetStatus, Desired, Event, ExecutionStatus, Output, Resource, Stack,
    Token,
};
pub(crate) use self::time::{add, epoch, written};

/// The state of one account in one region.
#[derive(Debug, Clone, Default)]
pub(crate) struct Region {
    /// The stacks by ARN, including deleted ones.
    pub(crate) stacks: BTreeMap<Arc<str>, Box<Stack>>,
    /// The ARNs of stacks that are not deleted, by name.
    pub(crate) names: BTreeMap<String, Arc<str>>,
    pub(crate) exports: BTreeMap<String, Export>,
    pub(crate) parameters: BTreeMap<String, StoredParameter>,
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// The names of the secrets that stacks created.
    pub(crate) secrets: BTreeSet<String>,
    /// CodeBuild projects by name, as `BatchGetProjects` gives them.
    pub(crate) projects: BTreeMap<String, serde_json::Value>,
    /// Builds of those projects, by id.
    pub(crate) builds: BTreeMap<String, Build>,
    /// EKS clusters that stacks created, and whether each still exists.
    pub(crate) clusters: BTreeMap<String, bool>,
    /// Resources that never became ready, by physical id.
    pub(crate) hung: BTreeMap<String, Hung>,
    /// What was put into CloudWatch, in order.
    pub(crate) metrics: Vec<StoredMetric>,
    /// Rules of the default event bus, by name.
    pub(crate) rules: BTreeMap<String, Rule>,
    /// What was published to topics and put onto event buses, in order.
    pub(crate) messages: Vec<Message>,
    /// Names that resources have taken, by type and name, with the stack and the resource.
    pub(crate) taken: BTreeMap<(String, String), Arc<str>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) value: String,
    pub(crate) stack: Arc<str>,
    pub(crate) stack_name: String,
    /// Whether any part of the value is made up.
    pub(crate) made_up: bool,
}

/// The state of an account that belongs to no region.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) identities: Identities,
    /// Peerings between transit gateways. Both regions show them.
    pub(crate) peerings: Vec<Peering>,
}

/// A transit gateway peering attachment.
#[derive(Debug, Clone)]
pub(crate) struct Peering {
    pub(crate) id: String,
    pub(crate) regions: [String; 2],
    pub(crate) accepted: bool,
}

/// The next step of a stack, and the time at which it is due.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    at: Timestamp,
    /// Keeps steps that are due at the same time in the order of their scheduling.
    sequence: u64,
    pub(crate) key: StackKey,
    /// The operation that the step belongs to. If the stack has another operation by then, the step is
    /// skipped.
    pub(crate) operation: u64,
    pub(crate) step: Step,
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

/// The number of digits of an account's id.
const ACCOUNT_DIGITS: usize = 12;

/// The number of calls that are kept, so that a server that runs for days does not grow without limit.
const MOST_CALLS: usize = 100_000;

/// The whole state.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) options: SimOptions,
    pub(crate) random: Random,
    pub(crate) now: Timestamp,
    pub(crate) regions: BTreeMap<AccountRegion, Region>,
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

    /// A copy without the record of calls.
    pub(crate) fn copy(&mut self) -> Self {
        let calls = std::mem::take(&mut self.calls);
        let copy = self.clone();
        self.calls = calls;
        copy
    }

    /// Takes the next step that is due by `to` from the queue, and advances the time to it.
    pub(crate) fn next_until(&mut self, to: Timestamp) -> Option<Due> {
        self.queue.peek().filter(|Reverse(due)| due.at <= to)?;
        let Reverse(due) = self.queue.pop()?;
        self.now = self.now.max(due.at);
        Some(due)
    }

    pub(crate) fn schedule(&mut self, after: Duration, key: StackKey, operation: u64, step: Step) {
        let at = add(self.now, after);
        self.sequence += 1;
        self.queue.push(Reverse(Due { at, sequence: self.sequence, key, operation, step }));
    }

    /// The time at which the next step is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    /// A number that was never returned before.
    pub(crate) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A generator that depends only on the seed and these words.
    pub(crate) fn draws(&self, words: &[&str]) -> Random {
        Random::keyed(self.options.seed, words)
    }

    pub(crate) fn region(&self, place: &AccountRegion) -> Option<&Region> {
        self.regions.get(place)
    }

    /// The resources of a type that exist in a region.
    pub(crate) fn live<'a>(
        &'a self,
        place: &AccountRegion,
        kind: &'a str,
    ) -> impl Iterator<Item = &'a Resource> {
        let stacks = self.region(place).into_iter().flat_map(|region| region.stacks.values());
        let resources = stacks.flat_map(|stack| stack.resources.values());
        resources.filter(move |resource| resource.kind == kind && !resource.is_gone())
    }

    pub(crate) fn region_mut(&mut self, place: &AccountRegion) -> &mut Region {
        self.regions.entry(place.clone()).or_default()
    }

    pub(crate) fn account_mut(&mut self, account: &Arc<str>) -> &mut Account {
        self.accounts.entry(account.clone()).or_default()
    }

    pub(crate) fn is_bootstrapped(&self, place: &AccountRegion) -> bool {
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

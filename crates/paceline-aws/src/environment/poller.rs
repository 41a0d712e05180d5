//! Polls the stacks of an environment. Each environment has one poller. If stacks may be listed, one paged
//! `DescribeStacks` reads all of them. Otherwise each stack that somebody waits for is read by its name.
//!
//! A watcher that names stacks by a pattern waits for all stacks, and needs the list.
//!
//! A poller polls only while someone waits, and ends with its environment. A failed poll says nothing about
//! any stack and is repeated. If a stack may not be described, only those who wait for this stack get the
//! error.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput;
use aws_sdk_cloudformation::types::Stack;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use paceline_engine::known_bugs::{KnownBug, is_on};
use paceline_plan::pace::{FRESH_POLL, poll_interval};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Environment;
use super::latest::Latest;
use super::observed::{Observation, Observed};
use super::view::{StackView, is_gone, view};
use crate::error::{AwsError, ErrorKind};

/// The time for which listing is tried again before each stack is read by its name.
const LIST_PATIENCE: Duration = Duration::from_secs(5);
/// The number of stacks that are read by name at once, and the time limit of each read. A stack without an
/// answer must not delay the others. The next poll reads it again.
const ASKED_AT_ONCE: usize = 10;
const ASKED_FOR: Duration = Duration::from_secs(10);
/// Stands for all stacks among the names that are waited for. No stack is called so.
const ALL: &str = "*";

/// The stacks that a poller remembers.
#[derive(Debug)]
pub(crate) enum Interest {
    /// Those with these names.
    Names(BTreeSet<String>),
    /// All that are there.
    All,
}

impl Interest {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Names(names) => names.contains(name),
            Self::All => true,
        }
    }
}

/// Polls an environment while someone waits.
#[derive(Debug)]
pub(crate) struct Poller {
    interest: Interest,
    /// The names of stacks that were found by an alias. Lists do not show aliases.
    aliases: Mutex<BTreeMap<String, String>>,
    observed: Latest<Observed>,
    /// True unless it is known that stacks may not be listed.
    may_list: AtomicBool,
    /// The number of waits for each stack, and under [`ALL`] for the list of all stacks.
    waiting: Mutex<BTreeMap<String, usize>>,
    wake: Notify,
    /// The last time at which a change was seen or expected.
    last_change: Mutex<Instant>,
    hurry: Notify,
}

impl Poller {
    pub(crate) fn new(interest: Interest) -> Self {
        Self {
            interest,
            aliases: Mutex::default(),
            observed: Latest::default(),
            may_list: AtomicBool::new(true),
            waiting: Mutex::default(),
            wake: Notify::new(),
            last_change: Mutex::new(Instant::now()),
            hurry: Notify::new(),
        }
    }

    /// Notes that stacks may not be listed, so that it is not tried.
    pub(crate) fn never_list(&self) {
        self.may_list.store(false, Ordering::Relaxed);
    }

    /// Returns true unless it is known that stacks may not be listed.
    pub(crate) fn may_list(&self) -> bool {
        self.may_list.load(Ordering::Relaxed)
    }

    /// Starts polling for an environment. The polling ends with the environment.
    pub(crate) fn spawn(environment: &Arc<Environment>) {
        let poller = Arc::clone(&environment.poller);
        tokio::spawn(poll_forever(poller, Arc::downgrade(environment)));
    }

    /// Ends the polling, because the environment is gone.
    pub(crate) fn close(&self) {
        self.wake.notify_one();
    }

    /// Waits for a poll that starts from now on, and returns the state of a stack. `None` if the stack does
    /// not exist.
    ///
    /// The error is one that another poll cannot remove.
    pub(crate) async fn look(&self, name: &str) -> Result<Option<StackView>, AwsError> {
        self.look_since(name, Instant::now()).await
    }

    /// Returns the state of a stack in a recent poll, or else in the next one. This is sufficient for a stack
    /// that has not been changed yet: if the stack has changed since, AWS refuses the operation on it.
    pub(crate) async fn glance(&self, name: &str) -> Result<Option<StackView>, AwsError> {
        let fresh = Instant::now().checked_sub(FRESH_POLL);
        let seen =
            fresh.and_then(|fresh| self.observed.read(|observed| self.answer_since(observed, name, fresh)));
        match seen {
            Some(Ok(seen)) => Ok(seen),
            _ => self.look(name).await,
        }
    }

    /// All stacks that a poll sees which starts from now on. The error is that they may not be listed, or one that polling
    /// again does not mend.
    pub(crate) async fn look_at_all(&self) -> Result<Vec<StackView>, AwsError> {
        let since = Instant::now();
        let _waiting = Waiting::new(self, ALL);
        self.observed.wait_for(|observed| observed.all_since(since)).await
    }

    /// The number of all stacks in the last poll. `None` if stacks may not be listed.
    pub(crate) fn counted(&self) -> Option<usize> {
        self.observed.read(Observed::total)
    }

    /// Notes that an operation has just started, so that its end may be near.
    pub(crate) fn expect_change(&self) {
        *self.last_change.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.hurry.notify_one();
    }

    fn interval(&self, pages: u32) -> Duration {
        let last_change = *self.last_change.lock().unwrap_or_else(PoisonError::into_inner);
        poll_interval(last_change.elapsed(), pages)
    }

    async fn look_since(&self, name: &str, since: Instant) -> Result<Option<StackView>, AwsError> {
        let _waiting = Waiting::new(self, name);
        self.observed.wait_for(|observed| self.answer_since(observed, name, since)).await
    }

    /// Returns whether the plan has a stack with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.interest.has(name)
    }

    fn answer_since(&self, observed: &Observed, name: &str, since: Instant) -> Option<Observation> {
        match observed.newer_than(name, since) {
            Some(Ok(None)) => {
                let own = self.aliases().get(name).cloned();
                own.and_then(|own| observed.newer_than(&own, since)).or(Some(Ok(None)))
            }
            observation => observation,
        }
    }

    fn is_of_interest(&self, name: &str) -> bool {
        self.interest.has(name) || self.aliases().values().any(|own| own == name)
    }

    fn aliases(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.aliases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> Vec<String> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.keys().cloned().collect()
    }
}

/// Counts as waiting for a stack until it is dropped.
struct Waiting<'a> {
    poller: &'a Poller,
    name: String,
}

impl<'a> Waiting<'a> {
    fn new(poller: &'a Poller, name: &str) -> Self {
        let mut waiting = poller.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting.entry(name.to_owned()).or_default() += 1;
        poller.wake.notify_one();
        Self { poller, name: name.to_owned() }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.poller.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.name);
            }
        }
    }
}

async fn poll_forever(poller: Arc<Poller>, environment: Weak<Environment>) {
    let mut silent = Silent::default();
    loop {
        let mut wanted = poller.wanted();
        while wanted.is_empty() {
            if environment.strong_count() == 0 {
                return;
            }
            poller.wake.notified().await;
            wanted = poller.wanted();
        }
        let started = Instant::now();
        let calls = {
            // The environment is not held between two polls, so that dropping it ends this loop.
            let Some(environment) = environment.upgrade() else { return };
            poll(&environment, wanted, &mut silent).await
        };
        loop {
            let next = started + poller.interval(calls);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(next) => break,
                () = poller.hurry.notified() => {}
            }
        }
    }
}

/// The stacks that were read by name without an answer, each with the time of the first such read.
type Silent = HashMap<String, Instant>;

/// Polls once. Returns the number of pages that it took.
async fn poll(environment: &Environment, wanted: Vec<String>, silent: &mut Silent) -> u32 {
    let poller = &environment.poller;
    if poller.may_list() {
        let started = just_after_now();
        match read_all(environment).await {
            Ok(Read { stacks, total, pages }) => {
                poller.publish(|observed| observed.list(started, stacks, total));
                silent.clear();
                return pages;
            }
            // Reading the stacks in another way would not help.
            Err(error) if error.kind == ErrorKind::Credentials || is_on(KnownBug::PollFailureAsVerdict) => {
                poller.publish(|observed| observed.fail(started, error));
                return 1;
            }
            Err(error) if error.kind == ErrorKind::Denied => {
                poller.never_list();
                poller.publish(|observed| observed.cannot_list(error));
            }
            // One stack that cannot be shown must not hide the others.
            Err(error) => {
                if error.is_transient() {
                    environment.caller(None).tries_again(&error, "DescribeStacks");
                }
            }
        }
    }
    let names = wanted.into_iter().filter(|name| name != ALL).collect();
    read_each(environment, names, silent).await
}

/// The time just after now. A poll with this start counts for everyone who waits by now.
fn just_after_now() -> Instant {
    Instant::now() + Duration::from_nanos(1)
}

impl Poller {
    /// Updates the observed states, and polls sooner if a stack has changed.
    fn publish(&self, change: impl FnOnce(&mut Observed) -> bool) {
        if self.observed.change(change) {
            self.expect_change();
        }
    }
}

/// The result of a list: the stacks of the plan, the number of all stacks, and the number of calls.
struct Read {
    stacks: HashMap<String, StackView>,
    total: usize,
    pages: u32,
}

async fn read_all(environment: &Environment) -> Result<Read, AwsError> {
    let (mut stacks, mut total, mut pages, mut next) = (HashMap::new(), 0, 0, None::<String>);
    loop {
        let send = || environment.client.describe_stacks().set_next_token(next.clone()).send();
        let patience = if is_on(KnownBug::PollFailureAsVerdict) { Duration::ZERO } else { LIST_PATIENCE };
        let answer = environment.call_within(patience, None, "DescribeStacks", send).await?;
        pages += 1;
        for stack in answer.stacks() {
            let name = stack.stack_name().unwrap_or_default();
            let is_gone = is_gone(stack);
            total += usize::from(!is_gone);
            if !is_gone && environment.poller.is_of_interest(name) {
                stacks.insert(name.to_owned(), view(stack));
            }
        }
        next = answer.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(Read { stacks, total, pages });
        }
    }
}

/// Reads each of these stacks, and publishes every answer at once.
async fn read_each(environment: &Environment, names: Vec<String>, silent: &mut Silent) -> u32 {
    // An answer is much smaller than a page of a list.
    let pages = u32::try_from(names.len().div_ceil(2)).unwrap_or(u32::MAX);
    let caller = environment.caller(None);
    silent.retain(|name, _| names.contains(name));
    let ask = |name: String| async move {
        let started = just_after_now();
        let send = || environment.client.describe_stacks().stack_name(&name).send();
        let answer = environment.call_within(Duration::ZERO, None, "DescribeStacks", send);
        let answer = tokio::time::timeout(ASKED_FOR, answer).await;
        (name, started, answer)
    };
    let mut names = names.into_iter();
    let mut asked: FuturesUnordered<_> = names.by_ref().take(ASKED_AT_ONCE).map(&ask).collect();
    while let Some((name, started, answer)) = asked.next().await {
        asked.extend(names.next().map(&ask));
        let observation = match answer.map(found) {
            Ok(Err(error)) if error.is_transient() => Err(error),
            Ok(observation) => Ok(observation),
            Err(_) => {
                Err(AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup("AWS does not answer") })
            }
        };
        let observation = match observation {
            // A missing answer says nothing, until it has been missing for long.
            Err(error) if silent.entry(name.clone()).or_insert(started).elapsed() < caller.patience() => {
                caller.tries_again(&error, "DescribeStacks");
                continue;
            }
            Err(error) => Err(error),
            Ok(observation) => {
                observation.map(|stack| stack.filter(|stack| !is_gone(stack)).as_ref().map(view))
            }
        };
        silent.remove(&name);
        environment.poller.publish(|observed| observed.record(name, started, observation));
    }
    pages
}

/// Reads one stack by name or id. `None` if it does not exist.
pub(crate) async fn describe(environment: &Environment, name: &str) -> Result<Option<Stack>, AwsError> {
    let send = || environment.client.describe_stacks().stack_name(name).send();
    found(environment.call(None, "DescribeStacks", send).await)
}

/// Reads one stack again, independently of the polls.
pub(crate) async fn ask(environment: &Environment, id: &str) -> Result<Option<StackView>, AwsError> {
    let send = || environment.client.describe_stacks().stack_name(id).send();
    let answer = environment.call_within(LIST_PATIENCE, None, "DescribeStacks", send).await;
    Ok(found(answer)?.as_ref().map(view))
}

/// Reads one stack at once, by name, alias or id, without the polls. `None` if it does not exist.
pub(crate) async fn find(environment: &Environment, name: &str) -> Result<Option<StackView>, AwsError> {
    let found = describe(environment, name).await?;
    let view = found.as_ref().filter(|stack| !is_gone(stack)).map(view);
    if let Some(view) = view.as_ref().filter(|view| view.name != name && view.id != name) {
        environment.poller.aliases().insert(name.to_owned(), view.name.clone());
    }
    Ok(view)
}

fn found(answer: Result<DescribeStacksOutput, AwsError>) -> Result<Option<Stack>, AwsError> {
    match answer {
        Ok(answer) => Ok(answer.stacks().first().cloned()),
        Err(error) if error.says_no_such_stack() => Ok(None),
        Err(error) => Err(error),
    }
}

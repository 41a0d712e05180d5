//! One poller per environment: where stacks may be listed, a single paged `DescribeStacks` answers for all of them;
//! elsewhere each that is waited for is asked for by its name.
//!
//! It polls only while someone waits, and ends with its environment. A poll that fails says nothing about any stack: it
//! is made again. A stack that may not be described is the error of those who wait for it alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput;
use aws_sdk_cloudformation::types::Stack;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use paceline_plan::pace::{FRESH_POLL, poll_interval};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::Environment;
use super::observed::{Observation, Observed};
use super::view::{StackView, is_gone, view};
use crate::error::{AwsError, ErrorKind};

/// How long listing is tried again before each stack is asked for by its name.
const LIST_PATIENCE: Duration = Duration::from_secs(5);
/// How many stacks are asked for by name at once, and for how long: one that is not answered must not hold up the
/// others. It is asked for again with the next poll.
const ASKED_AT_ONCE: usize = 10;
const ASKED_FOR: Duration = Duration::from_secs(10);

/// Polls an environment while someone waits.
#[derive(Debug)]
pub(crate) struct Poller {
    names: BTreeSet<String>,
    /// The own names of stacks that were found by an alias, which lists do not show.
    aliases: Mutex<BTreeMap<String, String>>,
    observed: watch::Sender<Observed>,
    /// Whether stacks may be listed, as far as is known.
    may_list: AtomicBool,
    /// How many wait for each stack.
    waiting: Mutex<BTreeMap<String, usize>>,
    wake: Notify,
    /// When something was last seen or expected to change.
    last_change: Mutex<Instant>,
    hurry: Notify,
}

impl Poller {
    pub(crate) fn new(names: BTreeSet<String>) -> Self {
        Self {
            names,
            aliases: Mutex::default(),
            observed: watch::Sender::default(),
            may_list: AtomicBool::new(true),
            waiting: Mutex::default(),
            wake: Notify::new(),
            last_change: Mutex::new(Instant::now()),
            hurry: Notify::new(),
        }
    }

    /// Stacks may not be listed: it is not tried.
    pub(crate) fn never_list(&self) {
        self.may_list.store(false, Ordering::Relaxed);
    }

    /// Whether stacks may be listed, as far as is known.
    pub(crate) fn may_list(&self) -> bool {
        self.may_list.load(Ordering::Relaxed)
    }

    /// Starts polling on behalf of an environment, as long as it is there.
    pub(crate) fn spawn(environment: &Arc<Environment>) {
        let poller = Arc::clone(&environment.poller);
        tokio::spawn(poll_forever(poller, Arc::downgrade(environment)));
    }

    /// Lets the polling end: the environment is gone.
    pub(crate) fn close(&self) {
        self.wake.notify_one();
    }

    /// What a poll that starts from now on sees of a stack; `None` when it is not there.
    ///
    /// The error is one that polling again does not mend.
    pub(crate) async fn look(&self, name: &str) -> Result<Option<StackView>, AwsError> {
        self.look_since(name, Instant::now()).await
    }

    /// What the last poll saw of a stack, or the first one will. Good enough for a stack that nothing
    /// has been done to yet: if it has changed since, the operation on it is refused.
    pub(crate) async fn glance(&self, name: &str) -> Result<Option<StackView>, AwsError> {
        let fresh = Instant::now().checked_sub(FRESH_POLL);
        let seen = fresh.and_then(|fresh| self.told(&self.observed.borrow(), name, fresh));
        match seen {
            Some(Ok(seen)) => Ok(seen),
            _ => self.look(name).await,
        }
    }

    /// How many stacks the last poll saw in all; `None` when they may not be listed.
    pub(crate) fn counted(&self) -> Option<usize> {
        self.observed.borrow().total()
    }

    /// Something has just been started: its end may be near.
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
        let mut observed = self.observed.subscribe();
        let newer = observed.wait_for(|observed| self.told(observed, name, since).is_some()).await;
        let told = newer.ok().and_then(|observed| self.told(&observed, name, since));
        told.unwrap_or_else(|| Err(AwsError::setup("the poller has ended")))
    }

    /// Whether a stack of this name is in the plan.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn told(&self, observed: &Observed, name: &str, since: Instant) -> Option<Observation> {
        match observed.tells(name, since) {
            Some(Ok(None)) => {
                let own = self.aliases().get(name).cloned();
                own.and_then(|own| observed.tells(&own, since)).or(Some(Ok(None)))
            }
            told => told,
        }
    }

    fn is_of_interest(&self, name: &str) -> bool {
        self.names.contains(name) || self.aliases().values().any(|own| own == name)
    }

    fn aliases(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.aliases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> Vec<String> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.keys().cloned().collect()
    }
}

/// Counts as waiting for a stack while it lives.
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
            // Not held while nothing is asked: dropping the environment ends this.
            let Some(environment) = environment.upgrade() else { return };
            poll(&environment, wanted, &mut silent).await
        };
        loop {
            let next = started + poller.interval(calls);
            tokio::select! {
                () = tokio::time::sleep_until(next) => break,
                () = poller.hurry.notified() => {}
            }
        }
    }
}

/// Since when stacks have been asked for by name without an answer.
type Silent = HashMap<String, Instant>;

/// Polls once. Gives how many pages that took.
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
            // Nobody can be helped by asking in another way.
            Err(error) if error.kind == ErrorKind::Credentials => {
                poller.publish(|observed| observed.fail(started, error));
                return 1;
            }
            Err(error) if error.kind == ErrorKind::Denied => poller.never_list(),
            // One stack that cannot be shown must not hide the others.
            Err(error) => {
                if error.is_transient() {
                    environment.caller(None).tries_again(&error, "DescribeStacks");
                }
            }
        }
    }
    read_each(environment, wanted, silent).await
}

/// So that everyone who waits by now is served by what starts now.
fn just_after_now() -> Instant {
    Instant::now() + Duration::from_nanos(1)
}

impl Poller {
    /// Changes what is known, and hurries if a stack has changed.
    fn publish(&self, change: impl FnOnce(&mut Observed) -> bool) {
        let mut has_changed = false;
        self.observed.send_modify(|observed| has_changed = change(observed));
        if has_changed {
            self.expect_change();
        }
    }
}

/// What a poll read: the stacks that are of interest, how many there are in all, and how many calls it took.
struct Read {
    stacks: HashMap<String, StackView>,
    total: usize,
    pages: u32,
}

async fn read_all(environment: &Environment) -> Result<Read, AwsError> {
    let (mut stacks, mut total, mut pages, mut next) = (HashMap::new(), 0, 0, None::<String>);
    loop {
        let send = || environment.client.describe_stacks().set_next_token(next.clone()).send();
        let answer = environment.call_within(LIST_PATIENCE, None, "DescribeStacks", send).await?;
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

/// Asks for each of these stacks, and tells every answer as soon as it is there.
async fn read_each(environment: &Environment, names: Vec<String>, silent: &mut Silent) -> u32 {
    // Much less than a page of a list.
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
        let told = match answer.map(found) {
            Ok(Err(error)) if error.is_transient() => Err(error),
            Ok(told) => Ok(told),
            Err(_) => {
                Err(AwsError { kind: ErrorKind::Unreachable, ..AwsError::setup("AWS does not answer") })
            }
        };
        let told = match told {
            // That there is no answer says nothing, until it has been so for long.
            Err(error) if silent.entry(name.clone()).or_insert(started).elapsed() < caller.patience() => {
                caller.tries_again(&error, "DescribeStacks");
                continue;
            }
            Err(error) => Err(error),
            Ok(told) => told.map(|stack| stack.filter(|stack| !is_gone(stack)).as_ref().map(view)),
        };
        silent.remove(&name);
        environment.poller.publish(|observed| observed.tell(name, started, told));
    }
    pages
}

/// Asks for one stack by name or id; `None` when it is not there.
pub(crate) async fn describe(environment: &Environment, name: &str) -> Result<Option<Stack>, AwsError> {
    let send = || environment.client.describe_stacks().stack_name(name).send();
    found(environment.call(None, "DescribeStacks", send).await)
}

/// Asks for one stack once more, besides the poll.
pub(crate) async fn ask(environment: &Environment, id: &str) -> Result<Option<StackView>, AwsError> {
    let send = || environment.client.describe_stacks().stack_name(id).send();
    let answer = environment.call_within(LIST_PATIENCE, None, "DescribeStacks", send).await;
    Ok(found(answer)?.as_ref().map(view))
}

/// Looks for one stack at once, by name, by alias or by id, whatever polls have seen; `None` when it is not there.
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

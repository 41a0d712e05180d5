//! One poller per environment: a single paged `DescribeStacks` answers for all of its stacks.
//!
//! The un-named form needs no permission that any bootstrap version lacks. It polls only while someone
//! waits, and ends with its environment. A poll that fails says nothing about any stack: it is made again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aws_sdk_cloudformation::types::Stack;
use jiff::Timestamp;
use paceline_plan::pace::{FRESH_POLL, poll_interval};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::environment::Environment;
use crate::trouble::{Kind, Trouble};

/// How long listing is tried again before each stack is asked for by its name.
const LIST_PATIENCE: Duration = Duration::from_secs(5);

/// What a poll saw of a stack.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StackView {
    pub(crate) id: String,
    /// Its own name, by whichever it was asked for.
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    /// Creation time and time of the last update, which together name the stack's last operation.
    pub(crate) stamp: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) parameters: BTreeSet<String>,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) termination_protection: bool,
}

impl StackView {
    /// Names the state the stack is in: an operation on it makes it another.
    pub(crate) fn state(&self) -> String {
        format!("{} {} {}", self.id, self.stamp, self.status)
    }
}

/// What one poll saw.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    started: Instant,
    /// Which stacks were asked for.
    asked: Asked,
    stacks: Arc<HashMap<String, StackView>>,
    /// How many stacks there are of whatever name, if all were asked for.
    total: Option<usize>,
    trouble: Option<Trouble>,
}

/// Which stacks a poll asked for: of others it says nothing.
#[derive(Debug, Clone)]
enum Asked {
    All,
    Named(Vec<String>),
}

impl Snapshot {
    fn tells_of(&self, name: &str) -> bool {
        match &self.asked {
            Asked::All => true,
            Asked::Named(names) => names.iter().any(|asked| asked == name),
        }
    }
}

/// Polls an environment while someone waits.
#[derive(Debug)]
pub(crate) struct Poller {
    names: BTreeSet<String>,
    /// The own names of stacks that were found by an alias, which lists do not show.
    aliases: Mutex<BTreeMap<String, String>>,
    latest: watch::Sender<Snapshot>,
    /// How many wait for each stack.
    waiting: Mutex<BTreeMap<String, usize>>,
    wake: Notify,
    /// When something was last seen or expected to change.
    last_change: Mutex<Instant>,
    hurry: Notify,
}

impl Poller {
    pub(crate) fn new(names: BTreeSet<String>) -> Self {
        let (started, asked) = (Instant::now(), Asked::Named(Vec::new()));
        let never = Snapshot { started, asked, stacks: Arc::default(), total: None, trouble: None };
        Self {
            names,
            aliases: Mutex::default(),
            latest: watch::Sender::new(never),
            waiting: Mutex::default(),
            wake: Notify::new(),
            last_change: Mutex::new(Instant::now()),
            hurry: Notify::new(),
        }
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
    pub(crate) async fn look(&self, name: &str) -> Result<Option<StackView>, Trouble> {
        self.look_since(name, Instant::now()).await
    }

    /// What the last poll saw of a stack, or the first one will. Good enough for a stack that nothing
    /// has been done to yet: if it has changed since, the operation on it is refused.
    pub(crate) async fn glance(&self, name: &str) -> Result<Option<StackView>, Trouble> {
        let seen = self.latest.borrow().clone();
        if seen.tells_of(name) && seen.trouble.is_none() && seen.started.elapsed() < FRESH_POLL {
            return Ok(self.find(&seen, name));
        }
        self.look(name).await
    }

    /// How many stacks the last poll saw in all; `None` when they may not be listed.
    pub(crate) fn counted(&self) -> Option<usize> {
        self.latest.borrow().total
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

    async fn look_since(&self, name: &str, since: Instant) -> Result<Option<StackView>, Trouble> {
        let _waiting = Waiting::new(self, name);
        let mut latest = self.latest.subscribe();
        let tells = |snapshot: &Snapshot| snapshot.trouble.is_some() || snapshot.tells_of(name);
        let newer = latest.wait_for(|snapshot| snapshot.started > since && tells(snapshot)).await;
        let snapshot = match newer {
            Ok(snapshot) => snapshot.clone(),
            Err(_) => return Err(Trouble::setup("the poller has ended")),
        };
        match snapshot.trouble {
            Some(trouble) => Err(trouble),
            None => Ok(self.find(&snapshot, name)),
        }
    }

    /// Whether a stack of this name is in the plan.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn find(&self, snapshot: &Snapshot, name: &str) -> Option<StackView> {
        let by_alias = || snapshot.stacks.get(self.aliases().get(name)?);
        snapshot.stacks.get(name).or_else(by_alias).cloned()
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
    let mut may_list = true;
    loop {
        let mut wanted = poller.wanted();
        while wanted.is_empty() {
            if environment.strong_count() == 0 {
                return;
            }
            poller.wake.notified().await;
            wanted = poller.wanted();
        }
        let (started, pages) = {
            // Not held while nothing is asked: whoever drops the environment ends this.
            let Some(environment) = environment.upgrade() else { return };
            poll(&environment, wanted, &mut may_list).await
        };
        loop {
            let next = started + poller.interval(pages);
            tokio::select! {
                () = tokio::time::sleep_until(next) => break,
                () = poller.hurry.notified() => {}
            }
        }
    }
}

/// Polls once: when that started, and how many calls it took.
async fn poll(environment: &Environment, wanted: Vec<String>, may_list: &mut bool) -> (Instant, u32) {
    let poller = &environment.poller;
    // So that everyone who waits by now is served by this poll.
    let started = Instant::now() + Duration::from_nanos(1);
    let mut read = if *may_list { read_all(environment).await } else { Err(not_listed()) };
    let mut asked = Asked::All;
    if let Err(trouble) = &read {
        *may_list &= trouble.kind != Kind::Denied;
        // One stack that cannot be shown must not hide the others.
        if trouble.kind != Kind::Credentials {
            read = read_each(environment, &wanted).await;
            asked = Asked::Named(wanted);
        }
    }
    match read {
        Ok(Read { stacks, total, pages }) => {
            let before = Arc::clone(&poller.latest.borrow().stacks);
            let changed = before.len() != stacks.len()
                || stacks
                    .iter()
                    .any(|(name, now)| before.get(name).is_none_or(|was| was.status != now.status));
            let stacks = Arc::new(stacks);
            poller.latest.send_replace(Snapshot { started, asked, stacks, total, trouble: None });
            if changed {
                poller.expect_change();
            }
            (started, pages)
        }
        Err(trouble) => {
            let last = poller.latest.borrow().clone();
            poller.latest.send_replace(Snapshot { started, trouble: Some(trouble), ..last });
            (started, 1)
        }
    }
}

fn not_listed() -> Trouble {
    Trouble { kind: Kind::Denied, ..Trouble::setup("stacks may not be listed here") }
}

/// What a poll read: the stacks that are of interest, how many there are in all, and how many calls it took.
struct Read {
    stacks: HashMap<String, StackView>,
    total: Option<usize>,
    pages: u32,
}

async fn read_all(environment: &Environment) -> Result<Read, Trouble> {
    let (mut stacks, mut total, mut pages, mut next) = (HashMap::new(), 0, 0, None::<String>);
    loop {
        let send = || environment.client.describe_stacks().set_next_token(next.clone()).send();
        let answer = environment.call_within(LIST_PATIENCE, None, "DescribeStacks", send).await?;
        pages += 1;
        for stack in answer.stacks() {
            let name = stack.stack_name().unwrap_or_default();
            // A stack that is gone is not there, whether or not it is still listed.
            let is_gone = stack.stack_status().is_some_and(|status| status.as_str() == "DELETE_COMPLETE");
            total += usize::from(!is_gone);
            if !is_gone && environment.poller.is_of_interest(name) {
                stacks.insert(name.to_owned(), view(stack));
            }
        }
        next = answer.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(Read { stacks, total: Some(total), pages });
        }
    }
}

/// For an account whose deploy role may only ask for stacks by name.
async fn read_each(environment: &Environment, names: &[String]) -> Result<Read, Trouble> {
    let mut stacks = HashMap::new();
    for name in names {
        if let Some(stack) = describe(environment, name).await? {
            stacks.insert(name.clone(), view(&stack));
        }
    }
    Ok(Read { stacks, total: None, pages: u32::try_from(names.len()).unwrap_or(u32::MAX) })
}

/// Asks for one stack by name or id; `None` when it is not there.
pub(crate) async fn describe(environment: &Environment, name: &str) -> Result<Option<Stack>, Trouble> {
    let send = || environment.client.describe_stacks().stack_name(name).send();
    match environment.call(None, "DescribeStacks", send).await {
        Ok(answer) => Ok(answer.stacks().first().cloned()),
        Err(trouble) if trouble.message.contains("does not exist") => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Asks for one stack once more, besides the poll.
pub(crate) async fn ask(environment: &Environment, id: &str) -> Result<Option<StackView>, Trouble> {
    let send = || environment.client.describe_stacks().stack_name(id).send();
    let answer = environment.call_within(LIST_PATIENCE, None, "DescribeStacks", send).await?;
    Ok(answer.stacks().first().map(view))
}

/// Looks for one stack at once, by name, by alias or by id, whatever polls have seen; `None` when it is not there.
pub(crate) async fn find(environment: &Environment, name: &str) -> Result<Option<StackView>, Trouble> {
    let found = describe(environment, name).await?;
    let view = found.as_ref().map(view).filter(|view| view.status != "DELETE_COMPLETE");
    if let Some(view) = view.as_ref().filter(|view| view.name != name && view.id != name) {
        environment.poller.aliases().insert(name.to_owned(), view.name.clone());
    }
    Ok(view)
}

fn view(stack: &Stack) -> StackView {
    let time = |at: Option<&aws_smithy_types::DateTime>| at.map_or_else(String::new, ToString::to_string);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let outputs = stack.outputs().iter().map(|o| (text(o.output_key()), text(o.output_value())));
    let values = stack.parameters().iter().map(|p| (text(p.parameter_key()), text(p.parameter_value())));
    StackView {
        id: text(stack.stack_id()),
        name: text(stack.stack_name()),
        status: stack.stack_status().map_or_else(String::new, |status| status.as_str().to_owned()),
        reason: stack.stack_status_reason().map(str::to_owned),
        stamp: format!("{}/{}", time(stack.creation_time()), time(stack.last_updated_time())),
        outputs: outputs.collect(),
        tags: stack.tags().iter().map(|t| (text(t.key()), text(t.value()))).collect(),
        parameters: stack.parameters().iter().map(|p| text(p.parameter_key())).collect(),
        values: values.collect(),
        notification_arns: stack.notification_arns().to_vec(),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
    }
}

pub(crate) fn timestamp(at: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

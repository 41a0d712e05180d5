//! Follows the watched stacks of one environment: a loop that polls their statuses, and one that reads their events.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::progress::Progress;
use super::{StackNews, Wanted, watched};
use crate::environment::{Environment, StackView};
use crate::error::AwsError;
use crate::stack::cause_of;

/// From one reading of the events of a stack in progress to the next.
const EVENTS_EVERY: Duration = Duration::from_secs(10);

/// The watched stacks of an environment by name.
type Stacks = Mutex<BTreeMap<String, Progress>>;

/// Follows until this is dropped. `first` is notified when all news of the first poll have been sent.
pub(super) async fn follow(
    environment: &Environment,
    wanted: &Wanted,
    news: mpsc::UnboundedSender<StackNews>,
    first: oneshot::Sender<()>,
) -> AwsError {
    let (stacks, polled) = (Stacks::default(), Notify::new());
    let follow = Follow { environment, wanted, stacks: &stacks, polled: &polled, news };
    let ended = tokio::select! {
        ended = follow.poll() => ended,
        ended = follow.read(first) => ended,
    };
    match ended {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

struct Follow<'a> {
    environment: &'a Environment,
    wanted: &'a Wanted,
    stacks: &'a Stacks,
    /// Told after each poll.
    polled: &'a Notify,
    news: mpsc::UnboundedSender<StackNews>,
}

impl Follow<'_> {
    fn stacks(&self) -> MutexGuard<'_, BTreeMap<String, Progress>> {
        self.stacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn poll(&self) -> Result<Infallible, AwsError> {
        // A stack that a pattern finds later was not there at the first look.
        let mut was_looked = false;
        loop {
            let views = self.look().await?;
            {
                let mut stacks = self.stacks();
                let there: BTreeSet<&str> = views.iter().map(|(name, _)| name.as_str()).collect();
                for (name, progress) in stacks.iter_mut() {
                    if !there.contains(name.as_str()) {
                        progress.see(None);
                    }
                }
                for (name, view) in views {
                    let target = &self.environment.target;
                    let new = || Progress::new(watched(target, &name), was_looked);
                    stacks.entry(name.clone()).or_insert_with(new).see(view);
                }
            }
            was_looked = true;
            self.polled.notify_one();
        }
    }

    /// The watched stacks as a poll sees them that starts now.
    async fn look(&self) -> Result<Vec<(String, Option<StackView>)>, AwsError> {
        let poller = &self.environment.poller;
        match self.wanted {
            Wanted::Names(names) => {
                let looks = names.iter().map(async |name| Ok((name.clone(), poller.look(name).await?)));
                try_join_all(looks).await
            }
            Wanted::Matching(matches) => {
                let all = poller.look_at_all().await.map_err(|error| {
                    error.hint(
                        "watching stacks by a pattern needs cloudformation:ListStacks: give their names",
                    )
                })?;
                let matching = all.into_iter().filter(|view| matches(&view.name));
                Ok(matching.map(|view| (view.name.clone(), Some(view))).collect())
            }
        }
    }

    async fn read(&self, first: oneshot::Sender<()>) -> Result<Infallible, AwsError> {
        let mut first = Some(first);
        self.polled.notified().await;
        loop {
            match self.next() {
                Next::Read(name) => self.tell(&name).await,
                Next::At(due) => {
                    if let Some(first) = first.take() {
                        // Nobody may wait for it.
                        let _ = first.send(());
                    }
                    tokio::select! {
                        () = self.polled.notified() => {}
                        () = wait_until(due) => {}
                    }
                }
            }
        }
    }

    /// The stack to look into next: first those that have turned, then those whose events are due.
    fn next(&self) -> Next {
        let stacks = self.stacks();
        if let Some((name, _)) = stacks.iter().find(|(_, progress)| progress.has_turned()) {
            return Next::Read(name.clone());
        }
        let reads = stacks.iter().filter(|(_, it)| it.is_in_progress() && it.is_readable);
        let due =
            reads.map(|(name, it)| (it.read_at.map_or_else(Instant::now, |at| at + EVENTS_EVERY), name));
        match due.min() {
            Some((at, name)) if at <= Instant::now() => Next::Read(name.clone()),
            due => Next::At(due.map(|(at, _)| at)),
        }
    }

    /// Reads the events of a stack if they are needed, and sends the news.
    async fn tell(&self, name: &str) {
        let (mut log, id, view) = {
            let mut stacks = self.stacks();
            let Some(progress) = stacks.get_mut(name) else { return };
            progress.read_at = Some(Instant::now());
            let wants = progress.needs_events() || progress.is_in_progress() && progress.is_readable;
            let id = progress.id.clone().filter(|_| wants);
            (std::mem::take(&mut progress.log), id, progress.view.clone())
        };
        let read = match &id {
            Some(id) => log.read(self.environment, id).await,
            None => Ok(Vec::new()),
        };
        let (mut news, failed) = {
            let mut stacks = self.stacks();
            let Some(progress) = stacks.get_mut(name) else { return };
            // Another stack of that name may have come meanwhile.
            if id.is_none() || progress.id == id {
                progress.log = log;
            }
            let mut unreadable = None;
            let new = match read {
                Ok(new) => progress.read(new),
                Err(error) => {
                    progress.is_readable = false;
                    unreadable = Some(StackNews::Unreadable(progress.stack.clone(), error.to_string()));
                    Vec::new()
                }
            };
            // The news are of the status before the events were read: a poll may have seen another one since.
            let mut news = progress.news(view.as_ref(), &new);
            news.extend(unreadable);
            let has_failed = |view: StackView| view.status.is_settled() && !view.status.has_succeeded();
            (news, view.is_some_and(has_failed).then(|| progress.changes.clone()))
        };
        if let Some(changes) = failed {
            for it in &mut news {
                if let StackNews::Settled { cause, .. } = it {
                    *cause = cause_of(self.environment, &changes).await;
                }
            }
        }
        for it in news {
            // Nobody listens any more.
            let _ = self.news.send(it);
        }
    }
}

enum Next {
    /// The stack of this name.
    Read(String),
    /// None before this time, or before the next poll.
    At(Option<Instant>),
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

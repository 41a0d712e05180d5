//! Computes the time that the runner adds to a stack operation: calls wait for the rate limit, and the runner
//! learns of the end of an operation only at the next poll.
//!
//! The runner uses the same rates: [`paceline_plan::pace`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paceline_plan::pace::{
    BURST, CALL, FRESH_POLL, MUTATING_RATE, READING_RATE, STACKS_PER_PAGE, poll_interval, spacing,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

/// The number of calls at the reading rate that a bucket holds.
const READS_AT_ONCE: u32 = 8;

/// The polls and rate limits of an account and region.
#[derive(Debug)]
pub(super) struct EnvironmentPacing {
    state: Mutex<State>,
    hurry: Notify,
}

#[derive(Debug)]
struct State {
    polls: Polls,
    turns: HashMap<Call, Instant>,
}

/// The calls that have a rate limit of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Call {
    Create,
    Update,
    Events,
}

impl EnvironmentPacing {
    /// `stacks` is the number of stacks that exist already.
    pub(super) fn new(stacks: usize) -> Self {
        let polls = Polls {
            last: None,
            since: Instant::now(),
            waiting: 0,
            changed: Instant::now(),
            news: None,
            stacks,
        };
        Self { state: Mutex::new(State { polls, turns: HashMap::new() }), hurry: Notify::new() }
    }

    /// Takes the time of reading the status of a stack.
    pub(super) async fn glance(&self) {
        let is_fresh = self.state().polls.last.is_some_and(|last| last.elapsed() < FRESH_POLL);
        if !is_fresh {
            let now = Instant::now();
            self.state().polls.join(now);
            self.poll_from(now).await;
            self.state().polls.leave();
        }
    }

    /// Takes the time of an operation on a stack, from its submission until its end is known.
    pub(super) async fn operate(&self, creates: bool, time: Duration) {
        self.turn(if creates { Call::Create } else { Call::Update }).await;
        sleep(CALL).await;
        let now = Instant::now();
        {
            let polls = &mut self.state().polls;
            polls.join(now);
            polls.changed = now;
            polls.note(now);
            polls.stacks += usize::from(creates);
        }
        self.hurry.notify_waiters();
        let end = now + time;
        sleep_until(end).await;
        self.state().polls.note(end);
        self.poll_from(end).await;
        self.state().polls.leave();
        self.hurry.notify_waiters();
        // The runner reads the stack's events before it reports the end.
        self.turn(Call::Events).await;
        sleep(CALL).await;
    }

    /// Waits for the answer of the first poll that shows the state at `moment`, which is not in the future.
    async fn poll_from(&self, moment: Instant) {
        loop {
            let (at, answered) = {
                let polls = &mut self.state().polls;
                polls.advance(Instant::now());
                let length = polls.length();
                match polls.last.filter(|last| *last + length >= moment) {
                    Some(last) => (last, Some(last + length)),
                    None => (polls.next(), None),
                }
            };
            if let Some(answered) = answered {
                return sleep_until(answered).await;
            }
            tokio::select! {
                biased;
                () = sleep_until(at) => {}
                () = self.hurry.notified() => {}
            }
        }
    }

    async fn turn(&self, call: Call) {
        let at = {
            let now = Instant::now();
            let spacing = spacing(if call == Call::Events { READING_RATE } else { MUTATING_RATE });
            let turns = &mut self.state().turns;
            let next = turns.entry(call).or_insert(now);
            let earliest = now.checked_sub(BURST).unwrap_or(now);
            let at = (*next).max(earliest + spacing);
            *next = at + spacing;
            at
        };
        sleep_until(at).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in another thread cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The polls of an account and region, which continue while a step waits. The polls are computed and not
/// simulated, because nearly all of them see no change.
#[derive(Debug)]
struct Polls {
    /// The start of the last poll.
    last: Option<Instant>,
    /// The time since which at least one step has been waiting.
    since: Instant,
    waiting: usize,
    /// The last time at which a change was seen or expected.
    changed: Instant,
    /// The time of the first change that no poll has seen.
    news: Option<Instant>,
    /// The number of stacks that exist.
    stacks: usize,
}

impl Polls {
    fn join(&mut self, now: Instant) {
        if self.waiting == 0 {
            self.since = now;
        } else {
            self.advance(now);
        }
        self.waiting += 1;
    }

    fn leave(&mut self) {
        self.waiting -= 1;
    }

    /// Notes that something changes at this time.
    fn note(&mut self, at: Instant) {
        self.news = Some(self.news.map_or(at, |news| news.min(at)));
    }

    /// The number of pages of an answer.
    fn pages(&self) -> u32 {
        u32::try_from(self.stacks.div_ceil(STACKS_PER_PAGE)).unwrap_or(u32::MAX).max(1)
    }

    /// The time from the start of a poll to its answer.
    fn length(&self) -> Duration {
        let pages = self.pages();
        CALL * pages + spacing(READING_RATE) * pages.saturating_sub(READS_AT_ONCE)
    }

    /// The start of the next poll.
    fn next(&self) -> Instant {
        let Some(last) = self.last else { return self.since };
        let quiet = (last + self.length()).saturating_duration_since(self.changed);
        self.since.max(last + poll_interval(quiet, self.pages()))
    }

    /// Computes every poll until now.
    fn advance(&mut self, now: Instant) {
        while self.waiting > 0 {
            let next = self.next();
            if next > now {
                return;
            }
            self.last = Some(next);
            let answered = next + self.length();
            if self.news.is_some_and(|news| news <= answered) {
                (self.changed, self.news) = (answered, None);
            }
        }
    }
}

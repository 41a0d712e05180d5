//! The process groups that were started, and how they are ended.
//!
//! Processes live in the machine's time, so that what they are given to end is counted by the machine's clock and on a
//! thread: it continues when the code that waited for them is gone.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::drain::Drain;
use super::groups::{self, Signal};

/// How long what was asked to end may take, before it is killed.
pub const GRACE: Duration = Duration::from_secs(3);
/// What was killed and is there after this time hangs in the system, and is not waited for.
const HANGS: Duration = Duration::from_millis(500);
/// How often it is looked whether a group has ended: soon at first.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The processes that this process has started: one list for all, so that the end of this process finds them.
pub fn processes() -> &'static Processes {
    static ALL: LazyLock<Processes> = LazyLock::new(|| {
        groups::adopt_orphans();
        Processes { with_strays: true, ..Processes::default() }
    });
    &ALL
}

/// Process groups that may have members.
#[derive(Debug, Clone, Default)]
pub struct Processes {
    state: Arc<Mutex<State>>,
    /// Whether what has left its group is ended as well.
    with_strays: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Nothing is started any more.
    closed: bool,
    groups: BTreeMap<u32, Group>,
    /// A thread looks after the groups that are to end.
    attended: bool,
}

#[derive(Debug)]
enum Group {
    /// Its leader runs.
    Runs,
    /// Its leader has ended, and has left something in the background.
    Left,
    Ends(Box<End>),
}

/// How a group is made to end.
#[derive(Debug)]
struct End {
    /// The leader, when nobody else waits for it.
    leader: Option<Child>,
    output: Drain,
    kill_at: Instant,
    killed: bool,
    /// Who is told of the end.
    heard: Option<oneshot::Sender<()>>,
}

impl Processes {
    /// Starts a program as the leader of a group. After [`end_all`](Self::end_all) nothing is started.
    pub(crate) fn start(&self, command: &mut Command) -> io::Result<Child> {
        let mut state = self.lock();
        if state.closed {
            return Err(io::Error::other("nothing is started any more: this run is being stopped"));
        }
        state.groups.retain(|id, group| !matches!(group, Group::Left) || groups::is_alive(*id));
        groups::lead(command);
        let child = command.spawn()?;
        if let Some(id) = child.id() {
            state.groups.insert(id, Group::Runs);
        }
        Ok(child)
    }

    /// The leader of a group has ended by itself. Whether it has left something in the background.
    pub(crate) fn left(&self, group: u32) -> bool {
        let mut state = self.lock();
        let is_left = groups::is_alive(group);
        match state.groups.get_mut(&group) {
            Some(known @ Group::Runs) if is_left => *known = Group::Left,
            Some(Group::Runs) => drop(state.groups.remove(&group)),
            // The code that ends it removes it.
            _ => {}
        }
        is_left
    }

    /// Asks a group to end, and kills it when it has not ended after `grace`. The receiver hears of the end of its last
    /// process: by a message, or because the sender is gone.
    pub(crate) fn end(
        &self,
        group: u32,
        leader: Option<Child>,
        output: Drain,
        signal: Signal,
        grace: Duration,
    ) -> oneshot::Receiver<()> {
        let (heard, hears) = oneshot::channel();
        groups::send(group, signal);
        let mut state = self.lock();
        let kill_at = Instant::now() + grace;
        let end = End { leader, output, kill_at, killed: false, heard: Some(heard) };
        state.groups.insert(group, Group::Ends(Box::new(end)));
        if !state.attended {
            let all = self.clone();
            let attendant = thread::Builder::new().name("processes that end".to_owned());
            state.attended = attendant.spawn(move || all.attend()).is_ok();
        }
        if !state.attended {
            // Without a thread nobody is there after the grace.
            groups::send(group, Signal::Kill);
        }
        hears
    }

    /// Ends whatever is there, also what was left in the background, and waits for that: at most for `grace`, and a
    /// moment for those that are killed then. Nothing is started any more.
    pub fn end_all(&self, grace: Duration) {
        let kill_at = Instant::now() + grace;
        {
            let mut state = self.lock();
            state.closed = true;
            for (id, group) in &mut state.groups {
                match group {
                    Group::Ends(end) => end.kill_at = end.kill_at.min(kill_at),
                    Group::Runs | Group::Left => {
                        groups::send(*id, Signal::Terminate);
                        let end = End {
                            leader: None,
                            output: Drain::default(),
                            kill_at,
                            killed: false,
                            heard: None,
                        };
                        *group = Group::Ends(Box::new(end));
                    }
                }
            }
        }
        self.signal_strays(Signal::Terminate);
        self.wait(|| self.strays().is_empty(), kill_at);
        // What is killed may have started something meanwhile.
        self.wait(|| self.signal_strays(Signal::Kill) == 0, Instant::now() + HANGS);
    }

    /// Kills whatever is there, at once.
    pub fn kill_left(&self) {
        for id in self.lock().groups.keys() {
            groups::send(*id, Signal::Kill);
        }
        self.signal_strays(Signal::Kill);
    }

    /// Waits until everything has ended that was asked to, and leaves alone what was not.
    pub fn settle(&self) {
        self.wait(|| true, Instant::now() + GRACE + HANGS);
    }

    /// Kills whatever is there, at once, and nothing is started any more.
    pub fn kill_all(&self) {
        self.lock().closed = true;
        self.kill_left();
    }

    /// What comes from this process and has left the groups that it started.
    fn strays(&self) -> Vec<u32> {
        if !self.with_strays {
            return Vec::new();
        }
        let all = groups::descendants();
        let state = self.lock();
        all.into_iter().filter(|it| !state.groups.contains_key(&it.group)).map(|it| it.id).collect()
    }

    /// Signals them, and says how many there were.
    fn signal_strays(&self, signal: Signal) -> usize {
        let strays = self.strays();
        for id in &strays {
            groups::send_to(*id, signal);
        }
        strays.len()
    }

    /// Looks after groups that are to end until there are none, or a time has come.
    fn wait(&self, and: impl Fn() -> bool, until: Instant) {
        let mut pause = FIRST_LOOK;
        while (self.look() || !and()) && Instant::now() < until {
            thread::sleep(pause);
            pause = (pause * 2).min(LOOK_AGAIN);
        }
        self.look();
    }

    fn attend(&self) {
        let mut pause = FIRST_LOOK;
        loop {
            let left = self.look();
            let mut state = self.lock();
            if !left && !state.groups.values().any(|group| matches!(group, Group::Ends(_))) {
                state.attended = false;
                return;
            }
            drop(state);
            thread::sleep(pause);
            pause = (pause * 2).min(LOOK_AGAIN);
        }
    }

    /// Kills what has had its time, and forgets what has ended. Whether groups are left that are to end.
    fn look(&self) -> bool {
        let now = Instant::now();
        let mut left = false;
        self.lock().groups.retain(|id, group| {
            let Group::Ends(end) = group else { return true };
            end.output.empty();
            let leads = end.leader.as_mut().is_some_and(|leader| matches!(leader.try_wait(), Ok(None)));
            if !leads {
                end.leader = None;
            }
            let hangs = end.killed && now >= end.kill_at + HANGS;
            if hangs || !(leads || groups::is_alive(*id)) {
                // The receiver may be gone.
                let _ = end.heard.take().map(|heard| heard.send(()));
                return false;
            }
            if now >= end.kill_at {
                groups::send(*id, Signal::Kill);
                end.killed = true;
                // Where there are no groups.
                let _ = end.leader.as_mut().map(Child::start_kill);
            }
            left = true;
            true
        });
        left
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a list of numbers, which is as good as before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

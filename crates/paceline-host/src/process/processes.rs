//! The list of started process groups, and the code that ends them.
//!
//! Processes need real time to end. So their grace is measured with the machine's clock and on a separate
//! thread. The thread continues when the code that waited for the processes is gone.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::drain::Drain;
use super::groups::{self, Signal};

/// The time that a process has to end after it was asked to. Then it is killed.
pub const GRACE: Duration = Duration::from_secs(3);
/// A killed process that still exists after this time hangs in the system. Nobody waits for it any longer.
const HANGS: Duration = Duration::from_millis(500);
/// The shortest and the longest pause between two checks of whether a group has ended.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The processes that this process has started. There is one list for all, so that they can be ended when
/// this process ends.
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
    /// True if processes that have left their group are ended as well.
    with_strays: bool,
}

#[derive(Debug, Default)]
struct State {
    /// True if nothing may be started any more.
    closed: bool,
    groups: BTreeMap<u32, Group>,
    /// True if a thread watches the groups that must end.
    attended: bool,
}

#[derive(Debug)]
enum Group {
    /// The leader runs.
    Runs,
    /// The leader has ended and has left background processes.
    Left,
    Ends(Box<End>),
}

/// The state of ending a group.
#[derive(Debug)]
struct End {
    /// The leader, if nobody else waits for it.
    leader: Option<Child>,
    output: Drain,
    kill_at: Instant,
    killed: bool,
    /// Receives a message when the group has ended.
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

    /// Notes that the leader of a group has ended by itself. Returns whether it has left background
    /// processes.
    pub(crate) fn left(&self, group: u32) -> bool {
        let mut state = self.lock();
        let is_left = groups::is_alive(group);
        match state.groups.get_mut(&group) {
            Some(known @ Group::Runs) if is_left => *known = Group::Left,
            Some(Group::Runs) => drop(state.groups.remove(&group)),
            // The code that ends the group also removes it.
            _ => {}
        }
        is_left
    }

    /// Asks a group to end, and kills it if it has not ended after `grace`. When the last process of the
    /// group has ended, the receiver gets a message, or the sender is dropped.
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
            // Without a thread, nobody would kill the group after the grace.
            groups::send(group, Signal::Kill);
        }
        hears
    }

    /// Ends all processes, including background processes, and waits until they have ended. Waits at most for
    /// `grace`, plus a moment for processes that are then killed. Nothing can be started any more.
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
        // A process that is killed may have started others before.
        self.wait(|| self.signal_strays(Signal::Kill) == 0, Instant::now() + HANGS);
    }

    /// Kills all processes at once.
    pub fn kill_left(&self) {
        for id in self.lock().groups.keys() {
            groups::send(*id, Signal::Kill);
        }
        self.signal_strays(Signal::Kill);
    }

    /// Waits until all processes that were asked to end have ended. Leaves the others alone.
    pub fn settle(&self) {
        self.wait(|| true, Instant::now() + GRACE + HANGS);
    }

    /// Kills all processes at once. Nothing can be started any more.
    pub fn kill_all(&self) {
        self.lock().closed = true;
        self.kill_left();
    }

    /// The descendants of this process that have left the groups which it started.
    fn strays(&self) -> Vec<u32> {
        if !self.with_strays {
            return Vec::new();
        }
        let all = groups::descendants();
        let state = self.lock();
        all.into_iter().filter(|it| !state.groups.contains_key(&it.group)).map(|it| it.id).collect()
    }

    /// Sends a signal to the processes that have left their groups. Returns their number.
    fn signal_strays(&self, signal: Signal) -> usize {
        let strays = self.strays();
        for id in &strays {
            groups::send_to(*id, signal);
        }
        strays.len()
    }

    /// Watches the groups that must end until all have ended and `and` returns true, or until the time
    /// `until`.
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

    /// Kills the groups whose grace is over, and forgets the ended ones. Returns whether some groups have not
    /// ended yet.
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
                // On systems without process groups, only the leader can be killed.
                let _ = end.leader.as_mut().map(Child::start_kill);
            }
            left = true;
            true
        });
        left
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in another thread cannot damage a list of numbers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The processes of a build, and how they are stopped.
//!
//! Every command leads a process group of its own, so that a stop reaches all that it has started, and so that
//! what it left in the background can be ended with the build, as it ends with CodeBuild's container.

use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the processes of an interrupted command may go on when its shell has ended.
const GRACE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Asks a build to stop, from another thread: once to interrupt its command, once more to kill it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Mutex<Groups>>);

#[derive(Debug, Default)]
struct Groups {
    asked: u32,
    /// The process groups that may still have members.
    running: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Kill,
}

impl Stop {
    /// What is running is interrupted, or killed when it was interrupted before. Nothing else is started.
    ///
    /// One interrupt is sent, as a terminal sends one, since many programs take a second one as "at once". A process
    /// that a shell has just forked, and that is not yet the program it becomes, may lose it to the shell's handler.
    pub fn ask(&self) {
        let mut groups = self.groups();
        groups.asked += 1;
        let signal = if groups.asked == 1 { Signal::Interrupt } else { Signal::Kill };
        for group in &groups.running {
            send(*group, signal);
        }
    }

    pub fn is_asked(&self) -> bool {
        self.groups().asked > 0
    }

    /// Runs a command to its end, and when it is stopped, for a while, to the end of all that it has started.
    pub(super) fn wait_for(&self, command: &mut Command) -> std::io::Result<ExitStatus> {
        let mut child = self.start(command)?;
        let group = child.id();
        let status = child.wait()?;
        // `sh` may end before what it waits for, which then still puts things in order. What does not listen, as
        // what runs in the background does not, is not waited for longer.
        let ended = Instant::now();
        while self.is_asked() && is_alive(group) && ended.elapsed() < GRACE {
            std::thread::sleep(LOOK_AGAIN);
        }
        self.groups().running.retain(|other| *other != group || is_alive(group));
        Ok(status)
    }

    /// Nothing is started while a stop looks for what to interrupt.
    fn start(&self, command: &mut Command) -> std::io::Result<Child> {
        let mut groups = self.groups();
        lead_a_group(command);
        let child = command.spawn()?;
        groups.running.push(child.id());
        if groups.asked > 0 {
            send(child.id(), Signal::Kill);
        }
        Ok(child)
    }

    /// Ends what commands left in the background.
    pub(super) fn end_all(&self) {
        for group in self.groups().running.drain(..) {
            send(group, Signal::Kill);
        }
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        // A panic elsewhere leaves a list of numbers, which is as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
fn lead_a_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(unix)]
fn send(group: u32, signal: Signal) {
    let signal = match signal {
        Signal::Interrupt => rustix::process::Signal::INT,
        Signal::Kill => rustix::process::Signal::KILL,
    };
    if let Some(group) = pid(group) {
        // A group that has just ended needs no signal.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// Whether any process of the group is left; its leader has been waited for.
#[cfg(unix)]
fn is_alive(group: u32) -> bool {
    pid(group).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
}

#[cfg(unix)]
fn pid(group: u32) -> Option<rustix::process::Pid> {
    i32::try_from(group).ok().and_then(rustix::process::Pid::from_raw)
}

#[cfg(not(unix))]
fn lead_a_group(_: &mut Command) {}

#[cfg(not(unix))]
fn send(_: u32, _: Signal) {}

#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    false
}

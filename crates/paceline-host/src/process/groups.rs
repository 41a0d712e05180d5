//! Process groups: creating them, sending signals to them, and finding their members.

use tokio::process::Command;

/// A signal to a process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The signal of Ctrl-C in a terminal.
    Interrupt,
    Terminate,
    Kill,
}

/// One process of this machine.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    /// True if the process has not ended.
    pub(crate) runs: bool,
}

#[cfg(all(test, unix))]
pub(crate) use unix::runs;
#[cfg(unix)]
pub(crate) use unix::{descendants, is_alive, lead, send, send_to};

#[cfg(unix)]
mod unix {
    use rustix::process::{self, Pid};

    use super::{Command, Process, Signal};

    pub(crate) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    /// Sends a signal to a group. A group that has just ended needs none.
    pub(crate) fn send(group: u32, signal: Signal) {
        if let Some(group) = pid(group) {
            let _ = process::kill_process_group(group, of(signal));
        }
    }

    /// Sends a signal to one process.
    pub(crate) fn send_to(id: u32, signal: Signal) {
        if let Some(id) = pid(id) {
            let _ = process::kill_process(id, of(signal));
        }
    }

    /// Returns whether a process of the group runs. A process that has ended and that nobody has waited for
    /// does not count, if the system reports that.
    pub(crate) fn is_alive(group: u32) -> bool {
        let exists = pid(group).is_some_and(|group| process::test_kill_process_group(group).is_ok());
        exists && super::table::read().is_none_or(|all| all.iter().any(|it| it.group == group && it.runs))
    }

    /// Returns whether a process runs.
    #[cfg(test)]
    pub(crate) fn runs(id: u32) -> bool {
        super::table::read().is_some_and(|all| all.iter().any(|it| it.id == id && it.runs))
    }

    /// Every running descendant of this process, if the system reports them.
    pub(crate) fn descendants() -> Vec<Process> {
        let mut all = super::table::read().unwrap_or_default();
        let mut parents = vec![std::process::id()];
        let mut found = Vec::new();
        while let Some(parent) = parents.pop() {
            let children = all.extract_if(.., |it| it.parent == parent);
            for child in children {
                parents.push(child.id);
                found.push(child);
            }
        }
        found.retain(|it| it.runs);
        found
    }

    fn of(signal: Signal) -> process::Signal {
        match signal {
            Signal::Interrupt => process::Signal::INT,
            Signal::Terminate => process::Signal::TERM,
            Signal::Kill => process::Signal::KILL,
        }
    }

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }
}

/// Makes this process the parent of orphans of the programs that it starts, so that they can be found.
#[cfg(target_os = "linux")]
pub(crate) fn adopt_orphans() {
    // If this fails, orphans that have left their group are not found.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn adopt_orphans() {}

/// The processes of this machine, from `/proc`.
#[cfg(target_os = "linux")]
mod table {
    use super::Process;

    pub(super) fn read() -> Option<Vec<Process>> {
        let entries = std::path::Path::new("/proc").read_dir().ok()?;
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        Some(ids.filter_map(process).collect())
    }

    fn process(id: u32) -> Option<Process> {
        let stat = fs_err::read(format!("/proc/{id}/stat")).ok()?;
        // The name in front of this position may contain any character.
        let at = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(at + 1..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let runs = !matches!(fields.next()?, "Z" | "X" | "x");
        Some(Process { id, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()?, runs })
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
mod table {
    pub(super) fn read() -> Option<Vec<super::Process>> {
        None
    }
}

#[cfg(not(unix))]
pub(crate) fn lead(_: &mut Command) {}

#[cfg(not(unix))]
pub(crate) fn send(_: u32, _: Signal) {}

#[cfg(not(unix))]
pub(crate) fn send_to(_: u32, _: Signal) {}

#[cfg(not(unix))]
pub(crate) fn is_alive(_: u32) -> bool {
    false
}

#[cfg(not(unix))]
pub(crate) fn descendants() -> Vec<Process> {
    Vec::new()
}

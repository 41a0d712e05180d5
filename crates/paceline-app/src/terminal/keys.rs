//! Single keys that a reader presses in a terminal.
//!
//! The terminal passes each key on at once, and shows none. Ctrl-C and Ctrl-Z work as usual. The terminal gets its former
//! settings back when the keys are dropped, and wherever the live part is erased.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Up,
    Down,
    Enter,
    Char(char),
}

/// The keys that are pressed from now on.
#[derive(Debug)]
pub(crate) struct Keys {
    pressed: UnboundedReceiver<Key>,
}

impl Keys {
    /// Listens on stdin. `None` if it is not a terminal.
    pub(crate) fn listen() -> Option<Self> {
        let (sender, pressed) = unbounded_channel();
        mode::listen(move |bytes| keys(bytes).into_iter().all(|key| sender.send(key).is_ok()))
            .then_some(Self { pressed })
    }

    /// Waits for the next key. If stdin ends, this waits for ever.
    pub(crate) async fn next(&mut self) -> Key {
        match self.pressed.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal its former settings back, if they were changed.
pub(super) fn restore() {
    mode::restore();
}

/// The keys of bytes from a terminal. An arrow is a sequence of three bytes.
fn keys(bytes: &[u8]) -> Vec<Key> {
    let text = String::from_utf8_lossy(bytes);
    let (mut keys, mut rest) = (Vec::new(), &*text);
    while let Some(first) = rest.chars().next() {
        let arrow = rest.strip_prefix("\x1b[").or_else(|| rest.strip_prefix("\x1bO"));
        rest = if let Some(after) = arrow {
            // Parameters come before the letter that names the key.
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
            let end = after.chars().next();
            keys.extend(match end {
                Some('A') => Some(Key::Up),
                Some('B') => Some(Key::Down),
                _ => None,
            });
            end.map_or("", |end| &after[end.len_utf8()..])
        } else {
            keys.extend(match first {
                '\r' | '\n' => Some(Key::Enter),
                'k' => Some(Key::Up),
                'j' => Some(Key::Down),
                control if control.is_control() => None,
                other => Some(Key::Char(other)),
            });
            &rest[first.len_utf8()..]
        };
    }
    keys
}

#[cfg(unix)]
mod mode {
    use std::io::{self, IsTerminal as _};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::getpgrp;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

    /// How often to look whether the process is in the foreground, and whether anybody still listens.
    const LOOK_EVERY: Duration = Duration::from_millis(200);

    /// The state of the terminal.
    enum Mode {
        /// Nobody listens.
        Off,
        /// Somebody listens. The settings are those from before, if they were changed.
        On(Option<Box<Termios>>),
    }

    static MODE: Mutex<Mode> = Mutex::new(Mode::Off);

    fn mode() -> MutexGuard<'static, Mode> {
        MODE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes what is typed on, until `hear` gives false or the terminal is restored.
    pub(super) fn listen(hear: impl Fn(&[u8]) -> bool + Send + 'static) -> bool {
        if !io::stdin().is_terminal() {
            return false;
        }
        *mode() = Mode::On(None);
        let thread = thread::Builder::new().name("keys".to_owned());
        let started = thread.spawn(move || {
            let mut bytes = [0; 64];
            while take_keys() {
                let read = match is_readable() {
                    Ok(true) => rustix::io::read(io::stdin(), &mut bytes),
                    Ok(false) => continue,
                    Err(error) => Err(error),
                };
                match read {
                    // The terminal is gone, or nobody listens.
                    Ok(0) | Err(_) => return,
                    Ok(length) if hear(&bytes[..length]) => {}
                    Ok(_) => return,
                }
            }
        });
        started.is_ok()
    }

    /// Makes the terminal pass single keys on while the process is in the foreground. A process in the background would be
    /// stopped for that. After Ctrl-Z and `fg`, the shell may have changed the settings. Returns false when nobody
    /// listens any more.
    fn take_keys() -> bool {
        let mut mode = mode();
        let Mode::On(former) = &mut *mode else { return false };
        let stdin = io::stdin();
        if is_in_foreground()
            && let Ok(now) = tcgetattr(&stdin)
            && now.local_modes.contains(LocalModes::ICANON)
        {
            let mut single = now.clone();
            single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            if tcsetattr(&stdin, OptionalActions::Now, &single).is_ok() {
                former.get_or_insert(Box::new(now));
            }
        }
        true
    }

    fn is_in_foreground() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    /// Waits a moment for something to read.
    fn is_readable() -> rustix::io::Result<bool> {
        let stdin = io::stdin();
        let pause = Timespec::try_from(LOOK_EVERY).ok();
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], pause.as_ref()) {
            Ok(ready) => Ok(ready > 0 && is_in_foreground()),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn restore() {
        if let Mode::On(Some(former)) = std::mem::replace(&mut *mode(), Mode::Off) {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &former);
        }
    }
}

#[cfg(not(unix))]
mod mode {
    pub(super) fn listen(_hear: impl Fn(&[u8]) -> bool + Send + 'static) -> bool {
        false
    }

    pub(super) fn restore() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_letters_and_enter_are_keys_and_other_sequences_are_none() {
        use Key::{Char, Down, Enter, Up};
        assert_eq!(keys(b"\x1b[A\x1b[B\x1bOA\x1b[1;5B"), [Up, Down, Up, Down]);
        assert_eq!(keys(b"jkq\r\n"), [Down, Up, Char('q'), Enter, Enter]);
        assert_eq!(keys("\x1b[3~c\x01\u{e9}".as_bytes()), [Char('c'), Char('\u{e9}')]);
        assert_eq!(keys(b"\x1b["), []);
        assert_eq!(keys(b"\x1b"), []);
        assert_eq!(keys(b"\xff"), [Char('\u{fffd}')]);
    }
}

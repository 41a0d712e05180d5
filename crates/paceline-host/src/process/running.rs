//! A running program: its output and its end.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::drain::Drain;
use super::groups::Signal;
use super::lines::Lines;
use super::processes::Processes;
use super::program::Stream;

/// A background process may hold the output open after its program has ended. Nobody waits for more output
/// when no line has come for this time.
const QUIET: Duration = Duration::from_millis(100);
/// The longest time after the end of the program for which more output is read.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// The number of lines in a row after which a check finds out whether the program has ended.
const LOOK_UP: u32 = 256;

/// A running program. Dropping it ends the program.
#[derive(Debug)]
pub(crate) struct Running {
    /// Set until the program has ended by itself.
    child: Option<Child>,
    group: Option<u32>,
    printed: Printed,
    input: Option<(ChildStdin, String)>,
    dir: PathBuf,
    ends: (Signal, Duration),
    processes: Processes,
}

impl Running {
    pub(crate) fn new(
        mut child: Child,
        input: Option<(ChildStdin, String)>,
        dir: PathBuf,
        ends: (Signal, Duration),
        processes: Processes,
    ) -> Self {
        let printed =
            Printed { out: child.stdout.take().map(Lines::of), errors: child.stderr.take().map(Lines::of) };
        Self { group: child.id(), child: Some(child), printed, input, dir, ends, processes }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Reads the output until the program has ended. Then the pipes may stay open, because background
    /// processes may hold them for any time.
    pub(crate) async fn hear_its_end(
        &mut self,
        mut line: impl FnMut(Stream, String),
    ) -> io::Result<ExitStatus> {
        let Self { child, printed, input, .. } = self;
        let Some(child) = child else { return Err(io::Error::other("it has ended already")) };
        let mut is_fed = false;
        let feeding = feed(input.take());
        tokio::pin!(feeding);
        let mut ended = None;
        let (mut quiet, mut afterwards, mut heard) = (Instant::now(), Instant::now(), 0_u32);
        loop {
            if let Some(status) = ended.filter(|_| printed.is_over()) {
                return Ok(status);
            }
            tokio::select! {
                biased;
                status = child.wait(), if ended.is_none() => {
                    ended = Some(status?);
                    (quiet, afterwards) = (Instant::now() + QUIET, Instant::now() + AFTERWARDS);
                }
                (stream, text) = printed.next() => {
                    if let Some(text) = text {
                        line(stream, text);
                    }
                    quiet = Instant::now() + QUIET;
                    heard = heard.wrapping_add(1);
                    if heard.is_multiple_of(LOOK_UP) {
                        // During a flood of lines, the runtime would otherwise notice neither the end of the
                        // program nor a timeout.
                        tokio::task::yield_now().await;
                        if ended.is_none() && let Some(status) = child.try_wait()? {
                            ended = Some(status);
                            afterwards = Instant::now() + AFTERWARDS;
                        } else if ended.is_some() && afterwards <= Instant::now() {
                            printed.close(&mut line);
                        }
                    }
                }
                () = &mut feeding, if !is_fed => is_fed = true,
                () = sleep_until(quiet), if ended.is_some() => printed.close(&mut line),
            }
        }
    }

    /// Notes that the program has ended by itself. Returns whether it has left background processes.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child = None;
        self.group.is_some_and(|group| self.processes.left(group))
    }

    /// Ends the program with all processes that it has started, and waits until none is left.
    pub(crate) async fn end(&mut self) {
        if let Some(ended) = self.ask_to_end() {
            // If the sender is gone, nobody can report the end. This counts as the end.
            let _ = ended.await;
        }
    }

    fn ask_to_end(&mut self) -> Option<oneshot::Receiver<()>> {
        let (signal, grace) = self.ends;
        let leader = self.child.take();
        let output = self.printed.drain();
        self.group.map(|group| self.processes.end(group, leader, output, signal, grace))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.is_some() {
            drop(self.ask_to_end());
        }
    }
}

/// The output of a program that has not been read yet.
#[derive(Debug)]
struct Printed {
    out: Option<Lines<ChildStdout>>,
    errors: Option<Lines<ChildStderr>>,
}

impl Printed {
    /// The next line of either stream. `None` is the end of that stream.
    async fn next(&mut self) -> (Stream, Option<String>) {
        let Self { out, errors } = self;
        let (stream, text) = tokio::select! {
            text = next(out) => (Stream::Out, text),
            text = next(errors) => (Stream::Error, text),
        };
        if text.is_none() {
            match stream {
                Stream::Out => *out = None,
                Stream::Error => *errors = None,
            }
        }
        (stream, text)
    }

    fn is_over(&self) -> bool {
        self.out.is_none() && self.errors.is_none()
    }

    /// The open pipes, for a program that is being ended.
    fn drain(&self) -> Drain {
        let mut drain = Drain::default();
        if let Some(out) = &self.out {
            drain.add(out.stream());
        }
        if let Some(errors) = &self.errors {
            drain.add(errors.stream());
        }
        drain
    }

    /// Stops reading. Incomplete last lines are passed on.
    fn close(&mut self, line: &mut impl FnMut(Stream, String)) {
        let begun = [
            (Stream::Out, self.out.take().and_then(Lines::into_begun)),
            (Stream::Error, self.errors.take().and_then(Lines::into_begun)),
        ];
        for (stream, text) in begun {
            if let Some(text) = text {
                line(stream, text);
            }
        }
    }
}

async fn next<R: AsyncRead + Unpin>(lines: &mut Option<Lines<R>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next().await,
        None => std::future::pending().await,
    }
}

/// Writes the input of a program. Errors are ignored: a program may not read its input, and reports its own
/// errors.
async fn feed(input: Option<(ChildStdin, String)>) {
    if let Some((mut stdin, text)) = input {
        let _ = stdin.write_all(text.as_bytes()).await;
        let _ = stdin.shutdown().await;
    }
}

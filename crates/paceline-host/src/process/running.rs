//! A program that runs: what it prints, and how it ends.

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

/// When a program has ended and something that it has left in the background holds its output open: so long after the
/// last line nothing more is waited for,
const QUIET: Duration = Duration::from_millis(100);
/// and so long after its end not even if there are more.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// After so many lines in a row it is looked whether the program has ended meanwhile.
const LOOK_UP: u32 = 256;

/// A program that runs. Dropped, it is ended.
#[derive(Debug)]
pub(crate) struct Running {
    /// There until it has ended by itself.
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

    /// Hears what it prints until it has ended. Its pipes are not waited for then: what is in the background may hold
    /// them open as long as it likes.
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
                        // In a flood of lines the runtime hears of nothing else, neither of an end nor of the time.
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

    /// It has ended by itself. Whether it has left something in the background.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child = None;
        self.group.is_some_and(|group| self.processes.left(group))
    }

    /// Ends it with all that it has started, and waits until nothing is left.
    pub(crate) async fn end(&mut self) {
        if let Some(ended) = self.ask_to_end() {
            // It is as good as told when nobody is left who could tell.
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

/// What is still to come of what a program prints.
#[derive(Debug)]
struct Printed {
    out: Option<Lines<ChildStdout>>,
    errors: Option<Lines<ChildStderr>>,
}

impl Printed {
    /// The next line of either stream; no line is the end of that stream.
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

    /// The pipes that are still open, for a program that is being ended.
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

    /// Nothing more is waited for. A line that has begun is all that will come of it.
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

/// Gives a program its input. One that does not want it has its reasons, and says them itself.
async fn feed(input: Option<(ChildStdin, String)>) {
    if let Some((mut stdin, text)) = input {
        let _ = stdin.write_all(text.as_bytes()).await;
        let _ = stdin.shutdown().await;
    }
}

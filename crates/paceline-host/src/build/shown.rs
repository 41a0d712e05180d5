//! Shows the output of a build's commands without secrets, as CodeBuild masks them in its log.
//!
//! All commands write to the same two pipes, so that a background process can go on writing after its command has ended. A
//! thread reads each pipe line by line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write};
#[cfg(unix)]
use std::os::fd::OwnedFd as Owned;
#[cfg(windows)]
use std::os::windows::io::OwnedHandle as Owned;
use std::thread;

use paceline_text::secrets::{Lines, redacted};
use tokio::sync::mpsc;

use crate::process::lines::{LONGEST, piece};

/// Written to a pipe after a command has ended. Whoever has read it has read what the command wrote.
const MARK: &[u8] = b"\0paceline: a command has ended\0\n";

/// The output and the error output of a build.
#[derive(Debug)]
pub(super) struct Shown {
    out: Relay,
    errors: Relay,
}

#[derive(Debug)]
struct Relay {
    pipe: PipeWriter,
    marks: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
}

impl Shown {
    /// Shows on the output of this process what is written to the pipes.
    pub(super) fn start() -> io::Result<Self> {
        Ok(Self { out: Relay::start(io::stdout())?, errors: Relay::start(io::stderr())? })
    }

    /// The ends of the pipes that a command writes to.
    pub(super) fn files(&self) -> io::Result<(File, File)> {
        Ok((self.out.file()?, self.errors.file()?))
    }

    /// Waits until everything is shown that ended commands have written.
    pub(super) async fn settle(&self) {
        self.out.settle().await;
        self.errors.settle().await;
    }
}

impl Relay {
    fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (reader, pipe) = io::pipe()?;
        let (mark, marks) = mpsc::unbounded_channel();
        thread::Builder::new().name("output".to_owned()).spawn(move || relay(reader, to, &mark))?;
        Ok(Self { pipe, marks: tokio::sync::Mutex::new(marks) })
    }

    fn file(&self) -> io::Result<File> {
        Ok(File::from(Owned::from(self.pipe.try_clone()?)))
    }

    async fn settle(&self) {
        let mut marks = self.marks.lock().await;
        // The thread reads until the pipe is closed, so there is always room for the mark soon.
        if (&self.pipe).write_all(MARK).is_ok() {
            let _ = marks.recv().await;
        }
    }
}

fn relay(reader: PipeReader, to: impl Write, mark: &mpsc::UnboundedSender<()>) {
    let (mut reader, mut line) = (BufReader::new(reader), Vec::new());
    let mut shown = Redacting { to, lines: Lines::default() };
    loop {
        match reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => {
                shown.line(&line);
                return shown.end();
            }
            Ok(_) => {}
        }
        // The last line of a command may have no end.
        if line.ends_with(MARK) {
            line.truncate(line.len() - MARK.len());
            shown.line(&line);
            shown.end();
            line.clear();
            if mark.send(()).is_err() {
                return;
            }
        } else if line.ends_with(b"\n") {
            shown.line(&line);
            line.clear();
        } else if line.len() >= LONGEST
            && let Some(piece) = piece(&mut line)
        {
            shown.end();
            shown.show(&redacted(&piece));
        }
    }
}

/// Shows text without secrets.
struct Redacting<W> {
    to: W,
    lines: Lines,
}

impl<W: Write> Redacting<W> {
    fn line(&mut self, line: &[u8]) {
        if !line.is_empty() {
            let lines = self.lines.next(String::from_utf8_lossy(line).into_owned());
            self.show(&lines.concat());
        }
    }

    fn end(&mut self) {
        let lines = self.lines.end();
        self.show(&lines.concat());
    }

    fn show(&mut self, text: &str) {
        // Nobody may read the output any more. The commands go on.
        let _ = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use paceline_text::secrets::hide;

    use super::*;

    /// Keeps what is shown.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn shown(written: &[&str]) -> String {
        let kept = Kept::default();
        let relay = Relay::start(kept.clone()).unwrap();
        for text in written {
            relay.file().unwrap().write_all(text.as_bytes()).unwrap();
            relay.settle().await;
        }
        let shown = kept.0.lock().unwrap().clone();
        String::from_utf8(shown).unwrap()
    }

    #[tokio::test]
    async fn a_secret_in_the_middle_of_an_endless_line_is_hidden() {
        hide("in-the-middle-0815");
        for place in (LONGEST - 20..LONGEST + 2).chain([2 * LONGEST - 530, 3 * LONGEST]) {
            let line = format!("{}in-the-middle-0815{}\n", "é".repeat(place / 2), "y".repeat(LONGEST));
            let shown = shown(&[&line]).await;
            assert!(shown.contains("é***y") && shown.len() > 2 * LONGEST - 50, "{place}");
        }
    }

    #[tokio::test]
    async fn short_lines_of_a_secret_are_hidden_and_other_lines_wait_for_no_others() {
        hide("{\n  \"a\": \"x1\",\n  \"b\": 2\n}");
        assert_eq!(shown(&["one\n{\n", "two {\n"]).await, "one\n{\ntwo {\n");
        assert_eq!(shown(&["{\n  \"a\": \"x1\",\n  \"b\": 2\n}\nend"]).await, "***\n  ***\n  ***\n***\nend");
    }
}

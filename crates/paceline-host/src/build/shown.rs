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

use paceline_text::secrets::redacted;
use tokio::sync::mpsc;

/// Written to a pipe after a command has ended. Whoever has read it has read what the command wrote.
const MARK: &[u8] = b"\0paceline: a command has ended\0\n";
/// The greatest length of a line in bytes. A longer line is shown in pieces, in which a secret may be cut in two.
const LONGEST: u64 = 64 * 1024;

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

fn relay(reader: PipeReader, mut to: impl Write, mark: &mpsc::UnboundedSender<()>) {
    let (mut reader, mut line) = (BufReader::new(reader), Vec::new());
    loop {
        line.clear();
        match reader.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // The last line of a command may have no end.
        let is_mark = line.ends_with(MARK);
        let shown = if is_mark { &line[..line.len() - MARK.len()] } else { &line[..] };
        if !shown.is_empty() {
            let text = String::from_utf8_lossy(shown);
            // Nobody may read the output any more. The commands go on.
            let _ = to.write_all(redacted(&text).as_bytes()).and_then(|()| to.flush());
        }
        if is_mark && mark.send(()).is_err() {
            return;
        }
    }
}

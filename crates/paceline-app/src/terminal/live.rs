//! The live part at the bottom of a terminal: drawn a few times a second at most, and only when it has changed.
//!
//! Everything that is written meanwhile goes above it. The cursor stays visible, on the line below the live part: so
//! nothing is left to repair if the process is killed.

use std::io::{self, Write as _};
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use console::Term;
use paceline_report::Screen;
use paceline_text::secrets::redacted;

use super::keys;

/// The shortest time from one drawing to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// How often, and after which pauses, a panic tries to erase the live part before its message is written.
const TRIES: u32 = 20;
const TRY_EVERY: Duration = Duration::from_millis(5);

/// What is on the screen. Every write to the terminal holds this lock.
static SCREEN: Mutex<Option<Drawn>> = Mutex::new(None);
static PANICS_ARE_HEARD: Once = Once::new();

/// A live part. It is erased when this is dropped.
#[derive(Debug)]
pub struct LivePart {
    _ends: mpsc::Sender<()>,
}

/// The lines of the live part.
struct Drawn {
    term: Term,
    lines: Vec<String>,
    /// Whether the lines are on the screen.
    is_shown: bool,
    /// The width of the terminal when they were drawn.
    width: u16,
    at: Instant,
}

impl LivePart {
    /// Draws what `frame` gives, until this is dropped. A process has one live part.
    pub(super) fn start(
        color: bool,
        frame: impl Fn(Screen) -> Vec<String> + Send + 'static,
    ) -> io::Result<Self> {
        PANICS_ARE_HEARD.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                erase_if_possible();
                before(panic);
            }));
        });
        let (term, (sender, ended)) = (Term::buffered_stderr(), mpsc::channel());
        let at = Instant::now();
        *screen() = Some(Drawn { term: term.clone(), lines: Vec::new(), is_shown: false, width: 0, at });
        let thread = thread::Builder::new().name("live".to_owned());
        thread.spawn(move || {
            while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                let (height, width) = term.size();
                let lines = frame(Screen { width, height, color });
                match &mut *screen() {
                    Some(drawn) => drop(drawn.change(lines, width)),
                    None => return,
                }
            }
        })?;
        Ok(Self { _ends: sender })
    }
}

impl Drop for LivePart {
    fn drop(&mut self) {
        end();
    }
}

impl Drawn {
    fn change(&mut self, lines: Vec<String>, width: u16) -> io::Result<()> {
        if self.lines == lines && self.is_shown && self.width == width {
            return Ok(());
        }
        self.erase()?;
        self.lines = lines;
        self.draw(width)?;
        self.term.flush()
    }

    /// Puts a text above the lines. If they have just been drawn, the next drawing puts them back: many texts one after
    /// another must not draw them many times.
    fn print(&mut self, text: &str) -> io::Result<()> {
        self.erase()?;
        self.term.write_all(text.as_bytes())?;
        if self.at.elapsed() >= PAUSE {
            self.draw(self.term.size().1)?;
        }
        self.term.flush()
    }

    fn draw(&mut self, width: u16) -> io::Result<()> {
        for line in &self.lines {
            self.term.write_line(line)?;
        }
        (self.is_shown, self.width, self.at) = (true, width, Instant::now());
        Ok(())
    }

    /// Erases the lines, but does not flush.
    fn erase(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_shown) || self.lines.is_empty() {
            return Ok(());
        }
        // A terminal that has become narrower breaks each line into several.
        let width = usize::from(self.term.size().1.max(1));
        let rows = |line: &String| console::measure_text_width(line).div_ceil(width).max(1);
        self.term.move_cursor_left(usize::from(self.width.max(1)))?;
        self.term.move_cursor_up(self.lines.iter().map(rows).sum())?;
        self.term.clear_to_end_of_screen()
    }
}

fn screen() -> MutexGuard<'static, Option<Drawn>> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a text to stderr, above the live part if there is one.
pub(super) fn print(text: &str) -> io::Result<()> {
    let text = &redacted(text);
    match &mut *screen() {
        Some(drawn) => drawn.print(text),
        None => io::stderr().lock().write_all(text.as_bytes()),
    }
}

/// Does something that writes to the terminal in another way, above the live part if there is one.
pub(super) fn above<T>(write: impl FnOnce() -> T) -> T {
    let mut screen = screen();
    if let Some(drawn) = &mut *screen {
        let _ = drawn.erase().and_then(|()| drawn.term.flush());
    }
    write()
}

/// Erases the live part if there is one, and reads no more keys.
pub fn end() {
    keys::restore();
    end_of(&mut screen());
}

fn end_of(screen: &mut Option<Drawn>) {
    if let Some(mut drawn) = screen.take() {
        let _ = drawn.erase().and_then(|()| drawn.term.flush());
    }
}

/// Erases the live part unless another thread is writing and does not come to an end.
fn erase_if_possible() {
    keys::restore();
    for _ in 0..TRIES {
        match SCREEN.try_lock() {
            Ok(mut screen) => return end_of(&mut screen),
            Err(TryLockError::Poisoned(screen)) => return end_of(&mut screen.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(TRY_EVERY),
        }
    }
}

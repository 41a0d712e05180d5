//! The two streams: data goes to stdout, everything else to stderr. On a terminal, a live part stays below what is written.
//!
//! Most texts contain names and messages from outside, so control characters and secrets are removed from every text
//! here. If a stream cannot be written, the work continues.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paceline_aws::{RetryNotices, Wire};
use paceline_report::{ConsoleOptions, Detail, Screen, Style};
use paceline_text::secrets::redacted;
use paceline_text::{clean, clean_but_for_colors, one_line};
use terminal_size::{Height, Width, terminal_size_of};

mod keys;
mod live;
mod reader;

pub(crate) use keys::{Key, Keys};
pub use live::{LivePart, end as end_live};
use reader::{is_log, is_set};

/// How often a log says what is running. Some builds are ended if they write nothing for ten minutes.
const PROGRESS_OF_LOG: Duration = Duration::from_mins(5);

/// The first error of printing data.
static LOST: OnceLock<String> = OnceLock::new();

/// Whether only problems are shown.
static ONLY_PROBLEMS: AtomicBool = AtomicBool::new(false);

/// Whether the command line forbids colours.
static NO_COLORS: AtomicBool = AtomicBool::new(false);

/// Prints a text for people on stdout. It may contain Paceline's own colours. A closed pipe is no error.
pub fn print(text: &str) {
    write(&clean_but_for_colors(text));
}

/// Prints data for programs on stdout, unchanged. A terminal gets it without control characters.
pub fn data(text: &str) {
    if io::stdout().is_terminal() { print(text) } else { write(text) }
}

fn write(text: &str) {
    let text = redacted(text);
    let write = || {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    };
    let written = if io::stdout().is_terminal() { live::above(write) } else { write() };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = LOST.set(error.to_string());
        }
        _ => {}
    }
}

/// The error of printing data, if there was one.
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Writes a line to stderr.
pub fn say(text: &str) {
    let _ = live::print(&format!("{}\n", clean(text)));
}

/// Writes a line to stderr, and a second line that says what to do.
pub fn say_with_hint(text: &str, hint: &str) {
    say(&format!("{text}\n hint: {hint}"));
}

/// Writes a warning on one line, even if a name in it contains line breaks.
pub fn warn(text: &str) {
    say(&format!("warning: {}", one_line(text)));
}

/// Writes a note on one line, even if a name in it contains line breaks. With --quiet, writes nothing.
pub fn note(text: &str) {
    mention(&format!("note: {}", one_line(text)));
}

/// Writes a line that is no problem. With --quiet, writes nothing.
pub fn mention(text: &str) {
    if !ONLY_PROBLEMS.load(Ordering::Relaxed) {
        say(text);
    }
}

/// Forbids colours from here on.
pub fn no_colors() {
    NO_COLORS.store(true, Ordering::Relaxed);
}

/// Shows only problems from here on.
pub fn only_problems() {
    ONLY_PROBLEMS.store(true, Ordering::Relaxed);
}

/// Writes a text with Paceline's own colours to stderr. The caller has cleaned the names in it.
pub fn say_painted(text: &str) {
    let _ = live::print(&format!("{}\n", clean_but_for_colors(text)));
}

/// Writes to stderr. What is written between two flushes stays together. It may contain Paceline's own colours.
#[derive(Debug, Default)]
pub struct Painted(Vec<u8>);

/// Writes data to stdout. What is written between two flushes stays together.
#[derive(Debug, Default)]
pub struct Data(Vec<u8>);

impl io::Write for Painted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.0);
        if text.is_empty() {
            Ok(())
        } else {
            live::print(&clean_but_for_colors(&String::from_utf8_lossy(&text)))
        }
    }
}

impl io::Write for Data {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        data(&String::from_utf8_lossy(&std::mem::take(&mut self.0)));
        Ok(())
    }
}

/// Starts a live part below everything that is written, if stderr is a terminal that a person watches. `None` elsewhere:
/// where a log is written, with --quiet, on a terminal that cannot move its cursor.
pub fn live_part(frame: impl Fn(Screen) -> Vec<String> + Send + 'static) -> Option<LivePart> {
    if !has_live_part() {
        return None;
    }
    LivePart::start(stderr_style().color, frame).ok()
}

/// Whether somebody reads stderr on a terminal that can erase what it shows.
pub(crate) fn has_live_part() -> bool {
    let can_move = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let is_watched = io::stderr().is_terminal() && can_move && !is_log();
    is_watched && !ONLY_PROBLEMS.load(Ordering::Relaxed)
}

/// How the console of a run prints its lines. `is_live` says whether a live part shows what is running.
pub(crate) fn console_options(detail: Detail, is_live: bool) -> ConsoleOptions {
    let usual = ConsoleOptions { style: stderr_style(), detail, is_live, ..Default::default() };
    if !is_log() {
        return usual;
    }
    ConsoleOptions { progress_every: PROGRESS_OF_LOG, hints: false, ..usual }
}

/// The connection to AWS. If AWS does not answer and no event reports it, a note on stderr says so.
pub fn wire() -> Wire {
    Wire { notices: RetryNotices::new(|line| say(&format!("note: {line}"))), ..Wire::default() }
}

/// The style for stderr. Colours need a terminal. `NO_COLOR` and `--no-color` disable them, and a log has none.
pub fn stderr_style() -> Style {
    let stream = io::stderr();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

/// The style for stdout.
pub fn stdout_style() -> Style {
    let stream = io::stdout();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

/// The width of a page that is not for a terminal.
pub(crate) const PAGE_WIDTH: u16 = 80;

/// The width of a page on stdout.
pub(crate) fn page_width() -> u16 {
    stdout_style().width.unwrap_or(PAGE_WIDTH)
}

/// The style for a page on stdout, which has a width even if stdout is no terminal.
pub(crate) fn page_style() -> Style {
    Style { width: Some(page_width()), ..stdout_style() }
}

fn style(is_terminal: bool, size: Option<(Width, Height)>) -> Style {
    let is_wanted = !NO_COLORS.load(Ordering::Relaxed);
    let color = is_terminal && is_wanted && !is_set("NO_COLOR") && !is_log();
    Style { color, width: size.map(|(Width(columns), _)| columns) }
}

//! The two streams: data goes to stdout, everything else to stderr.
//!
//! Every text is cleaned here, since most texts contain names and messages of other people. A stream that cannot be
//! written does not stop the work.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use paceline_aws::{RetryNotices, Wire};
use paceline_report::Style;
use paceline_text::{clean, clean_but_for_colors, one_line};
use terminal_size::{Height, Width, terminal_size_of};

/// Why data could not be printed, the first time.
static LOST: OnceLock<String> = OnceLock::new();

/// Whether only problems are shown.
static ONLY_PROBLEMS: AtomicBool = AtomicBool::new(false);

/// Whether the command line forbids colours.
static NO_COLORS: AtomicBool = AtomicBool::new(false);

/// Prints a text for people on stdout. It may have our own colours. A reader that has gone away is no error.
pub fn print(text: &str) {
    write(&clean_but_for_colors(text));
}

/// Prints data for programs on stdout, unchanged. A terminal gets it without control characters.
pub fn data(text: &str) {
    if io::stdout().is_terminal() { print(text) } else { write(text) }
}

fn write(text: &str) {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = LOST.set(error.to_string());
        }
        _ => {}
    }
}

/// Why data could not be printed, if it could not.
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Writes a line to stderr.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean(text));
}

/// Writes a warning on one line, even if names in it have several.
pub fn warn(text: &str) {
    say(&format!("warning: {}", one_line(text)));
}

/// Writes a note on one line, even if names in it have several. Notes are not problems.
pub fn note(text: &str) {
    mention(&format!("note: {}", one_line(text)));
}

/// Writes a line that is no problem, unless only problems are shown.
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

/// Writes a text with our own colours to stderr. The names of other people in it have been cleaned.
pub fn say_painted(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean_but_for_colors(text));
}

/// The usual connection to AWS. A notice that AWS does not answer goes to stderr, if no event reports it.
pub fn wire() -> Wire {
    Wire { notices: RetryNotices::new(|line| say(&format!("note: {line}"))), ..Wire::default() }
}

/// The style for stderr: colours only on a terminal, and never in CI or against the user's wish.
pub fn stderr_style() -> Style {
    let stream = io::stderr();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

/// The style for stdout.
pub fn stdout_style() -> Style {
    let stream = io::stdout();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

fn style(is_terminal: bool, size: Option<(Width, Height)>) -> Style {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_wanted = !NO_COLORS.load(Ordering::Relaxed);
    let color =
        is_terminal && is_wanted && !is_set("NO_COLOR") && !is_set("CI") && !is_set("CODEBUILD_BUILD_ID");
    Style { color, width: size.map(|(Width(columns), _)| columns) }
}

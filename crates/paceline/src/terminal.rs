//! The two streams: data goes to stdout, everything else to stderr.
//!
//! Whatever is said is cleaned here, and so nowhere else for that reason: names and messages of other people are in
//! most of it. That a stream cannot be written is no reason to stop: what is done matters more than what is said.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use paceline_aws::{Notices, Wire};
use paceline_report::Style;
use paceline_text::{clean, clean_but_for_colors, one_line};
use terminal_size::{Height, Width, terminal_size_of};

/// Why data could not be printed, the first time.
static LOST: OnceLock<String> = OnceLock::new();

/// Whether what is no problem stays unsaid.
static ONLY_PROBLEMS: AtomicBool = AtomicBool::new(false);

/// Whether the command line asks for no colours.
static NO_COLORS: AtomicBool = AtomicBool::new(false);

/// Prints a text for people, which may have colours of ours. A reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    write(&clean_but_for_colors(text));
}

/// Prints data for programs as it is; to a terminal, without what could control it.
pub(crate) fn data(text: &str) {
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
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Says something to whoever is watching.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean(text));
}

/// Says what a person should know: on one line, whatever it names.
pub(crate) fn warn(text: &str) {
    say(&format!("warning: {}", one_line(text)));
}

/// Says what a person may want to know: on one line, whatever it names.
pub(crate) fn note(text: &str) {
    mention(&format!("note: {}", one_line(text)));
}

/// Says what is no problem, unless only problems are asked for.
pub(crate) fn mention(text: &str) {
    if !ONLY_PROBLEMS.load(Ordering::Relaxed) {
        say(text);
    }
}

/// From here on, uses no colours.
pub(crate) fn no_colors() {
    NO_COLORS.store(true, Ordering::Relaxed);
}

/// From here on, says nothing but problems.
pub(crate) fn only_problems() {
    ONLY_PROBLEMS.store(true, Ordering::Relaxed);
}

/// Says what has colours of ours, and has nothing of anybody else's that was not cleaned.
pub(crate) fn say_painted(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean_but_for_colors(text));
}

/// The usual way to AWS. That it does not answer is said where no event tells of it.
pub(crate) fn wire() -> Wire {
    Wire { notices: Notices::new(|line| say(&format!("note: {line}"))), ..Wire::default() }
}

/// How to write to stderr: colours on a terminal only, and never in CI or against the user's wish.
pub(crate) fn stderr_style() -> Style {
    let stream = io::stderr();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

/// How to write to stdout.
pub(crate) fn stdout_style() -> Style {
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

//! The two streams: data goes to stdout, everything else to stderr.

use std::io::{IsTerminal as _, Write as _};

use paceline_report::Style;
use terminal_size::{Height, Width, terminal_size_of};

/// Prints data. A reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Says something to whoever is watching.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// How to write to stderr: colours on a terminal only, and never in CI or against the user's wish.
pub(crate) fn stderr_style() -> Style {
    let stream = std::io::stderr();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

/// How to write to stdout.
pub(crate) fn stdout_style() -> Style {
    let stream = std::io::stdout();
    style(stream.is_terminal(), terminal_size_of(&stream))
}

fn style(is_terminal: bool, size: Option<(Width, Height)>) -> Style {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let color = is_terminal && !is_set("NO_COLOR") && !is_set("CI") && !is_set("CODEBUILD_BUILD_ID");
    Style { color, width: size.map(|(Width(columns), _)| columns) }
}

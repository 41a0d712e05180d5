//! The two streams: data goes to stdout, everything else to stderr.

use std::io::{IsTerminal as _, Write as _};

use paceline_report::Style;

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
    style(std::io::stderr().is_terminal())
}

/// How to write to stdout.
pub(crate) fn stdout_style() -> Style {
    style(std::io::stdout().is_terminal())
}

fn style(is_terminal: bool) -> Style {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let color = is_terminal && !is_set("NO_COLOR") && !is_set("CI") && !is_set("CODEBUILD_BUILD_ID");
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    Style { color, width: if is_terminal { columns } else { None } }
}

//! How a plan is shown: as text for people, as JSON for programs, as a graph, and as the answer to why one
//! stack waits for another.
//!
//! Everything here returns a whole document that ends with a line end. Names and details come from templates
//! and configuration, so no control character of theirs reaches a terminal.

mod destruction;
mod explain;
mod graph;
mod json;
mod remarks;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

pub use destruction::destruction;
pub use explain::explain;
pub use graph::{dot, mermaid};
pub use json::json;
pub use text::{TextOptions, text};

use crate::build::edges::{Edge, Reason};
use crate::model::plan::Borrowed;
pub use crate::outlook::forecast::Forecast;

/// The stacks that edges lead to, each with how often every reason leads there.
pub(crate) fn folded(edges: &[Edge]) -> BTreeMap<&str, BTreeMap<Reason, usize>> {
    let mut folded: BTreeMap<&str, BTreeMap<Reason, usize>> = BTreeMap::new();
    for edge in edges {
        *folded.entry(&edge.to).or_default().entry(edge.reason).or_default() += 1;
    }
    folded
}

impl Borrowed {
    /// `the image Web`, `the file Code`.
    fn shown(&self) -> String {
        format!("the {} {}", if self.image { "image" } else { "file" }, self.asset)
    }
}

/// `ssm ×3, import`.
pub(crate) fn show_reasons(reasons: &BTreeMap<Reason, usize>) -> String {
    let shown = reasons.iter().map(|(reason, times)| match times {
        1 => reason.to_string(),
        times => format!("{reason} ×{times}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// `45 s`, `12.5 min`, `1 h 5 min`.
pub(crate) fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_millis().saturating_add(500) / 1000;
    let tenths = (seconds + 3) / 6;
    match (seconds, tenths) {
        (0..60, _) => format!("{seconds} s"),
        (_, 0..600) if tenths.is_multiple_of(10) => format!("{} min", tenths / 10),
        (_, 0..600) => format!("{}.{} min", tenths / 10, tenths % 10),
        _ => {
            let minutes = (seconds + 30) / 60;
            match minutes % 60 {
                0 => format!("{} h", minutes / 60),
                rest => format!("{} h {rest} min", minutes / 60),
            }
        }
    }
}

/// `1 stack`, `2 stacks`.
pub(crate) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// The text on one line, without what could control a terminal.
fn clean(text: &str) -> String {
    paceline_text::clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_people_say_them() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (750, "12.5 min"),
            (3_594, "59.9 min"),
            (3_599, "1 h"),
            (3_600, "1 h"),
            (3_900, "1 h 5 min"),
            (7_199, "2 h"),
        ] {
            assert_eq!(show_duration(Duration::from_secs(seconds)), expected, "{seconds} s");
        }
        assert_eq!(show_duration(Duration::from_millis(59_600)), "1 min");
    }

    #[test]
    fn reasons_are_counted() {
        let edge = |to: &str, reason| Edge::new("A", to, reason, "");
        let edges = [edge("B", Reason::Ssm), edge("B", Reason::Import), edge("B", Reason::Ssm)];
        assert_eq!(show_reasons(&folded(&edges)["B"]), "import, ssm ×2");
    }
}

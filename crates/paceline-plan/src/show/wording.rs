//! Counts, durations and reasons as a plan words them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Borrowed, Reason};

impl Borrowed {
    /// `the image Web`, `the file Code`.
    pub(super) fn shown(&self) -> String {
        format!("the {} {}", if self.image { "image" } else { "file" }, self.asset)
    }
}

/// `ssm ×3, import`.
pub(super) fn show_reasons(reasons: &BTreeMap<Reason, usize>) -> String {
    let shown = reasons.iter().map(|(reason, times)| match times {
        1 => reason.to_string(),
        times => format!("{reason} ×{times}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// `45 s`, `12.5 min`, `1 h 5 min`.
pub(super) fn show_duration(duration: Duration) -> String {
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
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// The text on one line, without what could control a terminal.
pub(super) fn clean(text: &str) -> String {
    paceline_text::clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edge, Tie, folded};

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
        let edge = |to: &str, reason| Edge::new("A", to, reason, Tie::Manifest);
        let edges = [edge("B", Reason::Ssm), edge("B", Reason::Import), edge("B", Reason::Ssm)];
        assert_eq!(show_reasons(&folded(&edges)["B"]), "import, ssm ×2");
    }
}

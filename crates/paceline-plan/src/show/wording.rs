//! Counts, durations and reasons as a plan words them.

use std::collections::BTreeMap;

pub(super) use paceline_text::{count, duration as show_duration};

use crate::model::{Borrowed, Reason};
use crate::outlook::price::{DATE, Price};

impl Borrowed {
    /// `the image Web`, `the file Code`.
    pub(super) fn shown(&self) -> String {
        format!("the {} {}", if self.image { "image" } else { "file" }, self.asset)
    }
}

impl Price {
    /// Where the figure comes from.
    pub(super) fn source(&self) -> String {
        if self.is_configured {
            "codebuild.price-per-minute".to_owned()
        } else {
            format!("published notes of {DATE}, us-east-1, Linux")
        }
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

/// The text on one line, without what could control a terminal.
pub(super) fn clean(text: &str) -> String {
    paceline_text::clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edge, Tie, folded};

    #[test]
    fn reasons_are_counted() {
        let edge = |to: &str, reason| Edge::new("A", to, reason, Tie::Manifest);
        let edges = [edge("B", Reason::Ssm), edge("B", Reason::Import), edge("B", Reason::Ssm)];
        assert_eq!(show_reasons(&folded(&edges)["B"]), "import, ssm ×2");
    }
}

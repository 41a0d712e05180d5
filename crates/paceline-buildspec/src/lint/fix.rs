//! Applies the corrections of findings to the text. Everything else stays as it is.

use super::finding::{Edit, Finding};

/// Applies the fixes of findings. If two fixes change the same place, only the first one is applied.
pub(super) fn apply(text: &str, findings: &[Finding]) -> String {
    let mut edits: Vec<&Edit> = Vec::new();
    for finding in findings {
        // Two findings may have the same edit.
        let new = finding.fix.iter().filter(|edit| !edits.contains(edit));
        let new: Vec<&Edit> = new.collect();
        let clashes =
            |edit: &&Edit| edits.iter().any(|other| edit.start < other.end && other.start < edit.end);
        let same_place = |edit: &&Edit| edits.iter().any(|other| edit.start == other.start);
        if !new.iter().any(clashes) && !new.iter().any(same_place) {
            edits.extend(new);
        }
    }
    edits.sort();
    let mut fixed = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        fixed.push_str(text.get(at..edit.start).unwrap_or_default());
        fixed.push_str(&edit.text);
        at = edit.end;
    }
    fixed.push_str(text.get(at..).unwrap_or_default());
    fixed
}

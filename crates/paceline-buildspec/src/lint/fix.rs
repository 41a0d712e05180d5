//! Mends what can be mended without a decision: edits in place, everything else stays as it is.

use super::finding::{Edit, Finding};
use super::{LintContext, lint};

/// Mending can uncover what can be mended too; it ends long before this.
const MAX_ROUNDS: usize = 10;

/// The text with every fix applied that changes what it says it does.
pub fn fix(text: &str, context: &LintContext) -> Option<String> {
    let mut fixed = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let findings = lint("", fixed.as_bytes(), context).findings;
        let next = apply(&fixed, &findings);
        if next == fixed {
            break;
        }
        fixed = next;
    }
    (fixed != text).then_some(fixed)
}

/// Applies the fixes of findings. Of two that touch the same place only the first is applied.
fn apply(text: &str, findings: &[Finding]) -> String {
    let mut edits: Vec<&Edit> = Vec::new();
    for finding in findings {
        // Findings that are mended in one place share the edit.
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

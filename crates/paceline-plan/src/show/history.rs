//! The warning of a history that could not be read as a whole.

use crate::outlook::history::History;

/// The most line numbers that the warning names.
const FEW_LINES: usize = 5;

impl History {
    /// A warning of the lines of this file that could not be read, if there are any.
    pub fn warning(&self, file: &str) -> Option<String> {
        let count = self.unread_lines().len();
        let numbers: Vec<String> = self.unread_lines().take(FEW_LINES).map(|n| n.to_string()).collect();
        let more = match count.saturating_sub(FEW_LINES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (lines, are) = if count == 1 { ("line", "is") } else { ("lines", "are") };
        let numbers = numbers.join(", ");
        (count > 0).then(|| {
            format!(
                "{file}: {lines} {numbers}{more} {are} not read: damaged, or of another version of Paceline"
            )
        })
    }
}

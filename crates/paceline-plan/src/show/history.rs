//! The warning of a history that could not be read as a whole.

use paceline_text::first_few;

use crate::outlook::history::History;

/// The most line numbers that the warning names.
const FEW_LINES: usize = 5;

impl History {
    /// A warning of the lines of this file that could not be read, if there are any.
    pub fn warning(&self, file: &str) -> Option<String> {
        let count = self.unread_lines().len();
        let numbers = first_few(self.unread_lines().map(|n| n.to_string()), FEW_LINES);
        let (lines, are) = if count == 1 { ("line", "is") } else { ("lines", "are") };
        (count > 0).then(|| {
            format!("{file}: {lines} {numbers} {are} not read: damaged, or of another version of Paceline")
        })
    }
}

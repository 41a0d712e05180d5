//! Finds mistakes in buildspecs: what the grammar does not allow, and what it allows but does not do what its
//! writer means.
//!
//! [`lint()`] takes any bytes and ends in bounded time. What it finds is made by [rules](rules), each with a code
//! that stays the same, a severity and a page of explanation. [`fix()`] mends what needs no decision. How findings
//! are shown is in [`output`].

mod allow;
mod context;
mod document;
mod finding;
mod fix;
pub mod output;
mod rules;

use crate::yaml::Lines;
pub use context::{LintContext, ProjectFacts, ProjectFactsError};
use document::Document;
pub use finding::{Edit, Finding, Severity};
pub use fix::fix;
pub use rules::{RULES, Rule, with_code};

/// No buildspec comes near this; CodeBuild takes an inline one of about a fifth of it.
pub const MAX_BYTES: usize = 1 << 20;

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintReport {
    /// What the file is called where findings are shown.
    pub file: String,
    /// The file, with what is no text replaced.
    pub text: String,
    /// In the order of the file.
    pub findings: Vec<Finding>,
    /// Whether it is YAML at all.
    pub readable: bool,
}

/// Checks a buildspec by every rule.
pub fn lint(file: &str, bytes: &[u8], context: &LintContext) -> LintReport {
    let (text, unreadable) = match std::str::from_utf8(bytes) {
        _ if bytes.len() > MAX_BYTES => {
            let shown = String::from_utf8_lossy(&bytes[..80]).into_owned();
            (shown, Some((0, format!("the file is larger than any buildspec: {} bytes", bytes.len()))))
        }
        Ok(text) => (text.to_owned(), None),
        Err(error) => {
            let valid = error.valid_up_to();
            let what = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16 text, and CodeBuild reads UTF-8",
                _ => "the file is not UTF-8 text from here on",
            };
            (String::from_utf8_lossy(bytes).into_owned(), Some((valid, what.to_owned())))
        }
    };
    if let Some((byte, what)) = unreadable {
        let finding = rules::unreadable(&Lines::of(&text), byte, what);
        return LintReport { file: file.to_owned(), text, findings: vec![finding], readable: false };
    }
    let document = Document::read(&text, context);
    let findings = rules::check(&document);
    let readable = document.unreadable.is_none();
    LintReport { file: file.to_owned(), findings, readable, text }
}

impl LintReport {
    /// Of a file that could not be read at all.
    pub fn of_unreadable(file: &str, message: String) -> Self {
        let finding = rules::unreadable(&Lines::of(""), 0, message);
        Self { file: file.to_owned(), text: String::new(), findings: vec![finding], readable: false }
    }

    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

//! The findings of rules.

use std::fmt;
use std::ops::Range;

use crate::yaml::At;
use crate::yaml::Lines;

/// The severities, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `PL` and three digits. A code is never used again for another rule.
    pub code: &'static str,
    pub severity: Severity,
    /// The bytes of the file that the finding is about.
    pub span: Range<usize>,
    pub start: At,
    /// The position after the last character.
    pub end: At,
    pub message: String,
    /// The advice for the author.
    pub hint: Option<String>,
    /// The edits that fix the problem. It is empty if no program can fix it.
    pub fix: Vec<Edit>,
}

/// The replacement of a part of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Edit {
    pub(super) fn replace(span: Range<usize>, text: impl Into<String>) -> Self {
        Self { start: span.start, end: span.end, text: text.into() }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }
}

impl Finding {
    pub(super) fn new(code: &'static str, severity: Severity, span: Range<usize>, lines: &Lines<'_>) -> Self {
        let span = lines.valid(span);
        let (start, end) = (lines.at(span.start), lines.at(span.end));
        Self { code, severity, span, start, end, message: String::new(), hint: None, fix: Vec::new() }
    }

    pub(super) fn message(&mut self, message: impl Into<String>) -> &mut Self {
        self.message = message.into();
        self
    }

    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn as_severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    pub(super) fn fix(&mut self, edits: impl IntoIterator<Item = Edit>) -> &mut Self {
        self.fix.extend(edits);
        self
    }
}

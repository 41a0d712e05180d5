//! The findings of one file.

use super::finding::{Finding, Severity};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintReport {
    /// The name of the file in the output.
    pub file: String,
    /// The text of the file. Bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The findings in the order of the file.
    pub findings: Vec<Finding>,
    /// Whether the file is YAML.
    pub readable: bool,
}

impl LintReport {
    /// The number of findings with this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

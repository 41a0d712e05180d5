//! Findings as JSON. `paceline schema lint` prints the JSON Schema.

use paceline_text::{Nullable, document_schema, documented, json_document};
use serde_json::Value;

use crate::lint::finding::{Finding, Severity};
use crate::lint::{LintReport, with_code};

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// What `paceline lint` found. A newer version may add fields.
    struct LintDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The number of errors in all files.
        errors: usize,
        /// The number of warnings in all files.
        warnings: usize,
        /// The number of notes in all files.
        notes: usize,
        /// The files in the order of the command line.
        files: Vec<FileDocument<'a>>,
    }

    /// A buildspec.
    struct FileDocument<'a> {
        /// Its path as it was given, or stdin.
        file: &'a str,
        /// Whether it is YAML. If not, its only finding says why.
        readable: bool,
        /// What was found, in the order of the file.
        findings: Vec<FindingDocument<'a>>,
    }

    /// A mistake.
    struct FindingDocument<'a> {
        /// The code of the rule, such as PL203.
        code: &'static str,
        /// The title of the rule.
        title: Nullable<&'static str>,
        /// error, warning or note.
        severity: &'static str,
        /// What is wrong.
        message: &'a str,
        /// What to do about it.
        hint: Nullable<&'a str>,
        /// The line where it begins. The first one is 1.
        line: usize,
        /// The column where it begins. The first one is 1.
        column: usize,
        /// The line where it ends.
        end_line: usize,
        /// The column after its last character.
        end_column: usize,
        /// Whether `--fix` repairs it.
        fixable: bool,
    }
}

/// All files, each with its findings.
pub fn json(reports: &[LintReport]) -> String {
    let count = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
    json_document(&LintDocument {
        schema: SCHEMA,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        files: reports.iter().map(file).collect(),
    })
}

/// The JSON Schema of the document.
pub fn json_schema() -> Value {
    document_schema::<LintDocument<'_>>("Findings of paceline lint", SCHEMA)
}

fn file(report: &LintReport) -> FileDocument<'_> {
    let LintReport { file, readable, findings, .. } = report;
    FileDocument { file, readable: *readable, findings: findings.iter().map(finding).collect() }
}

fn finding(finding: &Finding) -> FindingDocument<'_> {
    FindingDocument {
        code: finding.code,
        title: Nullable(with_code(finding.code).map(|rule| rule.title)),
        severity: finding.severity.as_str(),
        message: &finding.message,
        hint: Nullable(finding.hint.as_deref()),
        line: finding.start.line,
        column: finding.start.column,
        end_line: finding.end.line,
        end_column: finding.end.column,
        fixable: !finding.fix.is_empty(),
    }
}

//! Findings as JSON.

use serde_json::{Value, json as value};

use crate::lint::finding::{Finding, Severity};
use crate::lint::{LintReport, with_code};

/// All files, each with its findings.
pub fn json(reports: &[LintReport]) -> String {
    let count = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
    let files: Vec<Value> = reports
        .iter()
        .map(|report| {
            let findings: Vec<Value> = report.findings.iter().map(finding).collect();
            value!({ "file": report.file, "readable": report.readable, "findings": findings })
        })
        .collect();
    let document = value!({
        "schema": 1,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "notes": count(Severity::Note),
        "files": files,
    });
    format!("{document:#}\n")
}

fn finding(finding: &Finding) -> Value {
    value!({
        "code": finding.code,
        "title": with_code(finding.code).map(|rule| rule.title),
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "hint": finding.hint,
        "line": finding.start.line,
        "column": finding.start.column,
        "end_line": finding.end.line,
        "end_column": finding.end.column,
        "fixable": !finding.fix.is_empty(),
    })
}
